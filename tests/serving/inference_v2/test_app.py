"""The pages next to inference: health, readiness, and paths that do not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from serving.access.guard import Guard
from serving.access.tokens import Scope, Token
from serving.inference_v2.model_control import ModelControl
from serving.server.labels_endpoint import LabelsEndpoint
from serving.status import Code, Failure

if TYPE_CHECKING:
    from tests.serving.conftest import OpenWebsite, Website


def test_health(website: Website) -> None:
    for path, name in (("/v2/health/live", "live"), ("/v2/health/ready", "ready")):
        reply = website.send("GET", path)
        assert (reply.status, reply.json) == (200, {name: True})


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/models/half_plus_two/ready", 200),
        ("/v2/models/half_plus_two/versions/123/ready", 200),
        ("/v2/models/half_plus_two/versions/5/ready", 404),
        ("/v2/models/nobody/ready", 404),
        ("/v2/models/half%5Fplus%5Ftwo/ready?a=1", 200),
        ("/v2/models/half_plus_two/versions/99999999999999999999", 400),
        ("/v2/models/nobody", 404),
    ],
)
def test_models_that_are_there_and_that_are_not(website: Website, path: str, status: int) -> None:
    reply = website.send("GET", path)
    assert (reply.status, "error" in reply.json) == (status, status != 200), reply.body


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v2", 405),
        ("POST", "/v2/health/ready", 405),
        ("DELETE", "/v2/models/half_plus_two", 405),
        ("GET", "/v2/models/half_plus_two/infer", 405),
        ("GET", "/v2/repository/index", 405),
        ("POST", "/v2/repository/models/half_plus_two/unload", 501),
        ("GET", "/v2/repository/models/half_plus_two/load", 405),
        ("GET", "/v2/models/half_plus_two/configs", 404),
        ("GET", "/v2/models/half_plus_two/READY", 404),
        ("GET", "/v2/models/", 404),
        ("GET", "/v2/other", 404),
        ("GET", "/v2/models/a/b/c", 404),
        ("GET", "/v2/models/../models", 404),
    ],
)
def test_other_paths_and_methods_are_refused(website: Website, method: str, path: str, status: int) -> None:
    reply = website.send(method, path)
    assert (reply.status, bool(reply.error)) == (status, True), reply.body
    assert (status == 405) == ("allow" in reply.headers)


def test_models_are_loaded_and_unloaded_with_a_token_that_allows_reload(open_website: OpenWebsite) -> None:
    switched: list[tuple[str, bool]] = []

    async def switch(name: str, *, is_wanted: bool) -> None:
        if name == "gone":
            raise Failure(Code.NOT_FOUND, "The list of models has no model gone.")
        switched.append((name, is_wanted))

    tokens = [Token.of("r" * 16, [Scope.RELOAD]), Token.of("p" * 16, [Scope.PREDICT])]
    guard = Guard(tokens, required=[Scope.PREDICT], delay_s=0.05)
    control = ModelControl(switch=switch, is_allowed=True, guard=guard)
    path, allowed = "/v2/repository/models/", {"Authorization": "Bearer " + "r" * 16}
    with open_website(control=control, labels_endpoint=LabelsEndpoint(guard=guard)) as website:
        for target, body, headers, status in (
            ("a%2Fb/load", b"", allowed, 200),
            ("a%2Fb/unload", b'{"parameters": {"unload_dependents": false}}', allowed, 200),
            ("m/load", b'{"parameters": {}}', allowed, 200),
            ("m/load", b'{"parameters": {"config": "{}"}}', allowed, 400),
            ("m/load", b"[]", allowed, 400),
            ("gone/load", b"", allowed, 404),
            ("m/load", b"", {"Authorization": "Bearer " + "p" * 16}, 403),
            ("m/unload", b"", {}, 401),
        ):
            reply = website.send("POST", path + target, body, headers)
            assert (reply.status, bool(reply.body)) == (status, status != 200), target
    assert switched == [("a/b", True), ("a/b", False), ("m", True)]
