"""Columns of the log as TensorProtos and back, bit for bit, without TensorFlow's own conversions."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa

from monitoring.errors import BadInput
from monitoring.traffic.format.tensors import DTYPE_KEY, SHAPE_KEY, Shape

Array = np.ndarray[Any, Any]

# TensorFlow's numbers of dtypes (types.proto), by NumPy's names. The log stores bfloat16 as float32, of which it is the
# upper half.
FLOAT = 1
STRING = 7
_BFLOAT16 = 14
_NUMBERS = {
    "float32": FLOAT,
    "float64": 2,
    "int32": 3,
    "uint8": 4,
    "int16": 5,
    "int8": 6,
    "string": STRING,
    "complex64": 8,
    "int64": 9,
    "bool": 10,
    "bfloat16": _BFLOAT16,
    "uint16": 17,
    "complex128": 18,
    "float16": 19,
    "uint32": 22,
    "uint64": 23,
}
_NAMES = {number: name for name, number in _NUMBERS.items()}
_TYPED = {
    "float32": "float_val",
    "float64": "double_val",
    "int64": "int64_val",
    "bool": "bool_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    **dict.fromkeys(("int32", "uint8", "int16", "int8", "uint16"), "int_val"),
}


def write_tensor(proto: Any, field: pa.Field, lists: pa.Array) -> None:
    """Fill a TensorProto. `lists`: rows of equal length, as the log stores them."""
    metadata = field.metadata or {}
    name = metadata[DTYPE_KEY].decode()
    proto.dtype = _NUMBERS[name]
    values = lists.flatten()
    count = len(lists)
    width = len(values) // (count or 1) // (2 if name.startswith("complex") else 1)
    for size in (count, *_inner_shape(tuple(json.loads(metadata[SHAPE_KEY])), width)):
        proto.tensor_shape.dim.add().size = size
    if name == "string":
        proto.string_val.extend(values.to_pylist())
        return
    flat = np.asarray(values.to_numpy(zero_copy_only=False))
    if name == "bfloat16":
        flat = (np.ascontiguousarray(flat, np.float32).view(np.uint32) >> 16).astype(np.uint16)
    proto.tensor_content = np.ascontiguousarray(flat.astype(flat.dtype.newbyteorder("<"), copy=False)).tobytes()


def _inner_shape(shape: Shape, width: int) -> Shape:
    """The shape of a row of so many elements; flat where more than one dimension varies, as the log stores it."""
    open_dimensions = shape.count(-1)
    if not open_dimensions:
        return shape
    fixed = int(np.prod([size for size in shape if size != -1], initial=1))
    if open_dimensions == 1 and fixed:
        return tuple(width // fixed if size == -1 else size for size in shape)
    return (width, *([1] * (len(shape) - 1)))


def read_tensor(proto: Any) -> Array:
    """Read a TensorProto in either encoding, `tensor_content` or typed values.

    Returns:
        The tensor; strings as an object array of bytes, bfloat16 as TensorFlow's own NumPy type.
    """
    name = _NAMES.get(proto.dtype)
    shape = [dim.size for dim in proto.tensor_shape.dim]
    size = int(np.prod(shape, initial=1))
    if name is None:
        raise BadInput(
            "The traffic log cannot hold a tensor of this dtype.",
            got=f"dtype {proto.dtype}",
            expected="numbers, booleans or bytes",
            fix="Leave the tensor out of the records.",
        )
    if name == "string":
        strings = np.empty(size, object)
        strings[:] = _spread(list(proto.string_val), size, b"")
        return strings.reshape(shape)
    dtype = _dtype(name)
    if proto.tensor_content:
        if len(proto.tensor_content) != size * dtype.itemsize:
            _refuse_size(f"{len(proto.tensor_content)} bytes for shape {shape}")
        return np.frombuffer(proto.tensor_content, dtype.newbyteorder("<")).astype(dtype).reshape(shape)
    if name in ("float16", "bfloat16"):
        return np.array(_spread(list(proto.half_val), size, 0), np.uint16).view(dtype).reshape(shape)
    if name.startswith("complex"):
        pairs = np.array(proto.scomplex_val if name == "complex64" else proto.dcomplex_val)
        flat = _spread(list(pairs[::2] + 1j * pairs[1::2]), size, 0)
        return np.array(flat, dtype).reshape(shape)
    return np.array(_spread(list(getattr(proto, _TYPED[name])), size, 0), dtype).reshape(shape)


def _spread(values: list[Any], size: int, default: object) -> list[Any]:
    """All elements of the short form, whose last value stands for those that follow."""
    if len(values) > size:
        _refuse_size(f"{len(values)} values where there are {size} elements")
    return values + [values[-1] if values else default] * (size - len(values))


def _dtype(name: str) -> np.dtype[Any]:
    if name != "bfloat16":
        return np.dtype(name)
    import tensorflow as tf  # noqa: PLC0415 - NumPy has no such type; only such a tensor needs it

    bfloat16: np.dtype[Any] = np.dtype(tf.bfloat16.as_numpy_dtype)
    return bfloat16


def _refuse_size(got: str) -> NoReturn:
    raise BadInput(
        "A tensor has another number of values than its shape.",
        got=got,
        expected="one value per element",
        fix="Write the records again.",
    )
