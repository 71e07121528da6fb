"""Tensors as Arrow columns: one list per row, the row's elements flattened in C order."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput
from monitoring.traffic.format.ipc_messages import VARIES, BatchBody, even_offsets, padding, string_buffers
from monitoring.traffic.format.rows import INPUT, OUTPUT

SHAPE_KEY = b"shape"
DTYPE_KEY = b"dtype"
Shape = tuple[int, ...]

_from_buffers, _buffer = pa.Array.from_buffers, pa.py_buffer  # looked up once: this is the hot path

# Arrow has no type for these: what their elements are stored as; a complex number is two, real and imaginary.
_WIDENED = {"bfloat16": np.float32, "complex64": np.float32, "complex128": np.float64}


@dataclass(frozen=True, slots=True)
class TensorType:
    """How tensors of one dtype are stored."""

    name: str  # TensorFlow's name of the dtype
    element: pa.DataType
    lists: pa.DataType  # the column's type
    is_zero_copy: bool  # whether Arrow can use the tensor's own memory


@cache
def tensor_type(dtype: np.dtype) -> TensorType:
    """The stored type of a dtype.

    >>> tensor_type(np.dtype(np.float32)).lists
    ListType(list<element: float>)

    Returns:
        The type; complex numbers are stored as two elements, bfloat16 as float32, text as bytes.
    """
    if dtype.kind in "OSUT":
        return _stored("string", pa.binary(), is_zero_copy=False)
    widened = _WIDENED.get(dtype.name)
    if widened is not None:
        return _stored(dtype.name, pa.from_numpy_dtype(widened), is_zero_copy=False)
    if dtype.kind in "biuf":
        native = pa.from_numpy_dtype(dtype.newbyteorder("="))
        return _stored(dtype.name, native, is_zero_copy=dtype.isnative and dtype.kind != "b")
    raise BadInput(
        "The traffic log cannot hold such a tensor.",
        got=f"dtype {dtype}",
        expected="numbers, booleans or bytes",
        fix="Cast the tensor inside the model.",
    )


def _stored(name: str, element: pa.DataType, *, is_zero_copy: bool) -> TensorType:
    # "element" is what Parquet calls it, so that a row has the same type before and after it is converted.
    return TensorType(name, element, pa.list_(pa.field("element", element)), is_zero_copy)


@dataclass(frozen=True, slots=True, eq=False)
class TensorEncoder:
    """Encodes tensors of one dtype and shape as columns; all that depends on these alone is computed once."""

    kind: TensorType
    count: int  # rows
    width: int  # elements of a row
    offsets: pa.Buffer
    padded_offsets: bytes
    padding: bytes  # of the elements, unless they are strings
    nodes: tuple[int, int]  # lengths of the two arrays, as `BatchShape` has them,
    lengths: tuple[int, ...]  # and of their buffers in bytes

    @classmethod
    def of(cls, tensor: np.ndarray) -> TensorEncoder:
        """The encoder for all tensors of the dtype and shape of this one."""
        kind, count = tensor_type(tensor.dtype), len(tensor)
        width = math.prod(tensor.shape[1:]) * (2 if tensor.dtype.kind == "c" else 1)
        offsets, raw_offsets, elements = _offsets(count, width), even_offsets(count, width), count * width
        size = (elements + 7) // 8 if tensor.dtype.kind == "b" else elements * tensor.itemsize
        buffers = (4 * (elements + 1), VARIES) if tensor.dtype.kind == "O" else (size,)
        return cls(
            kind=kind,
            count=count,
            width=width,
            offsets=offsets,
            padded_offsets=raw_offsets + padding(len(raw_offsets)),
            padding=padding(size),
            nodes=(count, elements),
            lengths=(0, len(raw_offsets), 0, *buffers),
        )

    def encode(self, tensor: np.ndarray) -> pa.Array:
        """The column of a tensor: one list per row (the leading axis), bit for bit; Python touches no element.

        >>> tensor = np.array([[1, 2], [3, 4]], np.int8)
        >>> TensorEncoder.of(tensor).encode(tensor).to_pylist()
        [[1, 2], [3, 4]]

        Returns:
            A list array of n rows; where the dtype allows it, over the tensor's own memory.
        """
        kind = self.kind
        if kind.is_zero_copy:
            flat = tensor if tensor.flags.c_contiguous else np.ascontiguousarray(tensor)
            values = _from_buffers(kind.element, self.count * self.width, [None, _buffer(flat)], 0)
        else:
            values = _converted(tensor.reshape(-1), kind)
        return _from_buffers(kind.lists, self.count, [None, self.offsets], 0, 0, [values])

    def add_to(self, body: BatchBody, tensor: np.ndarray) -> bool:
        """Add the same column's buffers to a record batch, without Arrow.

        Returns:
            False, and nothing is added, for elements that only Arrow can convert.
        """
        if self.kind.is_zero_copy:
            elements = tensor if tensor.flags.c_contiguous else np.ascontiguousarray(tensor)
        elif tensor.dtype.kind == "b":
            elements = np.packbits(tensor, bitorder="little")
        elif tensor.dtype.kind == "O":
            return self._add_strings(body, tensor)
        else:
            return False
        body.parts += (self.padded_offsets, elements, self.padding)
        return True

    def _add_strings(self, body: BatchBody, tensor: np.ndarray) -> bool:
        try:
            offsets, content = string_buffers(tensor.reshape(-1).tolist())
        except (TypeError, OverflowError):
            return False
        body.parts.append(self.padded_offsets)
        body.add_strings(offsets, content)
        return True


def _converted(flat: np.ndarray, kind: TensorType) -> pa.Array:
    family = flat.dtype.kind
    if family in "UT":
        return pa.array(flat.astype(object), pa.string()).cast(pa.binary())
    if family == "c":
        flat = np.ascontiguousarray(flat).view(_WIDENED[kind.name])
    elif family not in "bOS":
        flat = flat.astype(_WIDENED.get(kind.name, flat.dtype.newbyteorder("=")))
    return pa.array(flat, kind.element, from_pandas=False)


def _offsets(count: int, width: int) -> pa.Buffer:
    if count * width > np.iinfo(np.int32).max:
        raise BadInput(
            "A batch is too large for one record.",
            got=f"{count} rows of {width} elements",
            expected="fewer than 2**31 elements",
            fix="Answer fewer rows at once.",
        )
    return pa.py_buffer(even_offsets(count, width))


def tensor_field(name: str, kind: TensorType, shape: Shape) -> pa.Field:
    """The field of a tensor's column, with its inner shape (-1 where it varies) and dtype as metadata."""
    metadata = {SHAPE_KEY: json.dumps(list(shape)).encode(), DTYPE_KEY: kind.name.encode()}
    return pa.field(name, kind.lists, nullable=False, metadata=metadata)


