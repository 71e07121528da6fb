"""Metadata and status over gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.serving.grpc_api.conftest import Site


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
