"""Inference requests: a body in, the model's answer out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, final

import orjson

from serving.access.identity import NOBODY, Identity
from serving.inference.callers import id_headers
from serving.inference.requests import InferenceRequest, InferenceResult
from serving.inference_v2.infer_requests import ModelInferRequest, read_infer_request
from serving.inference_v2.tensors import ELEMENTS, datatype_of, write_binary, write_json
from serving.models.signatures import element_type_of
from serving.split.routing import Wanted, acquire
from serving.status import InvalidArgument
from serving.transport.http_response import JSON, HttpResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from serving.capture.capture import Caller
    from serving.inference.callers import CallerReader
    from serving.inference.inference import Inference
    from serving.inference_v2.routes import V2Route
    from serving.models.served_version import ServedVersion
    from serving.models.versions import Models
    from serving.transport.body_process import BodyProcess
    from serving.transport.http_request import Headers

    Array = np.ndarray[Any, Any]
    Done = Callable[[HttpResponse | BaseException], None]

BINARY = b"application/octet-stream"
JSON_BYTES_HEADER = b"inference-header-content-length"


@final
class ModelInferResponseWriter:
    """Writes the response to one request; called in the model's thread."""

    def __init__(self, request: ModelInferRequest, served: ServedVersion) -> None:
        self._request = request
        self._model = served.model
        self._version = str(served.number)
        self._json_bytes: int | None = None

    def __call__(self, outputs: Mapping[str, Array]) -> bytes:
        """Write the body. Returns the JSON object and the raw bytes."""
        request = self._request
        described: list[dict[str, Any]] = []
        binary: list[bytes] = []
        for name in request.outputs or outputs:
            value = outputs[name]
            datatype = datatype_of(element_type_of(value).name)
            if datatype not in ELEMENTS:
                raise InvalidArgument(f'output "{name}" is of type {datatype}, which this protocol does not have')
            output: dict[str, Any] = {"name": name, "datatype": datatype, "shape": list(value.shape)}
            as_binary = request.outputs.get(name)
            if request.is_binary if as_binary is None else as_binary:
                binary.append(write_binary(value))
                output["parameters"] = {"binary_data_size": len(binary[-1])}
            else:
                output["data"] = write_json(value, name)
            described.append(output)
        document = {"model_name": self._model, "model_version": self._version, "outputs": described}
        if request.id:
            document["id"] = request.id
        written = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
        self._json_bytes = len(written) if binary else None
        return b"".join((written, *binary)) if binary else written

    def respond(self, body: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> HttpResponse:
        """The HTTP response with the body that was written last, and these headers."""
        if self._json_bytes is None:
            return HttpResponse(200, body, JSON, headers)
        return HttpResponse(200, body, BINARY, (*headers, (JSON_BYTES_HEADER, b"%d" % self._json_bytes)))


class V2Call(NamedTuple):
    """One inference request."""

    route: V2Route
    headers: Headers
    body: bytes
    arrived_us: int
    """Microseconds since 1970."""
    identity: Identity = NOBODY
    """Who sends it."""


@final
class InferEndpoint:
    """Translates HTTP requests to inference requests, and results to HTTP responses."""

    def __init__(
        self, *, models: Models, inference: Inference, callers: CallerReader, bodies: BodyProcess | None = None
    ) -> None:
        self._models = models
        self._inference = inference
        self._callers = callers
        self._bodies = bodies

    @property
    def max_batch_rows(self) -> int:
        """The most rows of requests that share a batch."""
        return self._inference.max_batch_rows

    def start(self, call: V2Call, done: Done) -> None:
        """Answer a call.

        Raises:
            Failure: The request is invalid; ``done`` is not called then.
        """
        size = json_bytes(call.headers)
        if self._bodies is not None and self._bodies.takes(_parsed_size(call.body, size)):
            self._bodies.start(self._start_large(self._bodies, call, size, done), done)
        else:
            self._submit(read_infer_request(call.body, size), call, done)

    async def _start_large(self, bodies: BodyProcess, call: V2Call, size: int | None, done: Done) -> None:
        """As `start`, with a body that is read by another process."""
        asked: list[dict[str, Any]] = []
        _, inputs = await bodies.read("infer", call.body, size, asked.append)
        self._submit(ModelInferRequest(**asked[0], inputs=inputs), call, done)

    def _submit(self, request: ModelInferRequest, call: V2Call, done: Done) -> None:
        """Hand a request to the model."""
        caller = self._callers.read(
            call.headers, arrived_us=call.arrived_us, identity=call.identity, id_of_body=request.id
        )
        wanted = Wanted(call.route.model, call.route.version)
        served, caller = acquire(self._models, wanted, caller, call.headers, request.inputs.get)
        writer = ModelInferResponseWriter(request, served)

        def finish(outcome: InferenceResult | bytes | BaseException) -> None:
            served.release()
            if isinstance(outcome, bytes):
                done(writer.respond(outcome, id_headers(caller)))
            elif isinstance(outcome, BaseException):
                done(outcome)

        is_submitted = False
        try:
            self._inference.submit(make_inference_request(request, served, caller, writer), finish)
            is_submitted = True
        finally:
            if not is_submitted:
                served.release()


def _parsed_size(body: bytes, size: int | None) -> int:
    """The bytes that are read one by one: those of JSON, or all if there are texts among the raw ones, too."""
    return len(body) if size is None or b'"BYTES"' in body[:size] else size


def make_inference_request(
    request: ModelInferRequest, served: ServedVersion, caller: Caller, write: Callable[[Mapping[str, Array]], bytes]
) -> InferenceRequest:
    """Check a request of the protocol against the model's signature."""
    signature = served.runner.signatures.get(request.signature)
    if signature is None:
        names = ", ".join(served.runner.signatures)
        raise InvalidArgument(f"Model {served.model} has no signature {request.signature}, only: {names}")
    for name, element in request.datatypes.items():
        spec = signature.inputs.get(name)
        if spec is not None and spec.element.name != element:
            raise InvalidArgument(
                f'input "{name}": its datatype is {datatype_of(element)}, '
                f"the model takes {datatype_of(spec.element.name)}"
            )
    for name in request.outputs:
        if name not in signature.outputs:
            raise InvalidArgument(f'output "{name}": the model has only: {", ".join(signature.outputs)}')
    inputs = {name: request.inputs[name] for name in signature.inputs if name in request.inputs}
    return InferenceRequest(
        served=served,
        signature=signature,
        # Names that the signature does not have are kept: `Inference` refuses them.
        inputs=inputs if len(inputs) == len(request.inputs) else request.inputs,
        caller=caller,
        outputs=tuple(sorted(request.outputs)),  # sorted: requests that want the same share a batch
        write=write,
        timeout_s=request.timeout_s,
    )


def json_bytes(headers: Headers) -> int | None:
    """The bytes of a body's JSON, before its raw bytes; None if all of it is JSON."""
    value = next((value for name, value in headers if name == JSON_BYTES_HEADER), None)
    if value is None:
        return None
    if not value.isdigit() or len(value) > 18:
        raise InvalidArgument("Inference-Header-Content-Length must be a number of bytes")
    return int(value)
