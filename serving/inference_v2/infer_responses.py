"""Bodies of inference responses: one JSON object, and after it the raw bytes of binary outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import orjson

from serving.inference_v2.datatypes import ELEMENTS, datatype_of
from serving.inference_v2.tensors import write_binary, write_json
from serving.models.signatures import element_type_of
from serving.status import InvalidArgument
from serving.transport.http_response import JSON, HttpResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from serving.inference_v2.infer_requests import ModelInferRequest
    from serving.models.served_version import ServedVersion

    Array = np.ndarray[Any, Any]

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
        """Write the body.

        Returns:
            The JSON object and the raw bytes.

        Raises:
            InvalidArgument: The protocol does not have an output's type, or JSON cannot carry a value.
        """
        request = self._request
        described: list[dict[str, Any]] = []
        binary: list[bytes] = []
        for name in request.outputs or outputs:
            value = outputs[name]
            datatype = datatype_of(element_type_of(value).name)
            if datatype not in ELEMENTS:
                raise InvalidArgument(f'output "{name}" is of type {datatype}, which this protocol does not have')
            one: dict[str, Any] = {"name": name, "datatype": datatype, "shape": list(value.shape)}
            own = request.outputs.get(name)
            if request.is_binary if own is None else own:
                binary.append(write_binary(value))
                one["parameters"] = {"binary_data_size": len(binary[-1])}
            else:
                one["data"] = write_json(value, name)
            described.append(one)
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
