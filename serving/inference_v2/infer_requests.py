"""Inference requests; and their bodies over HTTP: one JSON object, and after it the raw bytes of binary inputs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from serving.inference.callers import REQUEST_ID
from serving.inference_v2.tensors import ELEMENTS, MAX_RANK, read_binary, read_json
from serving.models.signatures import DEFAULT_SIGNATURE
from serving.status import InvalidArgument
from serving.transport.json_parsing import parse_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from serving.transport.body_process import Ask

    Array = np.ndarray[Any, Any]

REFUSED = {"shared_memory_region": "Shared memory", "classification": "The classification extension"}


def check_parameters(parameters: Mapping[str, Any], what: str) -> None:
    """Refuse parameters of extensions that are not offered."""
    for name, feature in REFUSED.items():
        if name in parameters:
            raise InvalidArgument(f"{what}: {feature} ({name}) is not offered by this server")


def read_signature_name(parameters: Mapping[str, Any]) -> str:
    """The signature that a request asks for.

    >>> read_signature_name({}), read_signature_name({"signature_name": "other"})
    ('serving_default', 'other')
    """
    return read_text(parameters, "signature_name") or DEFAULT_SIGNATURE


def read_timeout_s(parameters: Mapping[str, Any]) -> float | None:
    """The deadline that a request asks for. Returns seconds; None for the server's.

    >>> read_timeout_s({}), read_timeout_s({"timeout": 250_000})
    (None, 0.25)
    """
    value = parameters.get("timeout", 0)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise InvalidArgument('"timeout" must be an integer number of microseconds')
    return value / 1e6 if value else None


def read_flag(parameters: Mapping[str, Any], name: str) -> bool | None:
    """A parameter that is true, false, or None if it is not there. Raises `InvalidArgument` for another value."""
    value = parameters.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidArgument(f'"{name}" must be true or false')
    return value


def read_text(owner: Mapping[str, Any], name: str) -> str:
    """A text; empty if it is not there. Raises `InvalidArgument` for another value."""
    value = owner.get(name, "")
    if not isinstance(value, str):
        raise InvalidArgument(f'"{name}" must be a string')
    return value


def check_id(request_id: str) -> str:
    """Check the id that a client gives its request. Returns the id; empty if there is none.

    Raises:
        InvalidArgument: It cannot be an id of the traffic log.
    """
    if request_id and not REQUEST_ID.fullmatch(request_id.encode("utf-8", "surrogatepass")):
        raise InvalidArgument('"id" must be 1 to 128 visible ASCII characters without spaces')
    return request_id


LARGEST_SIZE = 2**31 - 1


def read_large(body: bytes, facts: Any, ask: Ask) -> tuple[None, Mapping[str, Array]]:
    """Read a body, of whose JSON the facts are the size, and ask for no more than that it is wanted.

    Implements `serving.transport.body_process.Reader`.
    """
    request = read_infer_request(body, facts)
    ask({member.name: getattr(request, member.name) for member in fields(request) if member.name != "inputs"})
    return None, request.inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInferRequest:
    """An inference request."""

    id: str
    """Empty if the request has none."""
    signature: str
    inputs: Mapping[str, Array]
    datatypes: Mapping[str, str]
    """The element type of each input, as the client declares it."""
    outputs: Mapping[str, bool | None]
    """The wanted outputs in the client's order, and whether as raw bytes; empty for all."""
    is_binary: bool
    """Whether outputs are raw bytes unless they say otherwise."""
    timeout_s: float | None


def read_infer_request(body: bytes, json_bytes: int | None) -> ModelInferRequest:
    """Read a request.

    Args:
        body: JSON, and raw bytes after it.
        json_bytes: The size of the JSON; None if the whole body is JSON.
    """
    if json_bytes is not None and json_bytes > len(body):
        raise InvalidArgument(f"Inference-Header-Content-Length is {json_bytes}, the body has {len(body)} bytes")
    size = len(body) if json_bytes is None else json_bytes
    document = parse_object(body if size == len(body) else body[:size])
    parameters = _parameters(document, "the request")
    entries = document.get("inputs", [])
    if not isinstance(entries, list):
        raise InvalidArgument('"inputs" must be a list of objects')
    inputs: dict[str, Array] = {}
    datatypes: dict[str, str] = {}
    rest = memoryview(body)[size:]
    for entry in entries:
        name, element, tensor, rest = _read_input(entry, rest)
        if name in inputs:
            raise InvalidArgument(f'input "{name}" comes twice')
        inputs[name], datatypes[name] = tensor, element
    if rest:
        raise InvalidArgument(f"the body has {len(rest)} bytes that belong to no input")
    return ModelInferRequest(
        id=check_id(read_text(document, "id")),
        signature=read_signature_name(parameters),
        inputs=inputs,
        datatypes=datatypes,
        outputs=_read_outputs(document),
        is_binary=read_flag(parameters, "binary_data_output") or False,
        timeout_s=read_timeout_s(parameters),
    )


def _read_input(entry: Any, rest: memoryview) -> tuple[str, str, Array, memoryview]:
    """Name, element type and tensor of one input, and the raw bytes after its own."""
    name = _name(entry, "inputs")
    element, shape = read_element(entry.get("datatype"), name), read_shape(entry.get("shape"), name)
    size = _parameters(entry, f'input "{name}"').get("binary_data_size")
    if size is None:
        data = entry.get("data")
        if not isinstance(data, list):
            raise InvalidArgument(f'input "{name}": "data" must be a list, unless "binary_data_size" says where it is')
        return name, element, read_json(data, shape, element, name), rest
    if "data" in entry or not _is_size(size) or size > len(rest):
        raise InvalidArgument(
            f'input "{name}": "binary_data_size" must be a number of bytes that the body has left ({len(rest)}), '
            'and no "data" beside it'
        )
    return name, element, read_binary(rest[:size], shape, element, name), rest[size:]


def read_element(datatype: Any, name: str) -> str:
    """The element type that a client declares."""
    element = ELEMENTS.get(datatype) if isinstance(datatype, str) else None
    if element is None:
        raise InvalidArgument(f'input "{name}": "datatype" must be one of {", ".join(ELEMENTS)}')
    return element


def read_shape(shape: Any, name: str) -> list[int]:
    """The shape that a client declares. Returns the shape."""
    if not isinstance(shape, list) or len(shape) > MAX_RANK or not all(map(_is_size, shape)):
        raise InvalidArgument(f'input "{name}": "shape" must be a list of at most {MAX_RANK} integers from 0 to 2^31-1')
    return shape


def _read_outputs(document: Mapping[str, Any]) -> dict[str, bool | None]:
    wanted: dict[str, bool | None] = {}
    outputs = document.get("outputs", [])
    if not isinstance(outputs, list):
        raise InvalidArgument('"outputs" must be a list of objects')
    for entry in outputs:
        name = _name(entry, "outputs")
        if name in wanted:
            raise InvalidArgument(f'output "{name}" comes twice')
        wanted[name] = read_flag(_parameters(entry, f'output "{name}"'), "binary_data")
    return wanted


def _name(entry: Any, member: str) -> str:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise InvalidArgument(f'"{member}" must be a list of objects, each with a "name"')
    return str(entry["name"])


def _parameters(owner: Mapping[str, Any], what: str) -> Mapping[str, Any]:
    parameters = owner.get("parameters", {})
    if not isinstance(parameters, dict):
        raise InvalidArgument(f'{what}: "parameters" must be an object')
    check_parameters(parameters, what)
    return parameters


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_SIZE
