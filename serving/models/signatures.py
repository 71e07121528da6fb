"""Signatures of models: named input and output tensors with element types and shapes, as in a SignatureDef."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from serving.models.named_tensors import TensorTypes

DEFAULT_SIGNATURE = "serving_default"


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementType:
    """One element type with its names in TensorFlow, protobuf and numpy.

    >>> ELEMENT_TYPES[1].name, ELEMENT_TYPES[1].proto, ELEMENT_TYPES[1].numpy
    ('float', 'DT_FLOAT', dtype('float32'))
    """

    number: int
    """Value of the protobuf enum ``tensorflow.DataType``."""
    name: str
    """TensorFlow's name, for example ``float``."""
    numpy: np.dtype[Any] | None
    """None where numpy has no such type of its own."""

    @property
    def proto(self) -> str:
        """The enum's name in protobuf's JSON, for example ``DT_FLOAT``."""
        return f"DT_{self.name.upper()}"


# Numbers and names: tensorflow/core/framework/types.proto and types.cc.
ELEMENT_TYPES: Mapping[int, ElementType] = {
    number: ElementType(number=number, name=name, numpy=None if numpy is None else np.dtype(numpy))
    for number, name, numpy in (
        (1, "float", "float32"),
        (2, "double", "float64"),
        (3, "int32", "int32"),
        (4, "uint8", "uint8"),
        (5, "int16", "int16"),
        (6, "int8", "int8"),
        (7, "string", "object"),
        (8, "complex64", "complex64"),
        (9, "int64", "int64"),
        (10, "bool", "bool"),
        (14, "bfloat16", None),
        (17, "uint16", "uint16"),
        (18, "complex128", "complex128"),
        (19, "half", "float16"),
        (22, "uint32", "uint32"),
        (23, "uint64", "uint64"),
    )
}
ELEMENT_TYPES_BY_NAME: Mapping[str, ElementType] = {kind.name: kind for kind in ELEMENT_TYPES.values()}
ELEMENT_TYPES_BY_NUMPY: Mapping[np.dtype[Any], ElementType] = {
    kind.numpy: kind for kind in ELEMENT_TYPES.values() if kind.numpy is not None
}


def element_type_of(array: np.ndarray[Any, Any]) -> ElementType:
    """Find the element type of an output array.

    >>> element_type_of(np.zeros(2, np.int64)).name
    'int64'

    Returns:
        The type; its ``number`` is 0 if it is not numpy's own (bfloat16).
    """
    kind = ELEMENT_TYPES_BY_NUMPY.get(array.dtype)
    return kind if kind is not None else ElementType(number=0, name=array.dtype.name, numpy=None)


@cache
def numpy_type(element: str) -> np.dtype[Any]:
    """Find the numpy type of an element type.

    >>> numpy_type("half"), numpy_type("string")
    (dtype('float16'), dtype('O'))
    """
    dtype = ELEMENT_TYPES_BY_NAME[element].numpy
    if dtype is None:
        from tensorflow import bfloat16  # noqa: PLC0415 - for models that use it, which loaded TensorFlow

        dtype = np.dtype(bfloat16.as_numpy_dtype)
    return dtype


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    """One named tensor of a signature."""

    name: str
    """The name in requests and responses."""
    graph_name: str
    """The tensor's own name in the graph, for example ``serving_default_x:0``."""
    element: ElementType
    shape: tuple[int, ...] | None
    """-1 for an open dimension; None if the rank is open."""

    @property
    def is_batch_major(self) -> bool:
        """Whether the first dimension is open, as it is where it counts rows."""
        return self.shape is not None and len(self.shape) > 0 and self.shape[0] == -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One way to call a model."""

    name: str
    method: str
    inputs: Mapping[str, TensorSpec]
    """In the order of the names."""
    outputs: Mapping[str, TensorSpec]
    """In the order of the names."""

    is_batchable: bool = field(init=False)
    """Whether rows of several requests may share one run: the first dimension of every input and output is open.

    A tensor with a fixed first dimension may mix rows (a sum over the batch), so requests to such a signature run
    alone, as in TensorFlow Serving when batching is off.
    """
    input_types: TensorTypes | None = field(init=False)
    """The types of all valid inputs; None if the signature is not batchable, or an inner dimension is open."""

    def __post_init__(self) -> None:
        tensors = [*self.inputs.values(), *self.outputs.values()]
        is_batchable = bool(self.inputs) and all(tensor.is_batch_major for tensor in tensors)
        # Computed once: both are read for every request.
        object.__setattr__(self, "is_batchable", is_batchable)
        object.__setattr__(self, "input_types", _input_types(self.inputs) if is_batchable else None)


def _input_types(inputs: Mapping[str, TensorSpec]) -> TensorTypes | None:
    types: list[tuple[str, np.dtype[Any], tuple[int, ...]]] = []
    for name, spec in inputs.items():
        if spec.shape is None or spec.element.numpy is None or -1 in spec.shape[1:]:
            return None
        types.append((name, spec.element.numpy, spec.shape[1:]))
    return tuple(types)
