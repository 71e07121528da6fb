"""Services are described in a pool of their own, where reflection finds them."""

from __future__ import annotations

import pytest
from google.protobuf import descriptor_pool
from tensorflow_serving.apis import get_model_status_pb2, predict_pb2

from serving.grpc_api.descriptors import describe
from serving.grpc_api.methods import GrpcMethod
from serving.grpc_api.starts import by_coroutine


async def unused(_: object, __: object) -> bytes:
    raise AssertionError


def method(name: str, kind: str, module: object) -> GrpcMethod:
    request, response = getattr(module, f"{kind}Request"), getattr(module, f"{kind}Response")
    return GrpcMethod(name=name, request=request, response=response, start=by_coroutine(unused))


def test_a_service_is_found_by_its_name_with_its_methods() -> None:
    predict = method("Predict", "Predict", predict_pb2)
    status = method("Status", "GetModelStatus", get_model_status_pb2)
    pool = describe({"tests.described.One": (predict, status), "tests.described.Other": (predict,)})
    service = pool.FindServiceByName("tests.described.One")
    assert [one.name for one in service.methods] == ["Predict", "Status"]
    found = service.FindMethodByName("Status")
    assert found.input_type.full_name == "tensorflow.serving.GetModelStatusRequest"
    assert found.output_type.full_name == "tensorflow.serving.GetModelStatusResponse"
    assert [one.name for one in pool.FindServiceByName("tests.described.Other").methods] == ["Predict"]
    for name in ("grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"):
        assert pool.FindServiceByName(name).methods


def test_nothing_is_added_to_the_pool_of_the_process() -> None:
    describe({"tests.described.Third": (method("Predict", "Predict", predict_pb2),)})
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindServiceByName("tests.described.Third")
