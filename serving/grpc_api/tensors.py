"""``tensorflow.TensorProto`` messages to arrays and back, by the rules of TensorFlow's own C++ (``tensor.cc``).

A request may hold its values as raw bytes (``tensor_content``) or in the field of their type (``float_val``, ...),
where the last value stands for all missing ones. A response holds them in the field of their type, since many clients
read ``outputs["y"].float_val``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, final

import numpy as np

from serving.inference_v2.tensors import MAX_STRINGS
from serving.models.signatures import ELEMENT_TYPES, ELEMENT_TYPES_BY_NAME, element_type_of, numpy_type
from serving.status import Code, Failure, InvalidArgument

Array = np.ndarray[Any, Any]
Write = Callable[[Mapping[str, Array]], bytes]

# The field of each element type, and the type of a value in it. Narrow integers share a field, halves are bits.
VALUES: dict[str, tuple[str, str]] = {
    "float": ("float_val", "float32"),
    "double": ("double_val", "float64"),
    "int8": ("int_val", "int32"),
    "uint8": ("int_val", "int32"),
    "int16": ("int_val", "int32"),
    "uint16": ("int_val", "int32"),
    "int32": ("int_val", "int32"),
    "uint32": ("uint32_val", "uint32"),
    "int64": ("int64_val", "int64"),
    "uint64": ("uint64_val", "uint64"),
    "bool": ("bool_val", "bool"),
    "half": ("half_val", "int32"),
    "bfloat16": ("half_val", "int32"),
    "complex64": ("scomplex_val", "float32"),
    "complex128": ("dcomplex_val", "float64"),
    "string": ("string_val", "object"),
}
# Fields whose values have the same bytes in a message as in memory: the tag and an array's bytes are the field. That is
# 70 times as fast for 10,000 floats as adding them one by one. (field number << 3 | 2, for a packed list)
TAGS = {"float": b"\x2a", "double": b"\x32", "complex64": b"\x4a", "bool": b"\x5a", "complex128": b"\x62"}
#: Arrays of fewer bytes are copied into the bytes before them.
COPIED_BYTES = 1 << 12
POINTER_BYTES = 8
#: What an object of bytes takes beside its content, with the pointer to it.
OBJECT_BYTES = 41
#: Bound on the rows of a short form: a few bytes can stand for millions of them, each of which is logged.
MAX_SHORT_FORM_ROWS = 1 << 12
#: Bound on what the short forms of a message add, each repeated string counted at its length: TensorFlow and the log
#: copy each. And on the answer to such a message, which a model may make larger again.
MAX_SHORT_FORM_BYTES, MAX_SHORT_FORM_ANSWER = 1 << 20, 4 << 20


@final
class ShortForms:
    """Counts what the short forms of one message stand for, over all of its tensors."""

    __slots__ = ("added_bytes",)

    def __init__(self) -> None:
        self.added_bytes = 0

    def add(self, name: str, rows: int, size: int) -> None:
        """Count one.

        Args:
            size: The bytes that it adds.

        Raises:
            InvalidArgument: It stands for too many rows, or all of them for too many bytes.
        """
        self.added_bytes += size
        if rows > MAX_SHORT_FORM_ROWS:
            raise InvalidArgument(f"tensor parsing error: {name}: {rows} rows are too many for a short form.")
        if self.added_bytes > MAX_SHORT_FORM_BYTES:
            raise InvalidArgument(f"tensor parsing error: {name}: the shape is too large for a short form.")

    def bounded(self, write: Write) -> Write:
        """What writes the answer, and refuses one that is too large for a message with short forms.

        Returns:
            ``write`` itself for a message without short forms.
        """
        if not self.added_bytes:
            return write

        def written(outputs: Mapping[str, Array]) -> bytes:
            size = size_of(outputs.values())
            if size > MAX_SHORT_FORM_ANSWER:
                raise InvalidArgument(
                    f"The answer has {size} bytes, which are too many for a request whose tensors are in short form: "
                    "send all of their values."
                )
            return write(outputs)

        return written


def decode(name: str, message: Any, limit_bytes: int, short_forms: ShortForms) -> Array:
    """Decode a ``TensorProto``. Returns the array, which may be read-only; strings are objects holding bytes.

    Args:
        limit_bytes: The most bytes of the array: a short message can stand for a long one.
    """
    kind = ELEMENT_TYPES.get(message.dtype)
    sizes = [dimension.size for dimension in message.tensor_shape.dim]
    if kind is None or message.tensor_shape.unknown_rank or any(size < 0 for size in sizes):
        raise InvalidArgument(f"tensor parsing error: {name}")
    dtype = numpy_type(kind.name)
    count = math.prod(sizes)
    if count * (POINTER_BYTES if kind.name == "string" else dtype.itemsize) > limit_bytes:
        raise InvalidArgument(f"tensor parsing error: {name}: {count} elements are more than this server takes.")
    if kind.name == "string" and count > MAX_STRINGS:
        raise InvalidArgument(f"tensor parsing error: {name}: {count} strings are more than this server takes.")
    content: bytes = message.tensor_content
    try:
        if not count:
            flat: Array = np.empty(0, dtype)
        elif content:
            flat = _strings(content, count) if kind.name == "string" else _numbers(content, dtype, count)
        else:
            values = _listed(message, kind.name, dtype, count)
            if len(values) < count:
                added = (count - len(values)) * _size_of_last(values, dtype)
                short_forms.add(name, sizes[0] if sizes else 1, added)
            flat = _filled(values, dtype, count)
        return flat.reshape(sizes)
    except ValueError as error:
        raise InvalidArgument(f"tensor parsing error: {name}") from error


def encode(array: Array, message: Any) -> None:
    """Fill a ``TensorProto`` with an array."""
    kind = element_type_of(array)
    kind = ELEMENT_TYPES_BY_NAME.get(kind.name, kind)
    if kind.name not in VALUES:
        raise Failure(Code.UNIMPLEMENTED, f"Tensors of type {kind.name} cannot be answered over gRPC.")
    message.dtype = kind.number
    message.tensor_shape.SetInParent()
    for size in array.shape:
        message.tensor_shape.dim.add(size=size)
    tag = TAGS.get(kind.name)
    if tag is not None:
        content = array.tobytes()
        message.MergeFromString(b"%b%b%b" % (tag, varint(len(content)), content))
        return
    values = array.reshape(-1)
    if kind.name in {"half", "bfloat16"}:
        values = values.view(np.uint16)
    getattr(message, VALUES[kind.name][0]).extend(values.tolist())


def tensor_parts(array: Array) -> tuple[bytes | memoryview, ...]:
    """Write the ``TensorProto`` of an array, as `encode` fills it, in parts. Returns the message's bytes.

    Floats and booleans are written without a message, at a fifth of its cost: they have the same bytes as in memory,
    and many of them are not copied.
    """
    kind = element_type_of(array)
    tag = TAGS.get(kind.name)
    if tag is None:
        from tensorflow.core.framework.tensor_pb2 import TensorProto  # noqa: PLC0415 - the model's runner loaded it

        message = TensorProto()
        encode(array, message)
        return (bytes(message.SerializeToString()),)
    head, size = _tensor_head(kind.number, array.shape), array.nbytes
    if not size:
        return (head,)
    if size < COPIED_BYTES:
        return (b"%b%b%b%b" % (head, tag, varint(size), array.tobytes()),)
    return head + tag + varint(size), np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


@lru_cache(maxsize=1024)
def _tensor_head(number: int, shape: tuple[int, ...]) -> bytes:
    """Fields 1 and 2 of a ``TensorProto``: element type, and a ``TensorShapeProto`` whose field 2 holds each size."""
    sizes = [b"\x08" + varint(size) if size else b"" for size in shape]
    dimensions = b"".join(delimited(b"\x12", size) for size in sizes)
    return b"\x08" + varint(number) + delimited(b"\x12", dimensions)


def size_of(arrays: Iterable[Array]) -> int:
    """The bytes that arrays take, each text with the object that holds it."""
    return sum(
        array.nbytes if array.dtype != np.object_ else sum(map(len, array.flat)) + OBJECT_BYTES * array.size
        for array in arrays
    )


def delimited(tag: bytes, content: bytes) -> bytes:
    r"""Write a length-delimited field of a message.

    >>> delimited(b"\n", b"text")
    b'\n\x04text'
    """
    return b"%b%b%b" % (tag, varint(len(content)), content)


def _numbers(content: bytes, dtype: np.dtype[Any], count: int) -> Array:
    if len(content) != count * dtype.itemsize:
        raise ValueError(f"{len(content)} bytes for {count} elements")
    if dtype == np.bool_:  # a client may send any byte, but only two are booleans
        return np.asarray(np.frombuffer(content, np.uint8) != 0)
    return np.frombuffer(content, dtype)


def _strings(content: bytes, count: int) -> Array:
    """Strings in ``tensor_content``: all lengths as varints, then all bytes."""
    head = content[:count]
    if len(head) == count and head.isascii():  # every length takes one byte
        return _cut(content, list(head), count)
    lengths: list[int] = []
    at = length = shift = 0
    while len(lengths) < count:
        if at == len(content) or shift > 28:
            raise ValueError("a length is cut short, or of more than 32 bits")
        byte = content[at]
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            lengths.append(length)
            length = shift = 0
    return _cut(content, lengths, at)


def _cut(content: bytes, lengths: list[int], at: int) -> Array:
    """The strings of these lengths that lie one after the other from ``at`` to the end."""
    if at + sum(lengths) != len(content):
        raise ValueError("the lengths do not add up to the content's")
    values = np.empty(len(lengths), object)
    for index, size in enumerate(lengths):
        values[index] = content[at : at + size]
        at += size
    return values


def _listed(message: Any, element: str, dtype: np.dtype[Any], count: int) -> Array:
    """The values in the field of their type, at most ``count``."""
    field, stored = VALUES[element]
    values = getattr(message, field)
    if element == "string":
        strings = np.empty(min(count, len(values)), object)
        strings[:] = values[: len(strings)]
        return strings
    parts = 2 if element in {"complex64", "complex128"} else 1
    read = np.fromiter(values, stored, min(count, len(values) // parts) * parts)
    if element in {"half", "bfloat16"}:
        return read.astype(np.uint16).view(dtype)
    return read.view(dtype) if parts == 2 else read.astype(dtype, copy=False)


def _size_of_last(values: Array, dtype: np.dtype[Any]) -> int:
    """The bytes of the value that a short form repeats."""
    is_text = dtype == np.object_ and len(values)
    return dtype.itemsize + (len(values[-1]) if is_text else 0)


def _filled(values: Array, dtype: np.dtype[Any], count: int) -> Array:
    """Fill up to the shape's size with the last value, or with zeros or empty strings if there is none."""
    if len(values) == count:
        return values
    flat = np.empty(count, dtype)
    flat[: len(values)] = values
    flat[len(values) :] = values[-1] if len(values) else b"" if dtype == np.object_ else np.zeros(1, dtype)[0]
    return flat


def varint(number: int) -> bytes:
    """Write a number in the base-128 digits of a message."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)
