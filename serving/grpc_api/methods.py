"""The methods of all services, and their handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, final

from serving.access.guard import Guard
from serving.access.reload_policy import ReloadPolicy
from serving.access.tokens import Scope
from serving.grpc_api.call import GrpcCall, read_model_spec, read_spec, write_spec
from serving.grpc_api.examples import ClassifyHandler, MultiInferenceHandler, RegressHandler
from serving.grpc_api.predict import PredictHandler
from serving.grpc_api.starts import Start, by_coroutine, by_inference
from serving.grpc_api.tensors import size_of
from serving.grpc_api.v2_messages import V2_SERVICE, v2_message
from serving.grpc_api.v2_models import ModelControlHandler, ModelPagesHandler
from serving.grpc_api.v2_tensors import read_infer_message, write_infer_message
from serving.inference.inference import Inference
from serving.inference.requests import InferenceRequest
from serving.inference.timestamps import EventTimeRange
from serving.inference_v2.descriptions import ModelStatistics
from serving.inference_v2.infer import make_inference_request
from serving.inference_v2.model_control import ModelControl
from serving.inference_v2.routes import read_version
from serving.metrics.metrics import ServerMetrics
from serving.models.served_version import ServedVersion
from serving.models.versions import Models
from serving.split.routing import Wanted, acquire
from serving.status import Code, Failure, InvalidArgument

if TYPE_CHECKING:
    from serving.inference_v2.descriptions import MergeStatistics
    from serving.models.reloading import Reload

Services = dict[str, tuple["GrpcMethod", ...]]

SIGNATURES = "signature_def"


@final
class ModelInfoHandler:
    """Handles requests about models."""

    def __init__(self, *, models: Models) -> None:
        from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2  # noqa: PLC0415 - imports TensorFlow

        self._models = models
        self._metadata = get_model_metadata_pb2
        self._status = get_model_status_pb2

    async def metadata(self, request: Any, _: GrpcCall) -> Any:
        """Answer a ``GetModelMetadataRequest``."""
        if not request.HasField("model_spec"):
            raise InvalidArgument("Missing ModelSpec")
        if not request.metadata_field:
            raise InvalidArgument("GetModelMetadataRequest must specify at least one metadata_field")
        for name in request.metadata_field:
            if name != SIGNATURES:
                raise InvalidArgument(f"Metadata field {name} is not supported")
        response = self._metadata.GetModelMetadataResponse()
        with read_model_spec(request).lease(self._models) as served:
            write_spec(response.model_spec, served.model, served.number)
            signatures = self._metadata.SignatureDefMap()
            for name, definition in served.runner.signature_definitions.items():
                signatures.signature_def[name].CopyFrom(definition)
            response.metadata[SIGNATURES].Pack(signatures)
        return response

    async def status(self, request: Any, _: GrpcCall) -> Any:
        """Answer a ``GetModelStatusRequest``; a label in it is ignored."""
        if not request.HasField("model_spec"):
            raise InvalidArgument("Missing ModelSpec")
        wanted = read_spec(request.model_spec)
        response = self._status.GetModelStatusResponse()
        for version_status in self._models.statuses(wanted.model, wanted.version):
            added = response.model_version_status.add(
                version=version_status.number, state=self._status.ModelVersionStatus.State.Value(version_status.state)
            )
            added.status.error_code = int(version_status.code)
            added.status.error_message = version_status.message
        return response


@final
class ReloadHandler:
    """Handles requests to serve another list of models.

    Args:
        reload: Applies a list; None if the list is fixed.
        policy: Which lists clients may send; None for none.
    """

    def __init__(self, *, reload: Reload | None, policy: ReloadPolicy | None, guard: Guard | None = None) -> None:
        from tensorflow_serving.apis import model_management_pb2  # noqa: PLC0415 - imports TensorFlow

        self._reload = reload
        self._policy = policy
        self._guard = guard or Guard()
        self._response = model_management_pb2.ReloadConfigResponse

    async def reload(self, request: Any, call: GrpcCall) -> Any:
        """Answer a ``ReloadConfigRequest`` when every model of the list is available."""
        if self._reload is None:
            raise Failure(Code.UNIMPLEMENTED, "This server's list of models is fixed.")
        if self._policy is None:
            raise Failure(
                Code.PERMISSION_DENIED,
                "This server takes no list of models from clients: it was started without --allow-reload.",
            )
        outcome = Code.OK
        try:
            self._policy.check(request.config)
            await self._reload(request.config)
        except Failure as failure:
            outcome = failure.code
            raise
        finally:
            models = len(request.config.model_config_list.config)
            self._guard.record("reload", call.who, models=models, status=outcome.name)
        response = self._response()
        response.status.error_code = 0
        response.status.error_message = ""
        return response


@final
class ModelInferHandler:
    """Translates ModelInfer: an `serving.grpc_api.starts.InferenceHandler`."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def acquire(self, message: Any, call: GrpcCall) -> tuple[ServedVersion, GrpcCall]:
        """The version that answers a ``ModelInferRequest``, leased. Raises `Failure`."""
        wanted = Wanted(message.model_name, read_version(message.model_version))
        served, caller = acquire(
            self._models,
            wanted,
            call.caller,
            call.metadata,
            lambda name: read_infer_message(message).inputs.get(name),  # noqa: PLW0108 - read only where it is needed
        )
        return served, call if caller is call.caller else call._replace(caller=caller)

    def prepare(self, message: Any, served: ServedVersion, call: GrpcCall) -> InferenceRequest:
        """Read a ``ModelInferRequest``. Returns it with what writes the bytes of a ``ModelInferResponse``."""
        request = read_infer_message(message)
        call.hold(size_of(request.inputs.values()))
        write = partial(write_infer_message, request, served.model, served.number)
        deadlines = [time_s for time_s in (request.timeout_s, call.timeout_s) if time_s is not None]
        return replace(
            make_inference_request(request, served, call.caller, write), timeout_s=min(deadlines) if deadlines else None
        )


PREDICTION_SERVICE = "tensorflow.serving.PredictionService"
MODEL_SERVICE = "tensorflow.serving.ModelService"


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
