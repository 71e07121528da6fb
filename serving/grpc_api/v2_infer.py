"""ModelInfer of the Open Inference Protocol: the same requests as over HTTP, as messages."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, final

from serving.grpc_api.tensors import size_of
from serving.grpc_api.v2_tensors import read_infer_message, write_infer_message
from serving.inference_v2.infer import make_inference_request
from serving.inference_v2.routes import read_version
from serving.split.routing import Wanted, acquire

if TYPE_CHECKING:
    from serving.grpc_api.call import GrpcCall
    from serving.inference.requests import InferenceRequest
    from serving.models.served_version import ServedVersion
    from serving.models.versions import Models


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
        """Read a ``ModelInferRequest``.

        Returns:
            What is asked, with what writes the bytes of a ``ModelInferResponse``.

        Raises:
            Failure: The request is invalid.
        """
        request = read_infer_message(message)
        call.hold(size_of(request.inputs.values()))
        write = partial(write_infer_message, request, served.model, served.number)
        deadlines = [time_s for time_s in (request.timeout_s, call.timeout_s) if time_s is not None]
        return replace(
            make_inference_request(request, served, call.caller, write), timeout_s=min(deadlines) if deadlines else None
        )
