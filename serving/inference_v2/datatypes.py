"""The protocol's names for element types."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: TensorFlow's names by the protocol's. BF16 is Triton's addition.
ELEMENTS: Mapping[str, str] = {
    "BOOL": "bool",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "FP16": "half",
    "BF16": "bfloat16",
    "FP32": "float",
    "FP64": "double",
    "BYTES": "string",
}
_DATATYPES = {element: datatype for datatype, element in ELEMENTS.items()}


def datatype_of(element: str) -> str:
    """Name an element type as the protocol does.

    >>> datatype_of("float"), datatype_of("complex64")
    ('FP32', 'COMPLEX64')
    """
    return _DATATYPES.get(element, element.upper())
