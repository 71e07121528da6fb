"""Requests and responses of ModelInfer: tensors as raw bytes, or as values in the field of their type.

A message has one form for all of its tensors. FP16 and BF16 have no field, and are raw bytes always.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from serving.grpc_api.v2_messages import v2_message
from serving.inference_v2.infer_requests import (
    ModelInferRequest,
    check_id,
    check_parameters,
    read_element,
    read_shape,
    read_signature_name,
    read_timeout_s,
)
from serving.inference_v2.tensors import ELEMENTS, datatype_of, read_binary, read_typed, write_binary
from serving.models.signatures import element_type_of
from serving.status import InvalidArgument

Array = np.ndarray[Any, Any]

#: The field of each element type, and the numpy type of its values.
FIELDS: Mapping[str, tuple[str, str]] = {
    "bool": ("bool_contents", "bool"),
    "int8": ("int_contents", "int32"),
    "int16": ("int_contents", "int32"),
    "int32": ("int_contents", "int32"),
    "int64": ("int64_contents", "int64"),
    "uint8": ("uint_contents", "uint32"),
    "uint16": ("uint_contents", "uint32"),
    "uint32": ("uint_contents", "uint32"),
    "uint64": ("uint64_contents", "uint64"),
    "float": ("fp32_contents", "float32"),
    "double": ("fp64_contents", "float64"),
    "string": ("bytes_contents", "object"),
}


def read_infer_message(message: Any) -> ModelInferRequest:
    """Read a ``ModelInferRequest`` message. Returns the request; ``is_binary`` if its tensors are raw bytes."""
    parameters = read_parameters(message.parameters, "the request")
    contents = message.raw_input_contents
    if contents and len(contents) != len(message.inputs):
        raise InvalidArgument(f"raw_input_contents has {len(contents)} entries, inputs has {len(message.inputs)}")
    inputs: dict[str, Array] = {}
    datatypes: dict[str, str] = {}
    for index, tensor in enumerate(message.inputs):
        if tensor.name in inputs:
            raise InvalidArgument(f'input "{tensor.name}" comes twice')
        inputs[tensor.name], datatypes[tensor.name] = _read_input(tensor, contents[index] if contents else None)
    return ModelInferRequest(
        id=check_id(message.id),
        signature=read_signature_name(parameters),
        inputs=inputs,
        datatypes=datatypes,
        outputs=_read_outputs(message.outputs),
        is_binary=bool(contents),
        timeout_s=read_timeout_s(parameters),
    )


def read_parameters(parameters: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Read a map of ``InferParameter`` messages."""
    if not parameters:
        return {}
    choices = [(name, parameter, parameter.WhichOneof("parameter_choice")) for name, parameter in parameters.items()]
    values = {name: None if choice is None else getattr(parameter, choice) for name, parameter, choice in choices}
    check_parameters(values, what)
    return values


def write_infer_message(request: ModelInferRequest, model: str, number: int, outputs: Mapping[str, Array]) -> bytes:
    """Write a ``ModelInferResponse``, in the form that the request has. Returns the message's bytes."""
    wanted = {name: outputs[name] for name in request.outputs or outputs}
    elements = {name: element_type_of(value).name for name, value in wanted.items()}
    is_raw = request.is_binary or not FIELDS.keys() >= {*elements.values()}
    response = v2_message("ModelInferResponse")(model_name=model, model_version=str(number), id=request.id)
    for name, value in wanted.items():
        datatype = datatype_of(elements[name])
        if datatype not in ELEMENTS:
            raise InvalidArgument(f'output "{name}" is of type {datatype}, which this protocol does not have')
        tensor = response.outputs.add(name=name, datatype=datatype, shape=value.shape)
        if is_raw:
            response.raw_output_contents.append(write_binary(value))
        else:
            getattr(tensor.contents, FIELDS[elements[name]][0]).extend(value.reshape(-1).tolist())
    return bytes(response.SerializeToString())


def _read_input(tensor: Any, raw: bytes | None) -> tuple[Array, str]:
    """Tensor and element type of one input; ``raw`` is None where its values are in a field."""
    name = tensor.name
    element, shape = read_element(tensor.datatype, name), read_shape(list(tensor.shape), name)
    read_parameters(tensor.parameters, f'input "{name}"')
    filled = [field.name for field, _ in tensor.contents.ListFields()] if tensor.HasField("contents") else []
    if raw is not None:
        if filled:
            raise InvalidArgument(f'input "{name}": its contents are empty where raw_input_contents has them')
        return read_binary(memoryview(raw), shape, element, name), element
    if element not in FIELDS:
        raise InvalidArgument(
            f'input "{name}": {tensor.datatype} has no field of values: send it as raw_input_contents'
        )
    field, stored = FIELDS[element]
    if filled not in ([], [field]):
        raise InvalidArgument(f'input "{name}": {tensor.datatype} belongs in {field}, not in {", ".join(filled)}')
    return read_typed(getattr(tensor.contents, field), stored, shape, element, name), element


def _read_outputs(outputs: Any) -> dict[str, bool | None]:
    wanted: dict[str, bool | None] = {}
    for output in outputs:
        if output.name in wanted:
            raise InvalidArgument(f'output "{output.name}" comes twice')
        read_parameters(output.parameters, f'output "{output.name}"')
        wanted[output.name] = None
    return wanted
