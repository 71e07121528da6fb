"""The services have TensorFlow Serving's and the Open Inference Protocol's methods with their messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from serving.capture.capture import Capture
from serving.grpc_api.methods import (
    MODEL_SERVICE,
    PREDICTION_SERVICE,
    GrpcDependencies,
    default_limiter,
    make_services,
)
from serving.inference.inference import Inference
from serving.metrics.metrics import ServerMetrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serving.grpc_api.methods import Services
    from serving.models.versions import Models


@pytest.fixture
def services(models: Models) -> Iterator[Services]:
    inference = Inference(capture=Capture(None))
    yield make_services(GrpcDependencies(models=models, inference=inference, metrics=ServerMetrics()), 1 << 20)
    inference.close()


def test_every_method_of_the_stubs_is_offered(services: Services) -> None:
    for name, servicer in (
        (PREDICTION_SERVICE, prediction_service_pb2_grpc.PredictionServiceServicer),
        (MODEL_SERVICE, model_service_pb2_grpc.ModelServiceServicer),
    ):
        theirs = {method for method in vars(servicer) if not method.startswith("_")}
        assert {method.name for method in services[name]} == theirs


def test_messages_are_named_as_the_methods(services: Services) -> None:
    names = {
        method.name: (method.request.DESCRIPTOR.name, method.response.DESCRIPTOR.name)
        for methods in services.values()
        for method in methods
    }
    assert names["Predict"] == ("PredictRequest", "PredictResponse")
    assert names["ModelInfer"] == ("ModelInferRequest", "ModelInferResponse")
    assert names["Classify"] == ("ClassificationRequest", "ClassificationResponse")
    assert names["HandleReloadConfigRequest"] == ("ReloadConfigRequest", "ReloadConfigResponse")


def test_metrics_count_the_methods_that_run_a_model(services: Services) -> None:
    counted = {method.name for methods in services.values() for method in methods if method.is_counted}
    assert counted == {"Predict", "Classify", "Regress", "MultiInference", "ModelInfer"}


def test_without_http_only_bytes_are_limited() -> None:
    limiter = default_limiter()
    assert limiter.hold_bytes(256 << 20)
    assert not limiter.hold_bytes(1)
