"""Assembly: the pieces of one model become one table, each prediction once, in order of event time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.traffic.conversion import POSITION
from monitoring.traffic.pieces import Piece
from monitoring.traffic.rows import INPUT, OUTPUT, ROW_FIELDS, SAMPLING_RATE, ModelKey
from monitoring.traffic.tensors import merged_fields

REPEATS_KEY = b"pitfalls.repeats"
IDENTITY = ("request_id", "row", "event_time")  # what every piece must have been read with
_KEY_TYPES = {"model": pa.string(), "version": pa.int64(), "signature": pa.string()}
_ROW_COLUMNS = tuple(field.name for field in ROW_FIELDS)


def assemble(pieces: Sequence[Piece]) -> pa.Table:
    """The rows of the pieces (of one model), as `TrafficLog.read` describes them. n log n in rows."""
    full = [(piece.key, piece) for piece in pieces if piece.key is not None and piece.table.num_rows]
    keys = sorted({key for key, _ in full})
    stored = _concatenated([piece for _, piece in full])
    counts = [piece.table.num_rows for _, piece in full]
    ids = pc.binary_join_element_wise(stored.column("request_id"), stored.column("row").cast(pa.string()), ":")
    segments = {name: rank for rank, name in enumerate(sorted({piece.segment for _, piece in full}))}
    written = np.repeat(np.array([segments[piece.segment] for _, piece in full], np.int64), counts)
    kept = _last_of_each(ids, written, stored.column(POSITION).to_numpy())
    order = _by_event_time(stored, kept)
    owner = np.repeat(np.array([keys.index(key) for key, _ in full], np.int64), counts)[order]
    rows = pa.array(order)
    rates = np.repeat(np.array([piece.sampling_rate for _, piece in full], np.float64), counts)
    if (rates < 1.0).any():
        stored = stored.append_column(SAMPLING_RATE, pa.array(rates))
    table = stored.append_column("prediction_id", ids)
    if not np.array_equal(order, np.arange(stored.num_rows)):  # else it is as it was written, and needs no copy
        table = table.take(rows)
    return _named(table, keys, owner).replace_schema_metadata({REPEATS_KEY: str(stored.num_rows - len(kept)).encode()})


def _concatenated(pieces: Sequence[Piece]) -> pa.Table:
    """All rows in one table of one chunk; nulls where a piece lacks a column."""
    by_name: dict[str, list[pa.Field]] = {}
    for schema in _distinct([piece.table.schema for piece in pieces]):
        for field in schema:
            by_name.setdefault(field.name, []).append(field)
    if not by_name:
        return pa.schema([*ROW_FIELDS, pa.field(POSITION, pa.int64())]).empty_table()
    united = pa.schema([merged_fields(fields) for fields in by_name.values()])
    return pa.concat_tables([_conformed(piece.table, united) for piece in pieces]).combine_chunks()


def _distinct(schemas: Sequence[pa.Schema]) -> list[pa.Schema]:
    found: list[pa.Schema] = []
    for schema in schemas:
        if not any(schema.equals(other, check_metadata=True) for other in found):
            found.append(schema)
    return found


def _conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    there = set(table.column_names)
    columns = [
        table.column(field.name) if field.name in there else pa.nulls(table.num_rows, field.type) for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _last_of_each(ids: pa.ChunkedArray, segment: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Indices of the last written row of each id; "last" is by segment, then by position in it."""
    codes = ids.combine_chunks().dictionary_encode().indices.to_numpy()
    distinct = int(codes.max(initial=-1)) + 1
    if distinct == len(codes):
        return np.arange(distinct)
    in_order = np.lexsort((position, segment))
    last = np.zeros(distinct, np.int64)
    last[codes[in_order]] = in_order  # of equal indices, NumPy keeps the last
    return last


def _by_event_time(stored: pa.Table, kept: np.ndarray) -> np.ndarray:
    identity = stored.select(["event_time", "request_id", "row"]).take(pa.array(kept))
    order = pc.sort_indices(identity, sort_keys=[(name, "ascending") for name in identity.column_names])
    by_time: np.ndarray = kept[order.to_numpy()]
    return by_time


def _named(table: pa.Table, keys: Sequence[ModelKey], owner: np.ndarray) -> pa.Table:
    """The columns in the order of the contract, with whose answer each row is."""
    owners = pa.array(owner)
    for name, kind in _KEY_TYPES.items():
        table = table.append_column(name, pa.array([getattr(key, name) for key in keys], kind).take(owners))
    there = table.column_names
    names = ["prediction_id", *(name for name in _ROW_COLUMNS if name in there), *_KEY_TYPES]
    names += [SAMPLING_RATE] if SAMPLING_RATE in there else []
    names += [name for prefix in (INPUT, OUTPUT) for name in there if name.startswith(prefix)]
    return table.select(names)
