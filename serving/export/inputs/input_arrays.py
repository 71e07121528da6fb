"""A table's columns as the arrays of a model's inputs, and why a column does not fit.

Numbers may be integers, floats or booleans; an integer input takes floats without a fraction. A tensor takes a list
column, flat or nested as the tensor is. Nulls are NaN for a float input and the empty string for text; an integer
cannot be missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput
from monitoring.traffic.cells import as_doubles
from serving.export.inputs.model_inputs import ModelInput

Array = np.ndarray[Any, Any]
Column = np.ndarray[Any, Any]

# A missing category: it is in no vocabulary, so every encoder treats it as unseen.
MISSING_CATEGORY = ""


def columns_of(rows: pa.Table, kinds: Mapping[str, str]) -> dict[str, Column]:
    """Convert columns to arrays. Nulls become NaN and the empty string.

    >>> table = pa.table({"temp": [39.0, None], "origin": ["JFK", "EWR"]})
    >>> columns_of(table, {"temp": "number", "origin": "category"})["origin"].tolist()
    [b'JFK', b'EWR']

    Returns:
        One array [n] per column: float32 for a number, objects holding bytes for a category.
    """
    absent = [name for name in kinds if name not in rows.column_names]
    if absent:
        raise BadInput(
            "The table lacks inputs of the model.",
            got=f"no column {', '.join(absent)}",
            expected=f"the columns {', '.join(kinds)}",
            fix="Add the columns, spelled as the model's inputs are.",
        )
    return {name: _numbers(rows, name) if kind == "number" else _categories(rows[name]) for name, kind in kinds.items()}


def _numbers(rows: pa.Table, name: str) -> Column:
    column = rows[name]
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise BadInput(
            f"Input {name} of the model is a number.",
            got=f"a column of {kind}",
            expected="integers, floats or booleans",
            fix="Cast the column first.",
        )
    whole = column.cast(pa.int8()) if pa.types.is_boolean(kind) else column
    return np.asarray(pc.fill_null(whole.cast(pa.float32(), safe=False), float("nan")), dtype=np.float32)


def _categories(column: pa.ChunkedArray[Any]) -> Column:
    texts = pc.fill_null(column.cast(pa.string()), MISSING_CATEGORY).cast(pa.binary())
    return np.array(texts.to_pylist(), dtype=object)


def column_problem(column: pa.ChunkedArray[Any], model_input: ModelInput) -> str:
    """Why a column does not fit an input. Returns the end of a sentence on the column; empty if it fits.

    >>> from serving.export.inputs.model_inputs import ModelInput
    >>> column_problem(pa.chunked_array([["warm"]]), ModelInput(name="temp", dtype="float32", shape=()))
    'is string, and the model takes float32'
    """
    leaf = _leaf(column.type)
    fits = _is_text(leaf) or _is_bytes(leaf) if model_input.dtype == "string" else _is_number(leaf)
    if not fits:
        return f"is {column.type}, and the model takes {'text' if model_input.dtype == 'string' else model_input.dtype}"
    if column.type != leaf and column.null_count:
        return f"has {column.null_count} rows without a list"
    return _size_problem(column, model_input) or _value_problem(column, model_input) if len(column) else ""


def to_array(column: pa.ChunkedArray[Any], model_input: ModelInput) -> Array:
    """Convert a column that fits; its rows must be of one size.

    Returns:
        An array [n, *shape] of the input's type; objects holding bytes for text.
    """
    rows = len(column)
    sizes = _sizes(column) or ()
    flat = _flat(column)
    if model_input.dtype == "string":
        texts = flat if _is_bytes(flat.type) else flat.cast(pa.string()).cast(pa.binary())
        texts = pc.fill_null(texts.cast(pa.binary()), MISSING_CATEGORY.encode())
        values = np.array(texts.to_pylist(), dtype=object)
    else:
        if pa.types.is_boolean(flat.type):
            flat = flat.cast(pa.int8())
        if flat.null_count or pa.types.is_decimal(flat.type):
            flat = pc.fill_null(as_doubles(flat), float("nan"))
        kind = "float32" if model_input.dtype == "bfloat16" else model_input.dtype
        with np.errstate(over="ignore"):  # numbers too large for the type are infinite to the model
            values = np.asarray(flat).astype(kind)
    shape = model_input.shape if -1 not in model_input.shape else sizes
    return values.reshape((rows, *shape))


def groups_of_equal_size(table: pa.Table, inputs: tuple[ModelInput, ...]) -> Iterator[np.ndarray[Any, Any]]:
    """Group the rows that can share one batch; only lists of variable length make more than one group."""
    lengths = [
        np.asarray(pc.list_value_length(table[model_input.name].combine_chunks()))
        for model_input in inputs
        if model_input.shape == (-1,) and _sizes(table[model_input.name]) is None
    ]
    if not lengths:
        yield np.arange(table.num_rows)
        return
    _, group, counts = np.unique(np.stack(lengths, axis=1), axis=0, return_inverse=True, return_counts=True)
    for number in np.argsort(-counts, kind="stable"):
        yield np.flatnonzero(group.reshape(-1) == number)


def _size_problem(column: pa.ChunkedArray[Any], model_input: ModelInput) -> str:
    """What is wrong with the lists of a column."""
    sizes = _sizes(column)
    if sizes is None:
        return "" if model_input.shape == (-1,) and _depth(column.type) == 1 else "has rows of different sizes"
    if not _shapes_agree(sizes, model_input.shape):
        return f"has {_in_words(sizes)} a row, and the model takes {_in_words(model_input.shape)}"
    return ""


def _value_problem(column: pa.ChunkedArray[Any], model_input: ModelInput) -> str:
    """What is wrong with the values for an integer input."""
    if model_input.dtype == "string" or model_input.is_float:
        return ""
    flat = _flat(column)
    if flat.null_count:
        return f"has {flat.null_count} missing values, which {model_input.dtype} cannot represent"
    values = np.asarray(flat.cast(pa.int8()) if pa.types.is_boolean(flat.type) else flat)
    if values.dtype.kind == "f" and not bool(np.all(np.isfinite(values) & (values == np.floor(values)))):
        return f"has fractions, and the model takes {model_input.dtype}"
    low, high = (
        (0, 1) if model_input.dtype == "bool" else (np.iinfo(model_input.dtype).min, np.iinfo(model_input.dtype).max)
    )
    if values.size and (values.min() < low or values.max() > high):
        return f"has values from {values.min()} to {values.max()}, and {model_input.dtype} holds {low} to {high}"
    return ""


def _sizes(column: pa.ChunkedArray[Any]) -> tuple[int, ...] | None:
    """The size of each row of a column, () for a scalar; None if rows differ."""
    level = column.combine_chunks()
    sizes = []
    while _is_list(level.type):
        lengths = pc.unique(pc.list_value_length(level)).to_pylist()
        if len(lengths) != 1 or lengths[0] is None:
            return None
        sizes.append(int(lengths[0]))
        level = level.flatten()
    return tuple(sizes)


def _is_bytes(kind: pa.DataType) -> bool:
    """Whether a type holds bytes, such as encoded images."""
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _flat(column: pa.ChunkedArray[Any]) -> pa.Array:
    level = column.combine_chunks()
    while _is_list(level.type):
        level = level.flatten()
    return level


def _shapes_agree(sizes: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether rows of these sizes can have that shape: flat, or nested, dimensions of one apart."""
    if -1 in shape:
        return len(sizes) == len(shape) and all(want in {-1, got} for got, want in zip(sizes, shape, strict=True))
    if len(sizes) <= 1:
        return prod(sizes) == prod(shape)
    return [size for size in sizes if size != 1] == [size for size in shape if size != 1]


def _in_words(shape: tuple[int, ...]) -> str:
    return f"a list of shape {['any' if size == -1 else size for size in shape]}" if shape else "one value"


def _depth(kind: pa.DataType) -> int:
    return 1 + _depth(kind.value_type) if _is_list(kind) else 0


def _leaf(kind: pa.DataType) -> pa.DataType:
    return _leaf(kind.value_type) if _is_list(kind) else kind


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))
