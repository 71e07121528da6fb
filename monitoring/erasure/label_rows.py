"""Erasing labels: of a label log, where each leaves an empty one behind, and of labels counted with a table's rows."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.erasure.change import Change, Unreached, replaced_file
from monitoring.erasure.wanted_rows import WantedRows
from monitoring.traffic.format.layout import LABELS
from monitoring.traffic.format.segments import SegmentContents, SegmentFile, read_segment, segments_in
from monitoring.traffic.id_keys import id_keys
from monitoring.traffic.labels.label_retention import LOCK
from monitoring.traffic.labels.label_writer import LABEL_SCHEMA, with_owners
from monitoring.traffic.tables.inline_labels import BY_ID, FOLDER, counted_bytes, read_counted


def label_changes(root: Path, wanted: WantedRows, clock: Callable[[], datetime]) -> Iterator[Change]:
    """The segments of a label log with wanted labels, each with empty ones in their places.

    A label's place in the log is its sequence number, by which the monitor knows which labels it has read; so places
    stay. Bytes of interrupted appends at the end of such a segment are cut off. Writers wait meanwhile, and go on in a
    new segment. Each change is to be applied before the next is asked for.

    Cost: every segment is read; those with wanted labels are written.

    Args:
        clock: Gives the time, aware, for the name of a new segment.

    Raises:
        OSError: the disk fails.
    """
    folder = root / LABELS
    if not segments_in(folder):
        return
    with _locked(folder):
        segments = segments_in(folder)
        for path in segments:
            contents = read_segment(path)
            emptied = _emptied(contents, wanted)
            if emptied is None:
                continue
            table, removed = emptied
            data = LABEL_SCHEMA.serialize().to_pybytes()
            data += b"".join(batch.serialize().to_pybytes() for batch in table.to_batches())
            if contents.damaged:
                data += path.read_bytes()[-contents.torn_bytes :]
            name = f"{LABELS}/{path.name}"
            change = replaced_file(path, data, kind="label log", name=name, rows=table.num_rows, removed=removed)
            yield change if path != segments[-1] else replace(change, apply=_after_another(change, path, clock))


def _after_another(change: Change, path: Path, clock: Callable[[], datetime]) -> Callable[[], None]:
    """Apply a change to the newest segment after a newer one was made: whoever appends to it goes on in another."""

    def apply() -> None:
        SegmentFile.create(path.parent, clock(), after=path.stem).release()
        change.apply()

    return apply


def unreadable_labels(root: Path) -> tuple[Unreached, ...]:
    """The segments of a label log with damaged bytes, behind which nothing can be erased."""
    return tuple(
        Unreached(
            what=f"{LABELS}/{path.name}",
            why="its labels behind damaged bytes cannot be read",
            fix="Restore the file from a backup and run again; or delete it, with `monitor run --new-label-log` after.",
        )
        for path in segments_in(root / LABELS)
        if read_segment(path).damaged
    )


def counted_changes(root: Path, wanted: WantedRows) -> Iterator[Change]:
    """The files of labels that were counted with a table's rows, without those known by a wanted id.

    Rows that are known by their place in a file have no id and stay.

    Cost: every file is read.
    """
    if not (root / FOLDER).is_dir() or not wanted.ids:
        return
    keys = np.unique(id_keys(pa.array(wanted.ids, pa.string())))
    for path in sorted((root / FOLDER).glob("*-*.parquet")):
        table = read_counted(path)
        by_id = np.asarray(table["file"].cast(pa.string()).to_pylist(), dtype=object) == BY_ID
        mask = by_id & np.isin(table["row"].to_numpy(), keys)
        if mask.any():
            kept = counted_bytes(table.filter(pa.array(~mask)))
            name, removed = f"{FOLDER}/{path.name}", int(mask.sum())
            yield replaced_file(path, kept, kind="counted labels", name=name, rows=table.num_rows, removed=removed)


def _emptied(contents: SegmentContents, wanted: WantedRows) -> tuple[pa.Table, int] | None:
    """The labels with empty ones for those wanted, and their number; None if there is none."""
    if contents.table is None or not contents.table.num_rows:
        return None
    table = with_owners(contents.table)
    mask = wanted.of_ids(table["prediction_id"].combine_chunks())
    if not mask.any():
        return None
    columns = []
    for field in LABEL_SCHEMA:
        column = table[field.name].combine_chunks()
        empty = pa.scalar("" if pa.types.is_string(field.type) else 0).cast(field.type)
        empty = pa.scalar(None, field.type) if field.nullable else empty
        columns.append(pc.if_else(pa.array(mask), empty, column))
    return pa.Table.from_arrays(columns, schema=LABEL_SCHEMA), int(mask.sum())


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
