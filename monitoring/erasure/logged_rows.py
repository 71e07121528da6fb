"""Erasing rows of a traffic log: of its parts, here and in the archive, and of segments that are not converted yet.

A segment belongs to the process that writes it. An erasure converts those whose process is gone, without the erased
rows; a running server closes its own within a second, as it sees the erasure, and converts them likewise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from monitoring.erasure.change import Change, ErasedRows, replaced_file
from monitoring.erasure.wanted_rows import (
    ID_COLUMNS,
    REQUEST_ID,
    ROW,
    ColumnValue,
    WantedRows,
    group_bounds,
    id_columns,
)
from monitoring.errors import BadInput
from monitoring.traffic.format.layout import MODEL_PREFIX, OPEN, PART_SUFFIX
from monitoring.traffic.format.parquet_file import parquet_bytes
from monitoring.traffic.format.rows import ANSWER_ID, answer_ids, prediction_ids
from monitoring.traffic.format.segments import read_segment, segments_in
from monitoring.traffic.log.archive import all_parts, part_lock
from monitoring.traffic.log.listing import PartFile, Selection, list_traffic, read_archive
from monitoring.traffic.log.scans import opened
from monitoring.traffic.remote.file_store import FileStore


def ids_where(root: Path, where: ColumnValue) -> tuple[str, ...]:
    """The ids of the rows with a value in a column.

    Cost: the footer of every part; where the value is between the column's bounds in a row group, three columns of it.

    Args:
        where: The column, by its name in the log or as the bare name of an input or output; and the value.
    """
    matches: set[str] = set()
    columns: set[str] = set()
    has_column = False
    for table in _open_tables(root):
        columns.update(table.column_names)
        name = where.column_in(table.column_names)
        has_column |= name is not None
        matches.update(_matching(table, where, name))
    for part in _parts(root):
        with opened(part) as file:
            columns.update(file.schema_arrow.names)
            name = where.column_in(file.schema_arrow.names)
            has_column |= name is not None
            groups = [] if name is None else [i for i in range(file.num_row_groups) if _may_have(file, i, name, where)]
            if groups:
                picked = list(dict.fromkeys((REQUEST_ID, ROW, name)))
                matches.update(_matching(file.read_row_groups(groups, columns=picked), where, name))
    if not has_column and columns:
        raise BadInput(
            "No row of the log has the column of --where.",
            got=where.column,
            expected=", ".join(sorted(columns - {ROW, "position"})),
            fix="Name one of these; an input or output may go by its bare name. A column that --redact leaves out "
            "cannot be searched: give ids.",
        )
    return tuple(sorted(matches))


def both_ids(root: Path, ids: tuple[str, ...]) -> tuple[str, ...]:
    """Ids of predictions with all that labels may call them: the caller's ids, and the server's own of their answers.

    All rows of a prediction's id go by it, whoever sent them. Cost: as `WantedRows.count` for every part; twice for
    ids of answers.
    """
    all_ids = set(ids)
    while True:
        wanted = WantedRows(ids=tuple(sorted(all_ids)))
        tables = list(_open_tables(root))
        for part in _parts(root):
            with opened(part) as file:
                if wanted.count(file):
                    tables.append(file.read(columns=id_columns(file)))
        predictions: set[str] = set()
        answers: set[str] = set()
        for table in tables:
            rows = table.filter(pa.array(wanted.of_rows(table)))
            predictions.update(prediction_ids(rows).to_pylist())
            if ANSWER_ID in rows.column_names:
                answers.update(answer for answer in answer_ids(rows).to_pylist() if not answer.startswith(":"))
        complete = predictions <= all_ids
        all_ids |= predictions | answers
        if complete:  # no other row can have the server's own id of one of these
            return tuple(sorted(all_ids))


def _open_tables(root: Path) -> Iterator[pa.Table]:
    """The rows of segments that are not converted. One that is converted meanwhile is read as parts."""
    for path in segments_in(root / OPEN):
        with suppress(FileNotFoundError):
            table = read_segment(path).table
            if table is not None:
                yield table


def _parts(root: Path) -> tuple[PartFile, ...]:
    """Every part, here or in the archive, those in quarantine too."""
    listings = [list_traffic(root, Selection(quarantined=quarantined)) for quarantined in (False, True)]
    return tuple(part for listing in listings for part in listing.parts)


def _matching(table: pa.Table, where: ColumnValue, name: str | None) -> list[str]:
    if name is None:
        return []
    ids: list[str] = prediction_ids(table.filter(pa.array(where.matches(table[name])))).to_pylist()
    return ids


def _may_have(file: pq.ParquetFile, group: int, name: str, where: ColumnValue) -> bool:
    bounds = group_bounds(file, group, name)
    if bounds is None:
        return True
    low, high = bounds
    try:
        if isinstance(low, bytes) and isinstance(high, bytes):
            return low <= where.value.encode() <= high
        if isinstance(low, str) and isinstance(high, str):
            return low <= where.value <= high
        if isinstance(low, int) and isinstance(high, int):
            return low <= int(where.value) <= high
    except ValueError:
        return not isinstance(low, int)
    return True  # numbers are compared in the type of the column alone


def open_segments(root: Path, wanted: WantedRows) -> list[ErasedRows]:
    """The segments in `open` that have wanted rows. Cost: each is read."""
    changes = []
    for path in segments_in(root / OPEN):
        try:
            data = path.read_bytes()
            table = read_segment(path, ID_COLUMNS).table
        except FileNotFoundError:  # converted since
            continue
        count = 0 if table is None else int(wanted.of_rows(table).sum())
        if table is not None and count:
            changes.append(
                ErasedRows(
                    kind="open segment",
                    file=f"{OPEN}/{path.name}",
                    rows=table.num_rows,
                    removed=count,
                    sha256_before=hashlib.sha256(data).hexdigest(),
                    sha256_after=None,
                )
            )
    return changes


def part_changes(root: Path, wanted: WantedRows) -> Iterator[Change]:
    """The parts with wanted rows, here and then in the archive, each without them.

    Other rows keep their order, the schema its metadata, and a part without rows stays as an empty one. Each change is
    to be applied before the next is asked for: no part is moved to the archive meanwhile.

    Cost: as `WantedRows.count` for every part; parts with wanted rows are read and written.

    Raises:
        CannotRun: a part, or the archive, cannot be read or written.
    """
    for part in all_parts(root):
        with part_lock(root):
            if not part.path.exists():  # moved to the archive since
                continue
            with opened(part) as file:
                rows = file.read() if wanted.count(file) else None
            if rows is not None:
                mask = wanted.of_rows(rows)
                content, removed = parquet_bytes(rows.filter(pa.array(~mask))), int(mask.sum())
                yield replaced_file(part.path, content, kind="part", name=part.key, rows=rows.num_rows, removed=removed)
    store = read_archive(root)
    for key in [] if store is None else store.find():
        if store is not None and key.startswith(MODEL_PREFIX) and key.endswith(PART_SUFFIX):
            yield from _archived(store, key, wanted)


def _archived(store: FileStore, key: str, wanted: WantedRows) -> Iterator[Change]:
    with store.parquet(key) as file:
        if not wanted.count(file):
            return
    before = store.read(key)
    rows = pq.read_table(pa.BufferReader(before))
    mask: NDArray[np.bool_] = wanted.of_rows(rows)
    content = parquet_bytes(rows.filter(pa.array(~mask)))
    yield Change(
        erased=ErasedRows(
            kind="archived part",
            file=key,
            rows=rows.num_rows,
            removed=int(mask.sum()),
            sha256_before=hashlib.sha256(before).hexdigest(),
            sha256_after=hashlib.sha256(content).hexdigest(),
        ),
        apply=lambda: store.write(key, content),
    )


def still_open(root: Path, segments: Sequence[ErasedRows]) -> tuple[ErasedRows, ...]:
    """Those of some open segments that are there yet."""
    return tuple(segment for segment in segments if (root / segment.file).exists())
