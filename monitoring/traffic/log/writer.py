"""The writer: every answered row in the log before its answer is sent, at about a tenth of a millisecond per batch."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

import pyarrow as pa

from monitoring.atomic import sync_folder
from monitoring.errors import CannotRun
from monitoring.traffic.erased_ids import erasure_names
from monitoring.traffic.format.ipc_messages import MessageTemplate
from monitoring.traffic.format.layout import OPEN
from monitoring.traffic.format.row_encoding import RowLayout, SegmentKey, segment_key
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.format.segments import SegmentFile
from monitoring.traffic.format.tensors import Shape, merged_shape
from monitoring.traffic.log.conversion import convert

LONGEST_WAIT_S = 60.0


class Sync(StrEnum):
    """Which rows survive a power cut. The death of the process alone loses no row with any of these."""

    ALWAYS = "always"
    """Every row, before its answer is sent: one `fdatasync` per batch."""
    INTERVAL = "interval"
    """All but the rows of the last interval."""
    NEVER = "never"
    """What the operating system happened to have written, and every segment that became Parquet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentPolicy:
    """When the segments of a log are synced and closed.

    >>> SegmentPolicy(max_age=timedelta(seconds=8)).every_s
    2.0
    """

    sync: Sync = Sync.NEVER
    sync_every: timedelta = timedelta(seconds=1)
    """The interval of `Sync.INTERVAL`."""
    max_age: timedelta | None = None
    """A segment of this age is closed and becomes Parquet; None waits until it is full."""

    @property
    def every_s(self) -> float | None:
        """Seconds between two rounds of maintenance; None if there is nothing to do between appends."""
        waits = [LONGEST_WAIT_S if self.max_age is None else min(LONGEST_WAIT_S, self.max_age.total_seconds() / 4)]
        if self.sync is Sync.INTERVAL:
            waits.append(self.sync_every.total_seconds())
        elif self.max_age is None:
            return None
        return min(waits)


class MaintenanceThread:
    """A thread that calls a function every so many seconds until it is stopped."""

    def __init__(self, maintain: Callable[[], None], every_s: float) -> None:
        self._maintain = maintain
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic-maintenance", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, after the call that is under way. Idempotent."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            self._maintain()


SEGMENT_BYTES = 64 << 20
RETRY_AFTER = timedelta(minutes=1)
_LAYOUTS_CACHED = 4096

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _OpenSegment:
    """The segment that batches of one key are appended to, and the schema that its first record carried."""

    file: SegmentFile
    schema: pa.Schema
    shapes: tuple[Shape, ...]
    begun: datetime
    template: MessageTemplate | None = None  # known when Arrow has encoded the first record
    synced_bytes: int = 0  # survive a power cut


