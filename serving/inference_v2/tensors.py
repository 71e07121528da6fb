"""Tensors in the protocol's forms: JSON numbers and texts, values of a message's field, or raw bytes.

Raw bytes are little-endian, row-major, without gaps; each element of BYTES is preceded by its length in 4 bytes.
Source: the binary tensor data extension of the Open Inference Protocol.
"""

from __future__ import annotations

import math
import struct
import sys
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from serving.models.signatures import numpy_type
from serving.status import InvalidArgument
from serving.transport.number_format import format_floats

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Array = np.ndarray[Any, Any]

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


MAX_RANK = 32
LENGTH_BYTES = 4
#: Bound on the strings of one tensor that is not JSON: each is an object of its own.
MAX_STRINGS = 1 << 20
FLOATS = {"half", "bfloat16", "float", "double"}
NUMBERS = {int, float}
_BIG_ENDIAN = sys.byteorder == "big"


def read_json(data: Any, shape: Sequence[int], element: str, name: str) -> Array:
    """Read a tensor from JSON. Returns the array. Numbers beyond a float type become infinite.

    Args:
        data: A list of elements, flat or nested as the shape.
    """
    level: list[Any] = data
    nesting: list[int] = []
    while type(level[0] if level else None) is list:
        size = len(level[0])
        if len(nesting) == MAX_RANK or not all(type(element) is list and len(element) == size for element in level):
            raise InvalidArgument(_message(name, "its data is a list of lists that are not all of one length"))
        nesting.append(size)
        level = list(chain.from_iterable(level))
    count = math.prod(shape)
    if len(level) != count:
        raise InvalidArgument(_message(name, f"its shape {list(shape)} has {count} elements, its data {len(level)}"))
    if nesting and count and [len(data), *nesting] != list(shape):
        raise InvalidArgument(
            _message(name, f"its data is nested as {[len(data), *nesting]}, its shape is {list(shape)}")
        )
    return shaped(_array(level, element, name), shape, name)


def read_binary(content: memoryview, shape: Sequence[int], element: str, name: str) -> Array:
    """Read a tensor from raw bytes; arguments as of `read_json`."""
    count = math.prod(shape)
    if element == "string":
        flat = _read_strings(content, count, name)
    else:
        dtype = numpy_type(element)
        if len(content) != count * dtype.itemsize:
            raise InvalidArgument(
                _message(name, f"its shape {list(shape)} takes {count * dtype.itemsize} bytes, it has {len(content)}")
            )
        flat = np.frombuffer(content, np.uint8 if element == "bool" else dtype)
        if element == "bool":  # a client may send any byte, but only two are booleans
            flat = flat != 0
        elif _BIG_ENDIAN:
            flat = flat.byteswap()
    return shaped(flat, shape, name)


def read_typed(values: Sequence[Any], stored: str, shape: Sequence[int], element: str, name: str) -> Array:
    """Read a tensor from the values of a message's field.

    Args:
        values: The field, as many values as the shape has elements.
    """
    count = math.prod(shape)
    if len(values) != count:
        raise InvalidArgument(
            _message(name, f"its shape {list(shape)} has {count} elements, its contents {len(values)}")
        )
    if element == "string":
        _check_strings(count, name)
        strings = np.empty(count, object)
        strings[:] = values
        return shaped(strings, shape, name)
    flat = np.fromiter(values, stored, count)
    dtype = numpy_type(element)
    if flat.dtype != dtype and count:
        limits = np.iinfo(dtype)
        if flat.min() < limits.min or flat.max() > limits.max:
            raise InvalidArgument(_message(name, f"an element of its contents is beyond {datatype_of(element)}"))
    return shaped(flat.astype(dtype, copy=False), shape, name)


def shaped(flat: Array, shape: Sequence[int], name: str) -> Array:
    """Give the elements of a tensor its shape, which has as many."""
    try:
        return flat.reshape(tuple(shape))
    except ValueError as error:
        raise InvalidArgument(_message(name, f"its shape {list(shape)} is too large")) from error


def write_json(value: Array, name: str) -> Any:
    """Prepare a tensor for orjson. NaN and the infinities are written as Python's parser reads them.

    Returns:
        The elements in row-major order.
    """
    flat = np.ascontiguousarray(value).reshape(-1)
    if flat.dtype == np.object_:
        try:
            return [text.decode() for text in flat.tolist()]
        except UnicodeDecodeError as error:
            raise InvalidArgument(
                f'output "{name}" holds bytes that are not UTF-8: request it with binary_data'
            ) from error
    if flat.dtype.kind not in "biuf":
        flat = flat.astype(np.float32)  # bfloat16, of which every value is a float32
    if flat.dtype.kind == "f" and not np.isfinite(flat).all():
        wide = flat if flat.dtype == np.float64 else flat.astype(np.float32)
        return orjson.Fragment(f"[{','.join(format_floats(wide))}]")
    return flat


def write_binary(value: Array) -> bytes:
    """Write the elements as raw bytes."""
    if value.dtype == np.object_:
        return b"".join(struct.pack("<I", len(text)) + text for text in value.reshape(-1).tolist())
    return value.byteswap().tobytes() if _BIG_ENDIAN else value.tobytes()


def _array(elements: list[Any], element: str, name: str) -> Array:
    """Check elements and make a flat array of them."""
    kinds = set(map(type, elements))
    if element == "string":
        if kinds - {str}:
            raise InvalidArgument(_message(name, "not every element of its data is a string"))
        strings = np.empty(len(elements), object)
        strings[:] = [element.encode("utf-8", "surrogateescape") for element in elements]
        return strings
    if element in FLOATS:
        if not kinds <= NUMBERS:
            raise InvalidArgument(_message(name, "not every element of its data is a number"))
        try:
            wide = np.array(elements, np.float64)
        except OverflowError as error:  # an integer of more than 308 digits
            raise InvalidArgument(_message(name, "a number of its data is too large")) from error
        with np.errstate(over="ignore", under="ignore"):
            return wide.astype(numpy_type(element))
    wanted, word = (bool, "true or false") if element == "bool" else (int, "an integer")
    if kinds - {wanted}:
        raise InvalidArgument(_message(name, f"not every element of its data is {word}"))
    dtype = numpy_type(element)
    if dtype.kind in "iu" and elements:
        limits = np.iinfo(dtype)
        if min(elements) < limits.min or max(elements) > limits.max:
            raise InvalidArgument(_message(name, f"an element of its data is beyond {datatype_of(element)}"))
    return np.array(elements, dtype)


def _read_strings(content: memoryview, count: int, name: str) -> Array:
    if count * LENGTH_BYTES > len(content):  # before anything of that size is allocated
        raise InvalidArgument(
            _message(name, f"its shape has {count} elements, more than {len(content)} bytes can hold")
        )
    _check_strings(count, name)
    strings = np.empty(count, object)
    at = 0
    for index in range(count):
        begin = at + LENGTH_BYTES
        at = begin + int.from_bytes(content[begin - LENGTH_BYTES : begin], "little")
        if at > len(content):
            raise InvalidArgument(_message(name, f"element {index} ends beyond its {len(content)} bytes"))
        strings[index] = bytes(content[begin:at])
    if at != len(content):
        raise InvalidArgument(_message(name, f"its {count} elements take {at} bytes, it has {len(content)}"))
    return strings


def _check_strings(count: int, name: str) -> None:
    if count > MAX_STRINGS:
        raise InvalidArgument(_message(name, f"{count} strings are more than this server takes"))


def _message(name: str, what: str) -> str:
    return f'input "{name}": {what}'
