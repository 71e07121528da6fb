"""The methods of both services, and who answers them."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from serving.grpc_api.descriptions import ModelInfoHandler
from serving.grpc_api.examples import ExampleHandler
from serving.grpc_api.model_lists import ReloadHandler
from serving.grpc_api.predictions import PredictHandler
from serving.transport.limits import HELD_BYTES, ConnectionLimiter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from serving.grpc_api.call import GrpcCall
    from serving.inference.inference import Inference
    from serving.metrics.metrics import Metrics
    from serving.models.reloading import Reload
    from serving.models.versions import Models

    Services = dict[str, tuple["GrpcMethod", ...]]

PREDICTION_SERVICE = "tensorflow.serving.PredictionService"
MODEL_SERVICE = "tensorflow.serving.ModelService"


def usual_crowd() -> ConnectionLimiter:
    """Of a server without REST, whose connections nobody counts."""
    return ConnectionLimiter(most=0, most_held=HELD_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcDependencies:
    """What the dialect stands on."""

    models: Models
    inference: Inference
    metrics: Metrics
    reload: Reload | None = None
    """Takes another list of models; None where the list is fixed."""
    crowd: ConnectionLimiter = field(default_factory=usual_crowd)
    """Counts the bytes of all requests that are being answered, those of REST too where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcMethod:
    """One method of a service."""

    name: str
    request: Any
    """Class of its request messages."""
    response: Any
    """Class of its response messages."""
    answer: Callable[[Any, GrpcCall], Awaitable[Any]]
    """Gives the response's message, or its bytes where it was written beside the model."""
    is_counted: bool = True
    """Whether the metrics count it, as they do what runs a model."""


def make_services(rooms: GrpcDependencies, limit_bytes: int) -> Services:
    """Both services by their full names. Imports TensorFlow, whose messages theirs are made of."""
    predictions = PredictHandler(models=rooms.models, inference=rooms.inference, limit_bytes=limit_bytes)
    examples = ExampleHandler(models=rooms.models, inference=rooms.inference)
    about = ModelInfoHandler(models=rooms.models)
    lists = ReloadHandler(reload=rooms.reload)
    return {
        PREDICTION_SERVICE: (
            _method("Predict", "predict.Predict", predictions.predict),
            _method("Classify", "classification.Classification", examples.classify),
            _method("Regress", "regression.Regression", examples.regress),
            _method("MultiInference", "inference.MultiInference", examples.several),
            _method("GetModelMetadata", "get_model_metadata.GetModelMetadata", about.metadata, is_counted=False),
        ),
        MODEL_SERVICE: (
            _method("GetModelStatus", "get_model_status.GetModelStatus", about.status, is_counted=False),
            _method("HandleReloadConfigRequest", "model_management.ReloadConfig", lists.reload, is_counted=False),
        ),
    }


def _method(
    name: str, messages: str, answer: Callable[[Any, GrpcCall], Awaitable[Any]], *, is_counted: bool = True
) -> GrpcMethod:
    """``messages`` is the file and the common stem of request and response."""
    file, _, stem = messages.partition(".")
    module = import_module(f"tensorflow_serving.apis.{file}_pb2")
    request, response = getattr(module, f"{stem}Request"), getattr(module, f"{stem}Response")
    return GrpcMethod(name=name, request=request, response=response, answer=answer, is_counted=is_counted)