class TrafficWriter:
    """Appends answered rows to the traffic log in `root`. One per process; thread-safe; create it after any fork.

    It keeps one open segment per model, version, signature and Arrow schema. A segment that has grown to
    `segment_bytes`, or is as old as `policy` says, is closed and converted to Parquet by a thread of the writer's;
    until then readers read the segment.

    Args:
        policy: When segments are synced, and at which age they are closed; by default never.

    Raises:
        CannotRun: the folder cannot be written.
    """

    def __init__(
        self,
        root: Path,
        *,
        clock: Callable[[], datetime],
        segment_bytes: int = SEGMENT_BYTES,
        policy: SegmentPolicy | None = None,
    ) -> None:
        self._root = root
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._policy = policy or SegmentPolicy()
        self._syncs = self._policy.sync is Sync.ALWAYS
        self._lock = threading.Lock()
        self._layouts: dict[tuple[object, ...], RowLayout] = {}
        self._orders: dict[SegmentKey, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self._shapes: dict[SegmentKey, tuple[Shape, ...]] = {}
        self._open: dict[SegmentKey, _OpenSegment] = {}
        self._converter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="traffic-conversion")
        self._conversions: list[Future[None]] = []
        self._closed = False
        self._failed: list[SegmentFile] = []
        self._erasures = erasure_names(root)
        self._retry_at: datetime | None = None
        _make_folder(root / OPEN)
        every_s = self._policy.every_s
        self._maintenance = None if every_s is None else MaintenanceThread(self.maintain, every_s)

    @property
    def unconverted(self) -> int:
        """How many segments could not be converted at the last try. Their rows are safe, and read, in open/."""
        return len(self._failed)

    def append(self, rows: AnsweredRows) -> None:
        """Append a batch by one `write`; when this returns, its rows survive the death of the process.

        A batch without rows does nothing.

        Raises:
            BadInput: the parts of the batch do not fit together, or no column can hold one of its tensors.
            CannotRun: the writer is closed.
        """
        if not rows.count:
            return
        layout = self._layout(rows)
        rows.check_times()
        body = layout.body(rows)
        with self._lock:
            if self._closed:
                raise CannotRun(
                    f"The writer of {self._root} is closed.",
                    got="rows after close()",
                    expected="rows before it",
                    fix="Drain the server before closing its log.",
                )
            segment = self._open.get(layout.key)
            if segment is None or segment.shapes != layout.shapes:
                segment = self._segment(layout)
            if body is None or segment.template is None:
                encoded = pa.RecordBatch.from_arrays(layout.columns(rows), schema=segment.schema).serialize()
                segment.template = segment.template or MessageTemplate.of(encoded)
                record: bytes | pa.Buffer = encoded
            else:
                record = segment.template.encode(layout.batch_shape, body)
            self._write(layout.key, segment, record)

    def close(self) -> None:
        """Close the open segments and convert them; when this returns all is Parquet. Idempotent.

        A conversion that fails is logged and counted in `unconverted`; its rows stay readable where they are.
        """
        if self._maintenance is not None:
            self._maintenance.stop()
        with self._lock:
            self._closed = True
            files = [segment.file for segment in self._open.values()]
            conversions, self._conversions = self._conversions, []
            self._open.clear()
        self._converter.shutdown(wait=True)
        for conversion in conversions:
            conversion.result()
        failed, self._failed = self._failed, []
        for file in (*failed, *files):
            self._convert(file)
        for file in self._failed:
            file.release()

    def maintain(self) -> None:
        """Close the segments that are old, retry failed conversions, and sync if that is due.

        After an erasure all are closed: their conversion leaves erased rows out.

        Called every so often by a thread of the writer's, if `policy` asks for it. Never raises for a disk that fails.
        """
        now, max_age = self._clock(), self._policy.max_age
        with self._lock:
            if self._closed:
                return
            before, self._erasures = self._erasures, erasure_names(self._root)
            for key, segment in list(self._open.items()):
                old = max_age is not None and now - segment.begun >= max_age
                if segment.file.size and (old or before != self._erasures):
                    self._close_segment(key)
            if self._failed and (self._retry_at is None or now >= self._retry_at):
                self._retry_at = now + RETRY_AFTER
                failed, self._failed = self._failed, []
                self._conversions += [self._converter.submit(self._convert, file) for file in failed]
            dirty = [each for each in self._open.values() if each.synced_bytes < each.file.size]
            sizes = [segment.file.size for segment in dirty]
            due = self._policy.sync is Sync.INTERVAL
            descriptors = [segment.file.duplicate() for segment in dirty] if due else []
        for segment, size, descriptor in zip(dirty, sizes, descriptors, strict=False):
            self._sync(segment, size, descriptor)

    def _sync(self, segment: _OpenSegment, size: int, descriptor: int) -> None:
        try:
            os.fdatasync(descriptor)
            segment.synced_bytes = size
        except OSError as error:
            _logger.warning("%s may not survive a power cut: %s", segment.file.path, error)
        finally:
            os.close(descriptor)

    def _layout(self, rows: AnsweredRows) -> RowLayout:
        parts: list[object] = [rows.model, rows.version, rows.signature, len(rows.request_ids), len(rows.rows)]
        parts += (len(rows.event_times_us), len(rows.latencies_us), len(rows.inputs), rows.sampling_rate)
        parts += (len(rows.answer_ids), len(rows.principals), len(rows.peers), rows.quarantined)
        for group in (rows.inputs, rows.outputs):
            for name, tensor in group.items():
                parts += (name, tensor.dtype, tensor.shape)
        layout_key = tuple(parts)
        layout = self._layouts.get(layout_key)
        if layout is None:
            rows.check_lengths()
            key = segment_key(rows)
            order = self._orders.setdefault(key, (tuple(rows.inputs), tuple(rows.outputs)))
            layout = RowLayout.of(rows, key, *order)
            if len(self._layouts) >= _LAYOUTS_CACHED:  # tensors of ever new lengths
                self._layouts.clear()
            self._layouts[layout_key] = layout
        return layout

    def _segment(self, layout: RowLayout) -> _OpenSegment:
        """The segment for a batch: the open one if its shapes cover the batch's, otherwise a more general one."""
        key = layout.key
        earlier_shapes = self._shapes.get(key, layout.shapes)
        shapes = tuple(
            merged_shape(earlier, other) for earlier, other in zip(earlier_shapes, layout.shapes, strict=True)
        )
        segment = self._open.get(key)
        if segment is not None and segment.shapes == shapes:
            return segment
        begun = self._clock()
        file = SegmentFile.create(self._root / OPEN, begun)
        if segment is not None:
            self._close_segment(key)
        self._shapes[key] = shapes
        segment = self._open[key] = _OpenSegment(file, layout.schema(shapes), shapes, begun)
        return segment

    def _write(self, key: SegmentKey, segment: _OpenSegment, record: bytes | pa.Buffer) -> None:
        file = segment.file
        is_first = file.size == 0
        is_written = False
        try:
            if is_first and self._policy.sync is not Sync.NEVER:
                sync_folder(self._root / OPEN)
            file.append(*((segment.schema.serialize(),) if is_first else ()), record, sync=self._syncs)
            is_written = True
        finally:
            if not is_written or file.size >= self._segment_bytes:
                self._close_segment(key)

    def _close_segment(self, key: SegmentKey) -> None:
        file = self._open.pop(key).file
        if not file.size:
            file.remove()
            return
        self._conversions = [each for each in self._conversions if not each.done() or each.exception()]
        self._conversions.append(self._converter.submit(self._convert, file))

    def _convert(self, file: SegmentFile) -> None:
        try:
            if self._policy.sync is Sync.INTERVAL:
                file.sync()
            convert(self._root, file)
            file.release()
            pa.default_memory_pool().release_unused()
        except (OSError, pa.ArrowException, CannotRun) as error:
            self._failed.append(file)
            _logger.warning("%s could not be converted and stays open; its rows are readable: %s", file.path, error)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CannotRun(
            "The traffic log cannot be written.",
            got=f"{folder}: {error.strerror}",
            expected="a folder this user may write",
            fix="Give another folder, or the right to write.",
        ) from error
