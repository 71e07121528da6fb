"""Metadata, status, health and reflection over gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, model_management_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.serving.grpc_api.conftest import OpenSite, Site

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def metadata_request(model: str, *fields: str) -> Any:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = model
    return request


def status_request(model: str, version: int | None = None) -> Any:
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = model
    if version is not None:
        request.model_spec.version.value = version
    return request


def failure(call: Callable[[Any], Any], request: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(request)
    return caught.value.code(), caught.value.details()


def test_metadata_holds_every_signature(site: Site) -> None:
    answer = site.predictions.GetModelMetadata(metadata_request("half_plus_two", "signature_def"))
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    assert {"serving_default", "regress_x_to_y", "classify_x_to_y"} <= set(signatures.signature_def)
    assert signatures.signature_def["serving_default"].inputs["x"].name == "serving_default_x:0"
    spec = answer.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("half_plus_two", 123, "")


def test_metadata_that_cannot_be_given(site: Site) -> None:
    ask, wrong = site.predictions.GetModelMetadata, grpc.StatusCode.INVALID_ARGUMENT
    text = "GetModelMetadataRequest must specify at least one metadata_field"
    assert failure(ask, metadata_request("half_plus_two")) == (wrong, text)
    assert failure(ask, metadata_request("half_plus_two", "X")) == (wrong, "Metadata field X is not supported")
    empty = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    assert failure(ask, empty) == (wrong, "Missing ModelSpec")
    unknown = failure(ask, metadata_request("foo", "signature_def"))
    assert unknown == (grpc.StatusCode.NOT_FOUND, "Servable not found for request: Latest(foo)")


def test_status(site: Site) -> None:
    (one,) = site.model_service.GetModelStatus(status_request("half_plus_two")).model_version_status
    by_zero = site.model_service.GetModelStatus(status_request("half_plus_two", 0))
    assert list(by_zero.model_version_status) == [one], "what some clients send when they want the default"
    available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
    assert (one.version, one.state, one.status.error_code, one.status.error_message) == (123, available, 0, "")
    ask, missing = site.model_service.GetModelStatus, grpc.StatusCode.NOT_FOUND
    assert failure(ask, status_request("foo")) == (missing, "Could not find any versions of model foo")
    text = "Could not find version 7 of model half_plus_two"
    assert failure(ask, status_request("half_plus_two", 7)) == (missing, text)


def test_a_new_list_is_refused_where_the_list_is_fixed(site: Site) -> None:
    code, text = failure(site.model_service.HandleReloadConfigRequest, model_management_pb2.ReloadConfigRequest())
    assert (code, "fixed" in text) == (grpc.StatusCode.UNIMPLEMENTED, True)


@pytest.mark.parametrize("service", ["", "PredictionService", "tensorflow.serving.ModelService"])
def test_health(site: Site, service: str) -> None:
    stub = health_pb2_grpc.HealthStub(site.channel)
    assert stub.Check(health_pb2.HealthCheckRequest(service=service)).status == SERVING
    code, _ = failure(stub.Check, health_pb2.HealthCheckRequest(service="other"))
    assert code == grpc.StatusCode.NOT_FOUND


def test_watchers_are_told_of_the_end_and_do_not_hold_it_up(open_site: OpenSite) -> None:
    with open_site() as site:
        stub = health_pb2_grpc.HealthStub(site.channel)
        watching = stub.Watch(health_pb2.HealthCheckRequest())
        assert next(watching).status == SERVING
        unknown = stub.Watch(health_pb2.HealthCheckRequest(service="other"))
        assert next(unknown).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        site.server.should_exit = True
        assert [one.status for one in watching] == [NOT_SERVING]
        assert list(unknown) == []


def test_reflection_knows_the_services_and_their_methods(site: Site) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(site.channel)
    wanted = "tensorflow.serving.ModelService"
    asked = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=wanted),
    ]
    listed, described = stub.ServerReflectionInfo(iter(asked))
    names = {one.name for one in listed.list_services_response.service}
    assert {wanted, "tensorflow.serving.PredictionService", "grpc.health.v1.Health"} <= names
    assert any(b"GetModelStatus" in file for file in described.file_descriptor_response.file_descriptor_proto)