def merged_shape(shape: Shape, other: Shape) -> Shape:
    """The shape that covers both: -1 where they differ.

    >>> merged_shape((3, 28), (5, 28))
    (-1, 28)

    Returns:
        Sizes, -1 for any; `(-1,)` for tensors of different rank.
    """
    if len(shape) != len(other):
        return (-1,)
    return tuple(a if a == b else -1 for a, b in zip(shape, other, strict=True))


def merged_fields(fields: Sequence[pa.Field]) -> pa.Field:
    """One column for the same tensor of several segments. Its inner shape is -1 where theirs differ."""
    first = fields[0]
    shape: Shape | None = None
    for field in fields:
        if field.type != first.type:
            raise BadInput(
                f"The column {first.name!r} changed its type within the rows asked for.",
                got=f"{first.type} and {field.type}",
                expected="one type",
                fix="Read one version of the model at a time: --model NAME --version N.",
            )
        field_shape = tuple(json.loads((field.metadata or {}).get(SHAPE_KEY, b"[-1]")))
        shape = field_shape if shape is None else merged_shape(shape, field_shape)
    metadata = {**(first.metadata or {}), SHAPE_KEY: json.dumps(list(shape or ())).encode()}
    return pa.field(first.name, first.type, metadata=metadata)


def flatten_scalars(table: pa.Table) -> pa.Table:
    r"""Turn each `input:` and `output:` column with exactly one element in every row into a plain column.

    Bytes become strings, so that a category compares with the same category of a reference table; bytes that are not
    UTF-8 become escapes, `\xff`. A null list (a tensor that a version does not have) becomes null. Other columns stay.

    >>> table = pa.table({"input:a": [[1], [2]], "output:b": [[1, 2], [3, 4]]})
    >>> flatten_scalars(table).schema.types
    [DataType(int64), ListType(list<item: int64>)]
    """
    for index, field in enumerate(table.schema):
        if not (field.name.startswith((INPUT, OUTPUT)) and pa.types.is_list(field.type)):
            continue
        lists = _one_chunk(table.column(index))
        is_single = is_always_single(field)
        if is_single is None:
            is_single = _all_single(lists) if len(lists) else SHAPE_KEY not in (field.metadata or {})
        if not is_single:
            continue
        values = pc.list_element(lists, 0) if len(lists) else pa.array([], field.type.value_type)
        if pa.types.is_binary(values.type):
            values = decoded(values)
        table = table.set_column(index, pa.field(field.name, values.type, metadata=field.metadata), values)
    return table


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [pa.array([], column.type)])


def is_always_single(field: pa.Field) -> bool | None:
    """Whether rows of a column have exactly one element, by its inner shape; None where that does not say it."""
    shape = json.loads((field.metadata or {}).get(SHAPE_KEY, b"[-1]"))
    return None if -1 in shape else all(size == 1 for size in shape)


def _all_single(lists: pa.Array) -> bool:
    lengths = pc.min_max(pc.list_value_length(lists)).as_py()
    return lengths["min"] in (1, None) and lengths["max"] in (1, None)


def decoded(values: pa.Array) -> pa.Array:
    r"""Bytes as strings; bytes that are not UTF-8 become escapes.

    >>> decoded(pa.array([b"UA", bytes([0xFF])])).to_pylist()
    ['UA', '\\xff']
    """
    try:
        return values.cast(pa.string())
    except pa.ArrowInvalid:
        texts = [None if value is None else value.decode("utf-8", "backslashreplace") for value in values.to_pylist()]
        return pa.array(texts, pa.string())
