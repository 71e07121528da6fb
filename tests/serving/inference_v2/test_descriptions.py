"""What is there beside inference: health, the server, its models, and what is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.serving.conftest import Website


def test_the_server_says_what_it_is(website: Website) -> None:
    said = website.send("GET", "/v2").json
    assert said["name"] == "pitfalls"
    assert said["version"]
    assert "binary_tensor_data" in said["extensions"]
    assert website.send("GET", "/v2/").json == said


def test_health(website: Website) -> None:
    for path, name in (("/v2/health/live", "live"), ("/v2/health/ready", "ready")):
        reply = website.send("GET", path)
        assert (reply.status, reply.json) == (200, {name: True})


def test_models_are_listed(website: Website) -> None:
    assert website.send("GET", "/v2/models").json == {
        "models": ["dense4", "half_plus_three", "half_plus_two", "named", "strs", "typed"]
    }
    for body in (b"", b"{}", b'{"ready": true}'):
        listed = website.send("POST", "/v2/repository/index", body).json
        assert {"name": "half_plus_two", "version": "123", "state": "READY", "reason": ""} in listed
    assert website.send("POST", "/v2/repository/index", b'{"ready": 1}').status == 400


def test_a_model_says_what_it_takes_and_gives(website: Website) -> None:
    said = website.send("GET", "/v2/models/named").json
    assert said == {
        "name": "named",
        "versions": ["1"],
        "platform": "tensorflow_savedmodel",
        "inputs": [
            {"name": "feat", "datatype": "FP32", "shape": [-1, 2]},
            {"name": "ints", "datatype": "INT32", "shape": [-1, 2]},
            {"name": "name", "datatype": "BYTES", "shape": [-1]},
        ],
        "outputs": [
            {"name": "fx2", "datatype": "FP32", "shape": [-1, 2]},
            {"name": "isum", "datatype": "INT32", "shape": [-1]},
            {"name": "name_bytes", "datatype": "BYTES", "shape": [-1]},
            {"name": "name_out", "datatype": "BYTES", "shape": [-1]},
        ],
    }
    assert website.send("GET", "/v2/models/named/versions/1").json == said
    assert website.send("GET", "/v2/models/half_plus_two").json["inputs"][0]["shape"] == [-1], "even its rank is open"


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
        ("GET", "/v2/models/half_plus_two/config", 404),
        ("GET", "/v2/models/half_plus_two/READY", 404),
        ("GET", "/v2/models/", 404),
        ("GET", "/v2/other", 404),
        ("GET", "/v2/models/a/b/c", 404),
        ("GET", "/v2/models/../models", 404),
    ],
)
def test_what_is_not_there(website: Website, method: str, path: str, status: int) -> None:
    reply = website.send(method, path)
    assert (reply.status, bool(reply.error)) == (status, True), reply.body
    assert (status == 405) == ("allow" in reply.headers)
