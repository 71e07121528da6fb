"""The bodies of requests and responses as columns: CSV, JSON of several servers, Open Inference Protocol v2."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any, TypeAlias

#: BodyColumns of a body by name, each with a value for every row.
BodyColumns: TypeAlias = dict[str, list[Any]]

#: Where JSON bodies have their rows, in the order in which they are looked for.
_ROWS = ("instances", "dataframe_records", "inputs", "dataframe_split", "predictions", "outputs")


class Unreadable(ValueError):
    """A body of no known form."""


def body_columns(body: str, content_type: str, names: Sequence[str], *, default: str) -> BodyColumns:
    r"""The columns of a body.

    >>> body_columns("1.5,a\n2,b", "text/csv", ["x", "shop"], default="input")
    {'x': [1.5, 2.0], 'shop': ['a', 'b']}
    >>> body_columns('{"predictions": [[0.2, 0.8]]}', "application/json", [], default="prediction")
    {'prediction_0': [0.2], 'prediction_1': [0.8]}

    Args:
        body: the text.
        content_type: whether it is CSV.
        names: names of the columns, for bodies that have none.
        default: the name of a column without one; with a number where there are several.

    Raises:
        Unreadable: it is no such body.
    """
    try:
        if "csv" in content_type:
            rows: Any = [[_parsed(cell) for cell in row] for row in csv.reader(StringIO(body, newline="")) if row]
        else:
            rows = json.loads(body)
        return _columns(rows, names, default)
    except (ValueError, TypeError, OverflowError, RecursionError, csv.Error) as error:
        raise Unreadable(str(error)) from error


def _columns(value: Any, names: Sequence[str], default: str) -> BodyColumns:
    if isinstance(value, Mapping):
        return _of_object(value, names, default)
    return _of_list(value if isinstance(value, list) else [value], names, default)


def _of_object(value: Mapping[str, Any], names: Sequence[str], default: str) -> BodyColumns:
    """The columns of an object that has rows, or is one."""
    place = next((name for name in _ROWS if name in value), None)
    if place is None:
        return _of_list([value], names, default)
    inner = value[place]
    if place == "dataframe_split" and isinstance(inner, Mapping):
        return _of_list(list(inner.get("data", ())), list(inner.get("columns", ())), default)
    if isinstance(inner, Mapping):  # a list of values for each name
        return _checked({str(name): list(cells) for name, cells in inner.items() if isinstance(cells, list)})
    if isinstance(inner, list) and inner and all(isinstance(each, Mapping) and "data" in each for each in inner):
        return _tensors(inner)
    return _columns(inner, names, default)


def _of_list(value: Sequence[Any], names: Sequence[str], default: str) -> BodyColumns:
    """The columns of rows: objects, lists, or single values."""
    if value and all(isinstance(row, Mapping) for row in value):
        keys = dict.fromkeys(str(key) for row in value for key in row)
        return {key: [_plain(row.get(key)) for row in value] for key in keys}
    rows = [row if isinstance(row, list) else [row] for row in value]
    width = len(rows[0]) if rows else 0
    if any(len(row) != width for row in rows) or (names and len(names) != width):
        raise Unreadable(f"{width} values a row, and {len(names)} names" if names else "rows of different lengths")
    titles = [*names] or ([default] if width == 1 else [f"{default}_{place}" for place in range(width)])
    return {title: [_plain(row[place]) for row in rows] for place, title in enumerate(titles)}


def _tensors(tensors: Sequence[Mapping[str, Any]]) -> BodyColumns:
    """The tensors of Open Inference Protocol v2, whose first dimension is the row."""
    columns: BodyColumns = {}
    for tensor in tensors:
        shape, data = tensor.get("shape") or [len(tensor["data"])], list(tensor["data"])
        while data and all(isinstance(row, list) for row in data):
            data = [cell for row in data for cell in row]
        width = math.prod(map(int, shape[1:]))
        if width < 1 or len(data) % width:
            raise Unreadable(f"{len(data)} values for the shape {shape}")
        rows = [data[place : place + width] for place in range(0, len(data), width)]
        name = str(tensor.get("name", "input"))
        if width == 1:
            columns[name] = [_plain(row[0]) for row in rows]
        else:
            columns |= {f"{name}_{at}": [_plain(row[at]) for row in rows] for at in range(width)}
    return _checked(columns)


def _checked(columns: BodyColumns) -> BodyColumns:
    if len({len(cells) for cells in columns.values()}) > 1:
        raise Unreadable("columns of different lengths")
    return {name: [_plain(cell) for cell in cells] for name, cells in columns.items()}


def _plain(value: Any) -> Any:
    """A cell: numbers as floats, so that 1 and 1.0 are of one kind; what is nested as JSON."""
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int | float):
        return float(value)
    return json.dumps(value)


def _parsed(cell: str) -> float | str | None:
    """A cell of CSV: a number where it is one, missing where it is empty."""
    text = cell.strip()
    try:
        return float(text) if text else None
    except ValueError:
        return text
