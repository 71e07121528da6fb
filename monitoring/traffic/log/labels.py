"""Labels: the truth about predictions, later, in order of arrival.

Appends of all writers of a folder are in one order: each takes the folder's lock, and a writer whose segment is no
longer the newest begins another. So no segment grows once a later one exists, and a label keeps its place for ever.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.log.label_file import read_label_file
from monitoring.traffic.log.listing import LABELS, check_root
from monitoring.traffic.log.rows import MOMENT
from monitoring.traffic.log.segments import FORMAT, FORMAT_KEY, SegmentFile, microseconds, read_segment, segments_in

__all__ = ["LabelLog", "LabelSummary", "LabelWriter", "read_label_file"]

_SCHEMA = pa.schema(
    [
        pa.field("prediction_id", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("label_time", MOMENT, nullable=False),
        pa.field("arrived_at", MOMENT, nullable=False),
    ],
    metadata={FORMAT_KEY: FORMAT},
)
_LOCK = "lock"


class LabelWriter:
    """Appends labels to the traffic log in `root`. Thread-safe, and safe beside other writers of the same folder.

    `clock` gives the wall-clock time (aware): the time of arrival. Raises CannotRun if the folder cannot be written.
    """

    def __init__(self, root: Path, *, clock: Callable[[], datetime]) -> None:
        self._folder = root / LABELS
        self._clock = clock
        self._lock = threading.Lock()
        self._segment: SegmentFile | None = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._gate = os.open(self._folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o644)
        except OSError as error:
            raise CannotRun(
                "Labels cannot be written.",
                got=f"{self._folder}: {error.strerror}",
                expected="a folder this user may write",
                fix="Give another folder, or the right to write.",
            ) from error

    def append(
        self,
        prediction_ids: Sequence[str] | pa.Array,
        labels: Sequence[str] | pa.Array,
        label_times_us: Sequence[int] | np.ndarray,
    ) -> None:
        """Appends labels, all or none of them, by one `write`; no labels do nothing.

        `label_times_us` is when each label became known, in microseconds since 1970, UTC. Raises OSError if the disk
        fails, BadInput if the three differ in length or hold a null.
        """
        if not len(prediction_ids) == len(labels) == len(label_times_us):
            raise BadInput(
                "The labels do not fit together.",
                got=f"{len(prediction_ids)} prediction ids, {len(labels)} labels, {len(label_times_us)} times",
                expected="as many of each",
                fix="Give one of each per label.",
            )
        if not len(prediction_ids):
            return
        columns = [
            _words(prediction_ids),
            _words(labels),
            pa.array(np.asarray(label_times_us, np.int64)).cast(MOMENT),
        ]
        if columns[0].null_count or columns[1].null_count:
            raise BadInput("A label is not one.", got="null", expected="an id and a label", fix="Leave it out.")
        with self._lock, self._turn():
            segment = self._newest()
            now = np.full(len(labels), microseconds(self._clock()), np.int64)
            columns.append(pa.array(now).cast(MOMENT))
            record = pa.RecordBatch.from_arrays(columns, schema=_SCHEMA).serialize().to_pybytes()
            written = False
            try:
                segment.append(record if segment.size else _SCHEMA.serialize().to_pybytes() + record)
                written = True
            finally:
                if not written:
                    self._let_go()

    def close(self) -> None:
        """Lets go of the segment; it stays as it is. Idempotent."""
        with self._lock:
            self._let_go()
            if self._gate >= 0:
                os.close(self._gate)
                self._gate = -1

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._gate < 0:
            raise CannotRun(
                "The labels' writer is closed.",
                got="labels after close()",
                expected="labels before it",
                fix="Open another.",
            )
        fcntl.flock(self._gate, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._gate, fcntl.LOCK_UN)

    def _newest(self) -> SegmentFile:
        there = segments_in(self._folder)
        if self._segment is None or there[-1:] != (self._segment.path,):
            self._let_go()
            self._segment = SegmentFile.create(self._folder, self._clock(), after=there[-1].stem if there else "")
        return self._segment

    def _let_go(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.release() if segment.size else segment.remove()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSummary:
    """How many labels have arrived. `rows` = `distinct` + `repeats`."""

    rows: int
    distinct: int  # predictions that have a label
    repeats: int  # labels for a prediction that had one already
    conflicts: int  # predictions that were given two different labels
    torn_bytes: int
    damaged_bytes: int = 0
    """Bytes behind a damaged spot, which hold whole labels that are not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A segment whose last bytes could not be read: torn off an append, or behind bytes that are `damaged`."""

    path: Path
    unread_bytes: int
    damaged: bool


class LabelLog:
    """Reads the labels of the traffic log in `root`. Raises BadInput if there is no such log."""

    def __init__(self, root: Path) -> None:
        check_root(root)
        self._folder = root / LABELS
        self._unread: tuple[Unread, ...] | None = None

    def read(self, *, start: datetime | None = None, end: datetime | None = None) -> pa.Table:
        """The labels whose `label_time` is in [start, end), in order of arrival, repeats kept.

        Columns: prediction_id string, label string, label_time and arrived_at timestamps, sequence int64: the place in
        the order of arrival of all labels, from 0. A label keeps its sequence for ever; later ones add to the end.
        """
        table, _ = self._load()
        times = table.column("label_time")
        if start is not None:
            table = table.filter(pc.greater_equal(times, pa.scalar(start, MOMENT)))
        if end is not None:
            table = table.filter(pc.less(table.column("label_time"), pa.scalar(end, MOMENT)))
        return table

    def latest(self) -> pa.Table:
        """One row per prediction, as it is believed now: the last label to arrive wins. Columns as in `read`."""
        table, _ = self._load()
        codes = _codes(table.column("prediction_id"))
        last = np.zeros(int(codes.max(initial=-1)) + 1, np.int64)
        last[codes] = np.arange(len(codes))
        return table.take(pa.array(np.sort(last)))

    def summary(self) -> LabelSummary:
        """Counts over all labels that have arrived."""
        table, damage = self._load()
        codes = _codes(table.column("prediction_id"))
        distinct = int(codes.max(initial=-1)) + 1
        pairs = np.unique(np.stack([codes, _codes(table.column("label"))]), axis=1)
        versions = np.bincount(pairs[0], minlength=distinct)
        return LabelSummary(
            rows=len(codes),
            distinct=distinct,
            repeats=len(codes) - distinct,
            conflicts=int(np.count_nonzero(versions > 1)),
            torn_bytes=sum(each.unread_bytes for each in damage if not each.damaged),
            damaged_bytes=sum(each.unread_bytes for each in damage if each.damaged),
        )

    def damage(self) -> tuple[Unread, ...]:
        """The segments of which bytes in the midst are damaged, so that whole labels behind them are not read.

        As the log was when it was read last; it is read now if it was not.
        """
        unread = self._load()[1] if self._unread is None else self._unread
        return tuple(each for each in unread if each.damaged)

    def _load(self) -> tuple[pa.Table, tuple[Unread, ...]]:
        contents = {path: read_segment(path) for path in segments_in(self._folder)}
        tables = [each.table.select(_SCHEMA.names) for each in contents.values() if each.table is not None]
        table = pa.concat_tables([_SCHEMA.empty_table(), *tables]).replace_schema_metadata(None)
        sequence = pa.array(np.arange(table.num_rows, dtype=np.int64))
        table = table.append_column(pa.field("sequence", pa.int64(), nullable=False), sequence)
        unread = tuple(
            Unread(path=path, unread_bytes=each.torn_bytes, damaged=each.damaged)
            for path, each in contents.items()
            if each.torn_bytes
        )
        self._unread = unread
        return table, unread


def _words(given: Sequence[str] | pa.Array) -> pa.Array:
    return given.cast(pa.string()) if isinstance(given, pa.Array) else pa.array(given, pa.string())


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    """An integer per distinct string, in order of first appearance."""
    codes: np.ndarray = column.combine_chunks().dictionary_encode().indices.to_numpy()
    return codes
