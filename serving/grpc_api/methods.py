"""The methods of all services, and their handlers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from serving.access.guard import Guard
from serving.access.tokens import Scope
from serving.grpc_api.examples import ClassifyHandler, MultiInferenceHandler, RegressHandler
from serving.grpc_api.model_info import ModelInfoHandler
from serving.grpc_api.predict import PredictHandler
from serving.grpc_api.reload import ReloadHandler
from serving.grpc_api.starts import by_coroutine, by_inference
from serving.grpc_api.v2_control import ModelControlHandler
from serving.grpc_api.v2_infer import ModelInferHandler
from serving.grpc_api.v2_messages import V2_SERVICE, v2_message
from serving.grpc_api.v2_models import ModelPagesHandler
from serving.inference_v2.model_control import ModelControl
from serving.inference_v2.model_statistics import ModelStatistics
from serving.transport.limits import HELD_BYTES, ConnectionLimiter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from serving.access.reload_policy import ReloadPolicy
    from serving.grpc_api.call import GrpcCall
    from serving.grpc_api.starts import Start
    from serving.inference.inference import Inference
    from serving.inference.timestamps import EventTimeRange
    from serving.inference_v2.model_statistics import MergeStatistics
    from serving.metrics.metrics import ServerMetrics
    from serving.models.reloading import Reload
    from serving.models.versions import Models

    Services = dict[str, tuple["GrpcMethod", ...]]

PREDICTION_SERVICE = "tensorflow.serving.PredictionService"
MODEL_SERVICE = "tensorflow.serving.ModelService"


def default_limiter() -> ConnectionLimiter:
    """The limiter of a server without HTTP; gRPC limits its connections itself."""
    return ConnectionLimiter(max_connections=0, max_held_bytes=HELD_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcDependencies:
    """The services that the handlers call."""

    models: Models
    inference: Inference
    metrics: ServerMetrics
    reload: Reload | None = None
    """Applies another list of models; None if the list is fixed."""
    reload_policy: ReloadPolicy | None = None
    """Which lists clients may send; None for none."""
    control: ModelControl = field(default_factory=ModelControl)
    """Loads and unloads single models."""
    guard: Guard = field(default_factory=Guard)
    """Checks tokens."""
    event_times: EventTimeRange | None = None
    """Which event times clients may give; None for any."""
    merge_statistics: MergeStatistics | None = None
    """Adds up several processes' statistics of versions; None for a single one."""
    limiter: ConnectionLimiter = field(default_factory=default_limiter)
    """Counts the bytes of all requests that are being answered, over HTTP and gRPC together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcMethod:
    """One method of a service."""

    name: str
    request: Any
    """The class of request messages."""
    response: Any
    """The class of response messages."""
    start: Start
    """Starts the answer to a request."""
    scope: Scope | None = Scope.PREDICT
    """What a client must be allowed; None for anybody, as of probes of the server's health."""
    is_counted: bool = True
    """Whether the metrics count its calls: those of methods that run a model."""


def make_services(dependencies: GrpcDependencies, limit_bytes: int) -> Services:
    """Make the services. Imports TensorFlow, whose messages the services use.

    Args:
        limit_bytes: The most bytes of the tensors of one request, decoded.

    Returns:
        The methods of each service, by its full name.
    """
    models, inference = dependencies.models, dependencies.inference
    classify, regress = ClassifyHandler(models), RegressHandler(models)
    multi_inference = MultiInferenceHandler(models=models, inference=inference)
    model_info = ModelInfoHandler(models=models)
    reload = ReloadHandler(reload=dependencies.reload, policy=dependencies.reload_policy, guard=dependencies.guard)
    return {
        PREDICTION_SERVICE: (
            _method("Predict", "predict.Predict", by_inference(inference, PredictHandler(models, limit_bytes))),
            _method("Classify", "classification.Classification", by_inference(inference, classify)),
            _method("Regress", "regression.Regression", by_inference(inference, regress)),
            _method("MultiInference", "inference.MultiInference", by_coroutine(multi_inference.answer)),
            _method(
                "GetModelMetadata",
                "get_model_metadata.GetModelMetadata",
                by_coroutine(model_info.metadata),
                is_counted=False,
            ),
        ),
        MODEL_SERVICE: (
            _method(
                "GetModelStatus", "get_model_status.GetModelStatus", by_coroutine(model_info.status), is_counted=False
            ),
            replace(
                _method(
                    "HandleReloadConfigRequest",
                    "model_management.ReloadConfig",
                    by_coroutine(reload.reload),
                    is_counted=False,
                ),
                scope=Scope.RELOAD,
            ),
        ),
        V2_SERVICE: _v2_methods(dependencies),
    }


def _v2_methods(dependencies: GrpcDependencies) -> tuple[GrpcMethod, ...]:
    """The Open Inference Protocol's methods, and those of Triton's extensions."""
    infer = by_inference(dependencies.inference, ModelInferHandler(dependencies.models))
    control = ModelControlHandler(dependencies.control)
    pages = ModelPagesHandler(
        models=dependencies.models,
        max_batch_rows=dependencies.inference.max_batch_rows,
        statistics=ModelStatistics(dependencies.models, dependencies.merge_statistics),
    )
    return (
        _v2_method("ServerLive", pages.server_live, None),
        _v2_method("ServerReady", pages.server_ready, None),
        _v2_method("ModelReady", pages.model_ready),
        _v2_method("ServerMetadata", pages.server_metadata),
        _v2_method("ModelMetadata", pages.model_metadata),
        _v2_start("ModelInfer", infer, is_counted=True),
        _v2_method("ModelConfig", pages.model_config),
        _v2_method("ModelStatistics", pages.model_statistics),
        _v2_method("RepositoryIndex", pages.index),
        _v2_method("RepositoryModelLoad", control.load, Scope.RELOAD),
        _v2_method("RepositoryModelUnload", control.unload, Scope.RELOAD),
    )


def _v2_method(
    name: str, answer: Callable[[Any, GrpcCall], Awaitable[Any]], scope: Scope | None = Scope.PREDICT
) -> GrpcMethod:
    return replace(_v2_start(name, by_coroutine(answer)), scope=scope)


def _v2_start(name: str, start: Start, *, is_counted: bool = False) -> GrpcMethod:
    request, response = v2_message(f"{name}Request"), v2_message(f"{name}Response")
    return GrpcMethod(name=name, request=request, response=response, start=start, is_counted=is_counted)


def _method(name: str, messages: str, start: Start, *, is_counted: bool = True) -> GrpcMethod:
    """``messages`` is the file and the common stem of the request's and the response's names."""
    file, _, stem = messages.partition(".")
    module = import_module(f"tensorflow_serving.apis.{file}_pb2")
    request, response = getattr(module, f"{stem}Request"), getattr(module, f"{stem}Response")
    return GrpcMethod(name=name, request=request, response=response, start=start, is_counted=is_counted)
