"""The writer of labels.

The appends of all writers of a folder have one order: each writer takes the folder's lock, and one whose segment is no
longer the newest begins another. So no segment grows once a later one exists, and a label keeps its sequence number.
A label that was erased leaves an empty one behind.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from monitoring.atomic import sync_folder
from monitoring.errors import BadInput, CannotRun
from monitoring.timestamps import as_microseconds
from monitoring.traffic.erased_ids import ErasedIds, erasure_names, read_erased_ids
from monitoring.traffic.format.layout import LABELS
from monitoring.traffic.format.rows import TIMESTAMP
from monitoring.traffic.format.segments import FORMAT, FORMAT_KEY, SegmentFile, segments_in
from monitoring.traffic.labels.label_retention import LOCK

LABEL_SCHEMA = pa.schema(
    [
        pa.field("prediction_id", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("label_time", TIMESTAMP, nullable=False),
        pa.field("arrived_at", TIMESTAMP, nullable=False),
        pa.field("model", pa.string()),
        pa.field("version", pa.int64()),
    ],
    metadata={FORMAT_KEY: FORMAT},
)
#: A segment takes labels for a day, so that old ones can be deleted segment by segment.
_DAY_US = 86_400_000_000

#: And no more than so many bytes, and those of one `append`, as a segment is read whole.
_SEGMENT_BYTES = 16 << 20


class LabelWriter:
    """Appends labels to the traffic log in `root`. Thread-safe; several processes may write to one folder.

    Args:
        root: The log's folder; it is made where there is none.
        clock: Gives the wall-clock time (aware): the time of arrival.
    """

    def __init__(self, root: Path, *, clock: Callable[[], datetime]) -> None:
        self._folder = root / LABELS
        self._clock = clock
        self._lock = threading.Lock()
        self._segment: SegmentFile | None = None
        self._erased = ErasedIds(key=b"")
        self._erasures: tuple[str, ...] = ()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._folder_lock = os.open(self._folder / LOCK, os.O_CREAT | os.O_RDWR, 0o644)
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
        *,
        models: Sequence[str | None] | pa.Array | None = None,
        versions: Sequence[int | None] | pa.Array | None = None,
        sync: bool = False,
    ) -> int:
        """Append labels, all or none of them, by one `write`; those of ids that were erased from the log are left out.

        A label that names no model is one of every model that has its id, and one that names no version of all of them.

        Args:
            label_times_us: When each label became known, in microseconds since 1970, UTC.
            models: The model that each label is for; None for all.
            versions: The version that each label is for, with a model; None for all.
            sync: Whether they must survive a power cut when this returns.

        Raises:
            BadInput: the three differ in length, or hold a null.
            CannotRun: the writer is closed, or it cannot be read which ids were erased.
            OSError: the disk fails; none of them was added.
        """
        count = len(prediction_ids)
        columns = [
            _strings(prediction_ids),
            _strings(labels),
            pa.array(np.asarray(label_times_us, np.int64)).cast(TIMESTAMP),
            _owners(models, pa.string(), count),
            _owners(versions, pa.int64(), count),
        ]
        _check(columns)
        if not count:
            return 0
        with self._lock, self._exclusive():
            columns = self._without_erased(columns)
            count = len(columns[0])
            if not count:
                return 0
            now = self._clock()
            segment = self._newest(now)
            columns.insert(3, pa.array(np.full(count, as_microseconds(now), np.int64)).cast(TIMESTAMP))
            record = pa.RecordBatch.from_arrays(columns, schema=LABEL_SCHEMA).serialize().to_pybytes()
            written = False
            try:
                fresh = not segment.size
                segment.append(*((LABEL_SCHEMA.serialize(),) if fresh else ()), record, sync=sync)
                written = True
                if sync and fresh:
                    sync_folder(self._folder)
            finally:
                if not written:
                    self._release()
        return count

    def close(self) -> None:
        """Release the segment and the lock; the labels stay as they are. Idempotent."""
        with self._lock:
            self._release()
            if self._folder_lock >= 0:
                os.close(self._folder_lock)
                self._folder_lock = -1

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        if self._folder_lock < 0:
            raise CannotRun(
                "The label writer is closed.",
                got="labels after close()",
                expected="labels before it",
                fix="Open another writer.",
            )
        fcntl.flock(self._folder_lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._folder_lock, fcntl.LOCK_UN)

    def _without_erased(self, columns: list[pa.Array]) -> list[pa.Array]:
        """The labels whose ids were not erased. An erasure takes the folder's lock too: it is seen from then on."""
        names = erasure_names(self._folder.parent)
        if names != self._erasures:
            self._erased, self._erasures = read_erased_ids(self._folder.parent), names
        if not self._erased.hashes:
            return columns
        mask = pa.array(~self._erased.contains(columns[0]))
        return [column.filter(mask) for column in columns]

    def _newest(self, now: datetime) -> SegmentFile:
        segments = segments_in(self._folder)
        full = self._segment is not None and (
            self._segment.size >= _SEGMENT_BYTES or as_microseconds(now) - _created_us(self._segment.path) >= _DAY_US
        )
        if self._segment is None or full or segments[-1:] != (self._segment.path,):
            self._release()
            self._segment = SegmentFile.create(self._folder, now, after=segments[-1].stem if segments else "")
        return self._segment

    def _release(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.release() if segment.size else segment.remove()


def _created_us(path: Path) -> int:
    """When a segment was created, by its name, in microseconds since 1970."""
    return int(path.stem.partition("-")[0]) // 1000


def _check(columns: Sequence[pa.Array]) -> None:
    """Raises BadInput for columns of labels that differ in length, or hold a null where there must be none."""
    ids, labels, times = columns[:3]
    if len({len(column) for column in columns}) > 1:
        raise BadInput(
            "Ids, labels and times differ in number.",
            got=f"{len(ids)} prediction ids, {len(labels)} labels, {len(times)} times",
            expected="as many of each",
            fix="Give one of each per label.",
        )
    if ids.null_count or labels.null_count:
        raise BadInput(
            "Null label or prediction id.",
            got=f"{ids.null_count + labels.null_count} nulls among {len(labels)} labels",
            expected="an id and a label in each",
            fix="Leave out the rows without one.",
        )


def _strings(texts: Sequence[str] | pa.Array) -> pa.Array:
    return texts.cast(pa.string()) if isinstance(texts, pa.Array) else pa.array(texts, pa.string())


def _owners(owners: Sequence[object] | pa.Array | None, kind: pa.DataType, count: int) -> pa.Array:
    """What labels name, of a type; null for all where nothing is given."""
    if owners is None:
        return pa.nulls(count, kind)
    return owners.cast(kind) if isinstance(owners, pa.Array) else pa.array(owners, kind)


def with_owners(labels: pa.Table) -> pa.Table:
    """Labels of a segment, of an earlier release too, whose labels name no model."""
    for field in (LABEL_SCHEMA.field("model"), LABEL_SCHEMA.field("version")):
        if field.name not in labels.column_names:
            labels = labels.append_column(field, pa.nulls(labels.num_rows, field.type))
    return labels.select(LABEL_SCHEMA.names)
