"""The labelled table: answered rows with their labels, under the names that other tools expect."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from monitoring.traffic.format.rows import ANSWER_ID, CALLER, INPUT, OUTPUT, SAMPLING_RATE, TIMESTAMP
from monitoring.traffic.format.tensors import flatten_scalars

_ROW_COLUMNS = ("prediction_id", "request_id", "row", "event_time", "model", "version", "signature")
_OPTIONAL_COLUMNS = (ANSWER_ID, *CALLER)
_LABEL_COLUMNS = ("label", "label_time")


def join_labels(rows: pa.Table, labels: pa.Table, more: tuple[str, ...] = ()) -> pa.Table:
    """Join rows and labels by prediction id.

    Args:
        rows: As `TrafficLog.read` returns them.
        labels: As `LabelLog.latest` returns them.

    Returns:
        One row per answered row, with the columns that `TrafficLog.table` describes.
    """
    rows = flatten_scalars(rows)
    for name in _OPTIONAL_COLUMNS:
        if name not in rows.column_names:
            rows = rows.append_column(name, pa.nulls(rows.num_rows, pa.string()))
    names = [*_ROW_COLUMNS, *more, *_OPTIONAL_COLUMNS, *([SAMPLING_RATE] if SAMPLING_RATE in rows.column_names else [])]
    fields = [rows.schema.field(name) for name in names]
    columns: list[pa.ChunkedArray] = [rows.column(name) for name in names]
    for name, plain in plain_names(rows.column_names).items():
        fields.append(rows.schema.field(name).with_name(plain))
        columns.append(rows.column(name))
    found = _label_of_each(rows, labels)
    for name, kind in zip(_LABEL_COLUMNS, (pa.string(), TIMESTAMP), strict=True):
        fields.append(pa.field(name, kind))
        columns.append(labels.column(name).combine_chunks().take(found))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _label_of_each(rows: pa.Table, labels: pa.Table) -> pa.ChunkedArray:
    """The place of each row's label, null where it has none: of several, the last to arrive."""
    places = pc.index_in(rows.column("prediction_id"), value_set=labels.column("prediction_id").combine_chunks())
    if "version" not in labels.column_names or labels["version"].null_count == labels.num_rows:
        return places
    found = []
    for has_version in (False, True):
        mine = pc.indices_nonzero(pc.is_valid(labels["version"]) if has_version else pc.is_null(labels["version"]))
        some = labels.take(mine)
        keys = (_versioned(rows), _versioned(some)) if has_version else (rows["prediction_id"], some["prediction_id"])
        found.append(pc.take(mine, pc.index_in(keys[0], value_set=keys[1].combine_chunks())))
    return pc.max_element_wise(*found)  # labels stand in order of arrival


def _versioned(table: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(table["prediction_id"], table["version"].cast(pa.string()), "\0")


def plain_names(columns: list[str]) -> dict[str, str]:
    """Names without prefix for tensor columns; the prefixed name where another column has the bare one.

    >>> plain_names(["row", "input:temp", "input:row", "output:temp", "output:p"])
    {'input:temp': 'temp', 'input:row': 'input:row', 'output:temp': 'output:temp', 'output:p': 'p'}

    Args:
        columns: All column names; those without a tensor prefix are ignored.

    Returns:
        The plain name of each tensor column.
    """
    taken = {*_ROW_COLUMNS, *_OPTIONAL_COLUMNS, SAMPLING_RATE, *_LABEL_COLUMNS}
    names: dict[str, str] = {}
    for prefix in (INPUT, OUTPUT):
        for name in columns:
            if name.startswith(prefix):
                bare = name.removeprefix(prefix)
                names[name] = name if bare in taken else bare
                taken.add(names[name])
    return names
