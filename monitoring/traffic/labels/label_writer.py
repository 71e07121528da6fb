"""The writer of labels.

Appends of all writers of a folder are in one order: each takes the folder's lock, and a writer whose segment is no
longer the newest begins another. So no segment grows once a later one exists, and a label keeps its place for ever.
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

from monitoring.errors import BadInput, CannotRun
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.layout import LABELS
from monitoring.traffic.format.rows import MOMENT
from monitoring.traffic.format.segments import FORMAT, FORMAT_KEY, SegmentFile, segments_in

LABEL_SCHEMA = pa.schema(
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
            now = np.full(len(labels), as_microseconds(self._clock()), np.int64)
            columns.append(pa.array(now).cast(MOMENT))
            record = pa.RecordBatch.from_arrays(columns, schema=LABEL_SCHEMA).serialize().to_pybytes()
            written = False
            try:
                segment.append(record if segment.size else LABEL_SCHEMA.serialize().to_pybytes() + record)
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


def _words(given: Sequence[str] | pa.Array) -> pa.Array:
    return given.cast(pa.string()) if isinstance(given, pa.Array) else pa.array(given, pa.string())
