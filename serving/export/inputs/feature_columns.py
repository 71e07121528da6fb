"""A table's columns as named arrays of features: float32 numbers (NaN where missing) and byte strings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    Column = np.ndarray[Any, Any]

# A missing category: it is in no vocabulary, so every encoder treats it as unseen.
MISSING_CATEGORY = ""


def columns_of(rows: pa.Table, kinds: Mapping[str, str]) -> dict[str, Column]:
    """Convert columns to arrays. Nulls become NaN and the empty string.

    >>> table = pa.table({"temp": [39.0, None], "origin": ["JFK", "EWR"]})
    >>> columns_of(table, {"temp": "number", "origin": "category"})["origin"].tolist()
    [b'JFK', b'EWR']

    Args:
        kinds: "number" or "category" by column.

    Returns:
        One array [n] per column: float32 for a number, objects holding bytes for a category.

    Raises:
        BadInput: a column is missing, or a number's column holds text.
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
