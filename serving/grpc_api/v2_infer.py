"""ModelInfer of the Open Inference Protocol: the same requests as over HTTP, as messages."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, final

from serving.grpc_api.v2_tensors import read_infer_message, write_infer_message
from serving.inference_v2.infer import make_inference_request
from serving.inference_v2.routes import read_version

if TYPE_CHECKING:
    from serving.grpc_api.call import GrpcCall
    from serving.inference.inference import Inference
    from serving.models.versions import Models


@final
class ModelInferHandler:
    """Handles ModelInfer."""

    def __init__(self, *, models: Models, inference: Inference) -> None:
        self._models = models
        self._inference = inference

    async def infer(self, message: Any, call: GrpcCall) -> bytes:
        """Answer a ``ModelInferRequest``.

        Returns:
            The bytes of a ``ModelInferResponse``.

        Raises:
            Failure: The request is invalid, or the model fails.
        """
        with self._models.lease(message.model_name, read_version(message.model_version)) as served:
            request = read_infer_message(message)
            write = partial(write_infer_message, request, served.model, served.number)
            inference_request = make_inference_request(request, served, call.caller, write)
            deadlines = [one for one in (request.timeout_s, call.timeout_s) if one is not None]
            return await self._inference.infer_body(
                replace(inference_request, timeout_s=min(deadlines) if deadlines else None)
            )
