"""A table's columns as JSON request bodies: each column is converted once, then sliced."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from monitoring.errors import BadInput

ARROW_TYPES = {
    "DT_FLOAT": pa.float32(),
    "DT_DOUBLE": pa.float64(),
    "DT_INT8": pa.int8(),
    "DT_INT16": pa.int16(),
    "DT_INT32": pa.int32(),
    "DT_INT64": pa.int64(),
    "DT_UINT8": pa.uint8(),
    "DT_UINT32": pa.uint32(),
    "DT_UINT64": pa.uint64(),
    "DT_BOOL": pa.bool_(),
    "DT_STRING": pa.string(),
}
FLOATS = {"DT_FLOAT", "DT_DOUBLE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """An input of the served model, from its metadata."""

    name: str
    dtype: str
    """Protobuf's name, for example ``DT_FLOAT``."""
    rank: int | None
    """Number of dimensions, including rows; None if unknown."""


def read_specs(metadata: Mapping[str, Any]) -> tuple[InputSpec, ...]:
    """Read the inputs of ``serving_default``. Returns the inputs, sorted by name."""
    signatures = metadata["metadata"]["signature_def"]["signature_def"]
    if "serving_default" not in signatures:
        raise BadInput(
            "The served model has no default signature.",
            got=f"signatures {', '.join(sorted(signatures))}",
            expected="a signature serving_default",
            fix="Export the model with one.",
        )
    specs = []
    for name, info in sorted(signatures["serving_default"]["inputs"].items()):
        shape = info["tensor_shape"]
        rank = None if shape.get("unknown_rank") else len(shape.get("dim", ()))
        specs.append(InputSpec(name=name, dtype=info["dtype"], rank=rank))
    return tuple(specs)


class FeatureColumns:
    """The feature columns of a table, converted for request bodies.

    Nulls of a float column are sent as NaN, those of a string column as the empty string.
    """

    def __init__(self, table: pa.Table, specs: Sequence[InputSpec]) -> None:
        missing = [spec.name for spec in specs if spec.name not in table.column_names]
        if missing:
            raise BadInput(
                f"The table lacks {'columns' if len(missing) > 1 else 'a column'} that the model needs: "
                f"{', '.join(missing)}.",
                got=", ".join(table.column_names),
                expected=", ".join(spec.name for spec in specs),
                fix="Add the columns, or rename existing ones.",
            )
        self._columns = {spec.name: _convert(table.column(spec.name), spec) for spec in specs}

    def body(self, start: int, stop: int, form: str) -> bytes:
        """Encode a predict request."""
        slices = {name: values[start:stop] for name, values in self._columns.items()}
        if form == "rows":
            columns = {name: _plain(values) for name, values in slices.items()}
            rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
            return json.dumps({"instances": rows}).encode()
        members = (orjson.dumps(name) + b":" + _encode(values) for name, values in slices.items())
        return b'{"inputs":{' + b",".join(members) + b"}}"


def _convert(column: pa.ChunkedArray, spec: InputSpec) -> Any:
    """Convert to a numpy array of numbers, or to a list of other values, one entry per row."""
    if pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type):
        return column.to_pylist()
    arrow_type = ARROW_TYPES.get(spec.dtype)
    if arrow_type is None:
        raise _does_not_fit(spec, f"{spec.dtype}, which JSON cannot carry")
    try:
        values = column.cast(arrow_type, safe=spec.dtype not in FLOATS)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise _does_not_fit(spec, f"{column.type} ({error})") from error
    if spec.dtype == "DT_STRING":
        values = values.fill_null("")
    elif spec.dtype not in FLOATS and values.null_count:
        raise _does_not_fit(spec, f"{values.null_count} nulls")
    extra = (1,) * ((spec.rank or 1) - 1)
    if spec.dtype in {"DT_STRING", "DT_BOOL"}:
        return [_wrap(value, len(extra)) for value in values.to_pylist()]
    return values.to_numpy().reshape(len(values), *extra)


def _wrap(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value


def _encode(values: Any) -> bytes:
    if not isinstance(values, np.ndarray):
        return orjson.dumps(values)
    if values.dtype.kind == "f":
        if np.isinf(values).any():
            return json.dumps(values.tolist()).encode()
        return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY).replace(b"null", b"NaN")
    return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)


def _plain(values: Any) -> list[Any]:
    plain: list[Any] = values.tolist() if isinstance(values, np.ndarray) else values
    return plain


def _does_not_fit(spec: InputSpec, got: str) -> BadInput:
    return BadInput(
        f"Column {spec.name!r} does not fit the model's input.",
        got=got,
        expected=f"values of {spec.dtype}",
        fix="Convert the column first.",
    )
