"""Loading and unloading models over gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from serving.access.guard import Guard
from serving.access.tokens import Scope, Token
from serving.grpc_api.v2_messages import v2_message
from serving.inference_v2.model_control import ModelControl
from serving.status import Code, Failure
from tests.serving.grpc_api.v2_client import failure, send

if TYPE_CHECKING:
    from tests.serving.grpc_api.conftest import OpenSite, Site

LOAD, UNLOAD = "RepositoryModelLoad", "RepositoryModelUnload"


def test_a_fixed_list_stays_as_it_is(site: Site) -> None:
    for method in (LOAD, UNLOAD):
        code, text = failure(site, method, v2_message(f"{method}Request")(model_name="m"))
        assert (code, text) == (grpc.StatusCode.UNIMPLEMENTED, "This server's list of models is fixed.")


def test_models_are_switched_with_a_token_that_allows_reload(open_site: OpenSite) -> None:
    switched: list[tuple[str, bool]] = []

    async def switch(name: str, *, is_wanted: bool) -> None:
        if name == "gone":
            raise Failure(Code.NOT_FOUND, "The list of models has no model gone.")
        switched.append((name, is_wanted))

    guard = Guard([Token.of("r" * 16, [Scope.RELOAD])], delay_s=0.05)
    metadata = (("authorization", "Bearer " + "r" * 16),)
    load, unload = v2_message("RepositoryModelLoadRequest"), v2_message("RepositoryModelUnloadRequest")
    with open_site(control=ModelControl(switch=switch, is_allowed=True, guard=guard)) as site:
        send(site, LOAD, load(model_name="m"), metadata=metadata)
        dependents = {"unload_dependents": {"bool_param": False}}
        send(site, UNLOAD, unload(model_name="m", parameters=dependents), metadata=metadata)
        for method, request, given, code in (
            (LOAD, load(model_name="m"), (), "UNAUTHENTICATED"),
            (LOAD, load(model_name="gone"), metadata, "NOT_FOUND"),
            (LOAD, load(model_name="m", parameters={"config": {"string_param": "{}"}}), metadata, "INVALID_ARGUMENT"),
            (UNLOAD, unload(model_name="m", repository_name="r"), metadata, "INVALID_ARGUMENT"),
        ):
            assert failure(site, method, request, metadata=given)[0] == grpc.StatusCode[code]
    assert switched == [("m", True), ("m", False)]
