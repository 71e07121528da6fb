"""What the Open Inference Protocol tells of the server and its models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from serving.access.guard import Guard
from serving.access.tokens import Scope, Token
from serving.grpc_api.v2_messages import v2_message
from serving.inference_v2.model_control import ModelControl
from serving.models.versions import Models
from serving.status import Code, Failure
from tests.serving.grpc_api.v2_client import ask, failure, infer_request, send, tensor

if TYPE_CHECKING:
    from tests.serving.grpc_api.conftest import OpenSite, Site


def test_health(site: Site) -> None:
    assert ask(site, "ServerLive").live
    assert ask(site, "ServerReady").ready
    assert ask(site, "ModelReady", name="half_plus_two").ready
    assert ask(site, "ModelReady", name="half_plus_two", version="123").ready
    assert not ask(site, "ModelReady", name="half_plus_two", version="5").ready
    assert not ask(site, "ModelReady", name="nobody").ready
    code, _ = failure(site, "ModelReady", v2_message("ModelReadyRequest")(name="half_plus_two", version="one"))
    assert code == grpc.StatusCode.INVALID_ARGUMENT


def test_a_server_without_models_is_live_and_not_ready(open_site: OpenSite) -> None:
    empty = Models(tuple, load=lambda _: None, report=lambda _: None)  # type: ignore[arg-type,return-value]  # loads none
    with open_site(served=empty) as site:
        assert (ask(site, "ServerLive").live, ask(site, "ServerReady").ready) == (True, False)


def test_pages_say_what_they_say_over_http(site: Site) -> None:
    server = ask(site, "ServerMetadata")
    over_http = site.website.send("GET", "/v2").json
    assert {"name": server.name, "version": server.version, "extensions": list(server.extensions)} == over_http
    model = ask(site, "ModelMetadata", name="named", version="1")
    over_http = site.website.send("GET", "/v2/models/named/versions/1").json
    assert (model.name, list(model.versions), model.platform) == ("named", ["1"], "tensorflow_savedmodel")
    for tensors, expected in ((model.inputs, over_http["inputs"]), (model.outputs, over_http["outputs"])):
        assert [(one.name, one.datatype, list(one.shape)) for one in tensors] == [
            (one["name"], one["datatype"], one["shape"]) for one in expected
        ]
    code, text = failure(site, "ModelMetadata", v2_message("ModelMetadataRequest")(name="nobody"))
    assert (code, text) == (grpc.StatusCode.NOT_FOUND, "Servable not found for request: Latest(nobody)")


def test_the_index_lists_every_version(site: Site) -> None:
    listed = ask(site, "RepositoryIndex", ready=True).models
    expected = site.website.send("POST", "/v2/repository/index", b'{"ready": true}').json
    assert [(one.name, one.version, one.state) for one in listed] == [
        (one["name"], one["version"], one["state"]) for one in expected
    ]
    code, text = failure(site, "RepositoryIndex", v2_message("RepositoryIndexRequest")(repository_name="r"))
    assert (code, "one repository" in text) == (grpc.StatusCode.INVALID_ARGUMENT, True)


def test_a_config_says_what_it_says_over_http(site: Site) -> None:
    config = ask(site, "ModelConfig", name="dense4").config
    over_http = site.website.send("GET", "/v2/models/dense4/config").json
    assert (config.name, config.platform, config.backend) == ("dense4", "tensorflow_savedmodel", "tensorflow")
    assert (config.max_batch_size, config.version_policy.latest.num_versions) == (over_http["max_batch_size"], 1)
    assert config.WhichOneof("scheduling_choice") == "dynamic_batching"
    (tensor,) = config.input
    assert [{"name": tensor.name, "data_type": "TYPE_FP32", "dims": list(tensor.dims)}] == over_http["input"]
    assert tensor.data_type == 11
    code, _ = failure(site, "ModelConfig", v2_message("ModelConfigRequest")(name="nobody"))
    assert code == grpc.StatusCode.NOT_FOUND


def test_statistics_say_what_they_say_over_http(site: Site) -> None:
    send(site, "ModelInfer", infer_request(tensor(1.0, 2.0, 3.0)))
    (found,) = ask(site, "ModelStatistics", name="half_plus_two", version="123").model_stats
    (over_http,) = site.website.send("GET", "/v2/models/half_plus_two/stats").json["model_stats"]
    assert (found.inference_count, found.execution_count) == (
        over_http["inference_count"],
        over_http["execution_count"],
    )
    success = over_http["inference_stats"]["success"]
    assert (found.inference_stats.success.count, found.inference_stats.success.ns) == (success["count"], success["ns"])
    assert 3 in [one.batch_size for one in found.batch_stats]
    assert len(ask(site, "ModelStatistics").model_stats) == 6


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
