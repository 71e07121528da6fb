"""Predict: named tensors in, named tensors out, in TensorFlow Serving's order of checks (``predict_util.cc``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from typing import Any, final

import numpy as np

from serving.grpc_api.call import GrpcCall, read_model_spec, write_spec
from serving.grpc_api.tensors import ShortForms, decode, delimited, size_of, tensor_parts, varint
from serving.inference.inference import check_names
from serving.inference.requests import InferenceRequest
from serving.models.served_version import ServedVersion
from serving.models.signatures import DEFAULT_SIGNATURE, Signature
from serving.models.versions import Models
from serving.status import Code, Failure, InvalidArgument

Array = np.ndarray[Any, Any]


@final
class PredictHandler:
    """Translates Predict: an `serving.grpc_api.starts.InferenceHandler`.

    Args:
        limit_bytes: The most bytes of the tensors of one request, decoded.
    """

    def __init__(self, models: Models, limit_bytes: int) -> None:
        self._models = models
        self._limit_bytes = limit_bytes

    def acquire(self, request: Any, call: GrpcCall) -> tuple[ServedVersion, GrpcCall]:
        """The version that answers a ``PredictRequest``, leased. Raises `Failure`."""

        def values_of(name: str) -> Any:
            if name not in request.inputs:
                return None
            return decode(name, request.inputs[name], self._limit_bytes, ShortForms())

        return read_model_spec(request).acquire(self._models, call, values_of)

    def prepare(self, request: Any, served: ServedVersion, call: GrpcCall) -> InferenceRequest:
        """Read a ``PredictRequest``. Returns what is asked, with what writes the bytes of a ``PredictResponse``."""
        name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        signature = served.runner.signatures.get(name)
        if signature is None:
            raise Failure(Code.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.')
        request_inputs, expected = request.inputs, signature.inputs
        defaults = served.runner.signature_definitions[signature.name].defaults
        if len(request_inputs) > len(expected) or (len(request_inputs) < len(expected) and not defaults):
            check_names(
                InferenceRequest(served=served, signature=signature, inputs=dict(request_inputs), caller=call.caller)
            )
        short_forms = ShortForms()
        inputs = read_inputs(request_inputs, signature, defaults, self._limit_bytes, short_forms)
        call.hold(size_of(inputs.values()))
        return InferenceRequest(
            served=served,
            signature=signature,
            inputs=inputs,
            caller=call.caller,
            outputs=read_filter(request.output_filter, signature),
            write=short_forms.bounded(partial(write_response, served.model, served.number, signature.name)),
            timeout_s=call.timeout_s,
        )


def read_inputs(
    request_inputs: Mapping[str, Any],
    signature: Signature,
    defaults: Mapping[str, Any],
    limit_bytes: int,
    short_forms: ShortForms,
) -> dict[str, Array]:
    """Decode the inputs of a request.

    Args:
        request_inputs: ``TensorProto`` messages by input name.
        defaults: ``TensorProto`` messages of inputs that may be missing.
        limit_bytes: The most bytes of all inputs.
    """
    inputs: dict[str, Array] = {}
    left = limit_bytes
    for name, spec in signature.inputs.items():
        source = request_inputs if name in request_inputs else defaults
        if name not in source:
            raise InvalidArgument(
                f"Signature input alias: {name}(feed name: {spec.graph_name}) not found in request and no default "
                f"value provided. Inputs expected to be in the request {{{_joined(request_inputs)}}}, or default input "
                f"alias set: {_joined(defaults)}"
            )
        inputs[name] = decode(name, source[name], left, short_forms)
        left -= inputs[name].nbytes
    return inputs


def write_response(model: str, number: int, signature: str, outputs: Mapping[str, Array]) -> bytes:
    """Write a ``PredictResponse``: outputs by name in field 1, the model's spec in field 2. Returns its bytes."""
    parts: list[bytes | memoryview] = []
    for name, value in outputs.items():
        tensor = tensor_parts(value)
        size = sum(map(len, tensor))
        key = b"%b\x12%b" % (delimited(b"\x0a", name.encode()), varint(size))
        parts += (b"\x0a", varint(len(key) + size), key, *tensor)
    return b"".join((*parts, _written_spec(model, number, signature)))


@lru_cache(maxsize=256)
def _written_spec(model: str, number: int, signature: str) -> bytes:
    from tensorflow_serving.apis.predict_pb2 import PredictResponse  # noqa: PLC0415 - imports TensorFlow

    response = PredictResponse()
    write_spec(response.model_spec, model, number, signature)
    return bytes(response.SerializeToString())


def read_filter(names: Iterable[str], signature: Signature) -> tuple[str, ...]:
    """Read an ``output_filter``. Returns the wanted outputs; empty for all."""
    wanted: list[str] = []
    for name in names:
        if name not in signature.outputs:
            raise InvalidArgument(
                f"output tensor alias not found in signature: {name} "
                f"Outputs expected to be in the set {{{_joined(signature.outputs)}}}."
            )
        if name in wanted:
            raise InvalidArgument(f"duplicate output tensor alias: {name}")
        wanted.append(name)
    return tuple(sorted(wanted))  # sorted: requests that want the same share a batch


def _joined(names: Iterable[str]) -> str:
    return ",".join(sorted(names))
