"""Assembly: the files' rows of one model become one table, each prediction once, in order of event time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.traffic.format.rows import ANSWER_ID, CALLER, INPUT, OUTPUT, ROW_FIELDS, SAMPLING_RATE, ModelKey
from monitoring.traffic.format.tensors import merged_fields
from monitoring.traffic.log.conversion import POSITION
from monitoring.traffic.log.scans import Scan

REPEATS_KEY = b"pitfalls.repeats"
CONFLICTS_KEY = b"pitfalls.conflicts"  # repeats whose inputs are not those of the first row of their id
EXCLUDED_KEY = b"pitfalls.excluded"  # rows of callers that were to be left out
IDENTITY = ("request_id", "row", "event_time")  # columns that every scan must have
_KEY_TYPES = {"model": pa.string(), "version": pa.int64(), "signature": pa.string()}
_OPTIONAL = frozenset({ANSWER_ID, *CALLER})
_ROW_COLUMNS = tuple(field.name for field in ROW_FIELDS)


def assemble(scans: Sequence[Scan], fields: Sequence[pa.Field] = ()) -> pa.Table:
    """Merge the scans of one model. Cost: n log n in rows.

    Args:
        fields: The columns; none: those of the scans.

    Memory: where nobody else holds the scans, the table replaces them column by column; beyond it there are the rows'
    ids, and a few numbers per row.

    Returns:
        The table that `TrafficLog.read` describes. The schema's metadata counts the dropped repeats, and of those the
        ones with other inputs, among the columns that were read; and rows of excluded callers.
    """
    full = [(scan.key, scan) for scan in scans if scan.key is not None and scan.table.num_rows]
    keys = sorted({key for key, _ in full})
    counts = [scan.table.num_rows for _, scan in full]
    segments = {name: rank for rank, name in enumerate(sorted({scan.segment for _, scan in full}))}
    written = np.repeat(np.array([segments[scan.segment] for _, scan in full], np.int64), counts)
    owner = np.repeat(np.array([keys.index(key) for key, _ in full], np.int64), counts)
    rates = np.repeat(np.array([scan.sampling_rate for _, scan in full], np.float64), counts)
    tables = [scan.table for _, scan in full]
    fields = fields or columns_of([table.schema for table in tables])
    stored = {field.name: _column(tables, field) for field in fields}
    excluded = sum(scan.excluded for scan in scans)
    del scans, full, tables  # from here on a column is all that holds its rows
    identity = {name: stored[name].combine_chunks() for name in IDENTITY}
    ids = pc.binary_join_element_wise(identity["request_id"], identity["row"].cast(pa.string()), ":")
    first = _first_of_each(ids, written, stored[POSITION].to_numpy())
    first_rows = np.flatnonzero(first == np.arange(len(first)))
    conflicts = _conflicts(stored, first)
    order = _by_event_time(pa.table(identity), first_rows)
    del identity
    rows = None if np.array_equal(order, np.arange(len(ids))) else pa.array(order)  # None: as they were written
    columns = []
    for field in fields:
        column = stored.pop(field.name).combine_chunks()
        columns.append(column if rows is None else column.take(rows))
    table = pa.Table.from_arrays(columns, schema=pa.schema(fields))
    if (rates < 1.0).any():
        table = table.append_column(SAMPLING_RATE, pa.array(rates[order]))
    table = table.append_column("prediction_id", ids if rows is None else ids.take(rows))
    repeats = len(ids) - len(first_rows)
    totals = {REPEATS_KEY: repeats, CONFLICTS_KEY: conflicts, EXCLUDED_KEY: excluded}
    metadata = {name: str(total).encode() for name, total in totals.items()}
    return _named(table, keys, owner[order]).replace_schema_metadata(metadata)


def columns_of(schemas: Sequence[pa.Schema]) -> list[pa.Field]:
    """The columns of stored rows with some schemas. Raises BadInput if a column's type differs between them."""
    by_name: dict[str, list[pa.Field]] = {}
    for schema in distinct_schemas(schemas):
        for field in schema:
            by_name.setdefault(field.name, []).append(field)
    return [merged_fields(fields) for fields in by_name.values()] or [*ROW_FIELDS, pa.field(POSITION, pa.int64())]


def _column(tables: Sequence[pa.Table], field: pa.Field) -> pa.ChunkedArray:
    """All rows of a column, null where a table lacks it."""
    chunks: list[pa.Array] = []
    for table in tables:
        if field.name in table.column_names:
            column = table.column(field.name).cast(field.type)
            chunks += (_without_empty(column) if field.name in _OPTIONAL else column).chunks
        else:
            chunks.append(pa.nulls(table.num_rows, field.type))
    return pa.chunked_array(chunks, field.type)


def _without_empty(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """The texts, null where they are empty."""
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def distinct_schemas(schemas: Sequence[pa.Schema]) -> list[pa.Schema]:
    """Each of some schemas once."""
    distinct: list[pa.Schema] = []
    for schema in schemas:
        if not any(schema.equals(other, check_metadata=True) for other in distinct):
            distinct.append(schema)
    return distinct


def _first_of_each(ids: pa.Array, segment: np.ndarray, position: np.ndarray) -> np.ndarray:
    """For each row the index of the row of its id that was written first: by segment, then by position in it."""
    # A client chooses its ids: a later row may be one that another client sends under a known id.
    codes = ids.dictionary_encode().indices.to_numpy()
    distinct = int(codes.max(initial=-1)) + 1
    if distinct == len(codes):
        return np.arange(distinct)
    backwards = np.lexsort((position, segment))[::-1]
    first = np.zeros(distinct, np.int64)
    first[codes[backwards]] = backwards  # of equal indices, NumPy keeps the last
    places: np.ndarray = first[codes]
    return places


def _conflicts(stored: dict[str, pa.ChunkedArray], first: np.ndarray) -> int:
    """The number of repeats of which an input is not that of the first row of their id."""
    repeats = np.flatnonzero(first != np.arange(len(first)))
    differs = np.zeros(len(repeats), np.bool_)
    if len(repeats):
        for name, column in stored.items():
            if name.startswith(INPUT):
                ours, theirs = (column.take(pa.array(rows)).to_pylist() for rows in (repeats, first[repeats]))
                differs |= [repr(cell) != repr(other) for cell, other in zip(ours, theirs, strict=True)]  # NaN is NaN
    return int(differs.sum())


def _by_event_time(identity: pa.Table, rows: np.ndarray) -> np.ndarray:
    """Indices of the kept rows in order of event time, then request and row."""
    identity = identity.take(pa.array(rows))
    keys = [(name, "ascending") for name in ("event_time", "request_id", "row")]
    order = pc.sort_indices(identity, sort_keys=keys)
    by_time: np.ndarray = rows[order.to_numpy()]
    return by_time


def _named(table: pa.Table, keys: Sequence[ModelKey], owner: np.ndarray) -> pa.Table:
    """The columns in their documented order, with model, version and signature of each row."""
    owners = pa.array(owner)
    for name, kind in _KEY_TYPES.items():
        table = table.append_column(name, pa.array([getattr(key, name) for key in keys], kind).take(owners))
    there = table.column_names
    names = ["prediction_id", *(name for name in _ROW_COLUMNS if name in there), *_KEY_TYPES]
    names += [SAMPLING_RATE] if SAMPLING_RATE in there else []
    names += [name for prefix in (INPUT, OUTPUT) for name in there if name.startswith(prefix)]
    return table.select(names)
