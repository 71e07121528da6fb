"""The writer: every answered row in the log before its answer leaves, at about a tenth of a millisecond per batch."""

from __future__ import annotations

import logging
import os
import struct
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from monitoring.atomic import sync_folder
from monitoring.errors import CannotRun
from monitoring.traffic.format.ipc_frames import VARIES, Body, Form, Frame, offset_bytes, pad
from monitoring.traffic.format.layout import OPEN
from monitoring.traffic.format.rows import INPUT, MOMENT, OUTPUT, RATE_KEY, ROW_FIELDS, AnsweredRows, ModelKey
from monitoring.traffic.format.segments import FORMAT, FORMAT_KEY, SegmentFile
from monitoring.traffic.format.tensors import Shape, TensorEncoder, merged_shape, tensor_field, tensor_type
from monitoring.traffic.log.conversion import convert
from monitoring.traffic.log.upkeep import Keeper, Sync, Upkeep

SEGMENT_BYTES = 64 << 20
RETRY_AFTER = timedelta(minutes=1)
_LAYOUTS_KEPT = 4096

_log = logging.getLogger(__name__)
_STRING = pa.string()
_INT32 = pa.int32()
_INT64 = pa.int64()


# What one segment holds: model, version, signature, each tensor's prefixed name, dtype and rank, in any order, and the
# share of the requests that are logged.
Family = tuple[str, int, str, frozenset[tuple[str, str, int]], float]


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """What the log must know of a batch beyond its numbers; made once per combination of names, dtypes and shapes.

    A batch that has a layout fits together: its parts are of equal length.
    """

    family: Family
    inputs: tuple[str, ...]  # names, in the order of the columns
    outputs: tuple[str, ...]
    encoders: tuple[TensorEncoder, ...]  # of the inputs, then of the outputs
    shapes: tuple[Shape, ...]  # their inner shapes
    form: Form

    def schema(self, shapes: tuple[Shape, ...]) -> pa.Schema:
        """The schema of a segment for this layout, its inner shapes made as general as `shapes`."""
        model, version, signature, _, rate = self.family
        names = [*(INPUT + name for name in self.inputs), *(OUTPUT + name for name in self.outputs)]
        fields = [
            tensor_field(name, encoder.kind, shape)
            for name, encoder, shape in zip(names, self.encoders, shapes, strict=True)
        ]
        metadata = {FORMAT_KEY: FORMAT, **ModelKey(model, version, signature).metadata}
        if rate != 1.0:
            metadata[RATE_KEY] = repr(rate).encode()
        return pa.schema([*ROW_FIELDS, *fields], metadata=metadata)


@dataclass(slots=True)
class _Stream:
    """The open segment of a family, and the schema that its first record carried."""

    segment: SegmentFile
    schema: pa.Schema
    shapes: tuple[Shape, ...]
    begun: datetime
    frame: Frame | None = None  # known when Arrow has encoded the first record
    synced: int = 0  # so many of its bytes survive a power cut


class TrafficWriter:
    """Appends answered rows to the traffic log in `root`. One per process; thread-safe; create it after any fork.

    It keeps one open segment per model, version, signature and arrow schema. A segment that has grown to
    `segment_bytes`, or is as old as `upkeep` says, is closed and converted to Parquet by a thread of the writer's;
    until then readers read the segment.

    `clock` gives the wall-clock time (aware). Raises CannotRun if the folder cannot be written.
    """

    def __init__(
        self,
        root: Path,
        *,
        clock: Callable[[], datetime],
        segment_bytes: int = SEGMENT_BYTES,
        upkeep: Upkeep | None = None,
    ) -> None:
        self._root = root
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._upkeep = upkeep or Upkeep()
        self._syncs = self._upkeep.sync is Sync.ALWAYS
        self._lock = threading.Lock()
        self._layouts: dict[tuple[object, ...], _Layout] = {}
        self._orders: dict[Family, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self._shapes: dict[Family, tuple[Shape, ...]] = {}
        self._streams: dict[Family, _Stream] = {}
        self._converter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="traffic-conversion")
        self._conversions: list[Future[None]] = []
        self._closed = False
        self._failed: list[SegmentFile] = []
        self._retry_at: datetime | None = None
        _make_folder(root / OPEN)
        every_s = self._upkeep.every_s
        self._keeper = None if every_s is None else Keeper(self.tend, every_s)

    @property
    def unconverted(self) -> int:
        """How many segments could not be converted, last time it was tried. Their rows are safe, and read, in open/."""
        return len(self._failed)

    def append(self, rows: AnsweredRows) -> None:
        """Appends the rows by one `write`; when it returns, they survive the death of the process. No rows do nothing.

        Raises OSError if the disk fails: then none of the rows is in the log, and the next append tries again. Raises
        BadInput for rows that do not fit together or a tensor that Arrow cannot hold, CannotRun after `close`.
        """
        if not rows.count:
            return
        layout = self._layout(rows)
        rows.check_times()
        body = _body(rows, layout)
        with self._lock:
            if self._closed:
                raise _closed(self._root)
            stream = self._streams.get(layout.family)
            if stream is None or stream.shapes != layout.shapes:
                stream = self._stream(layout)
            if body is None or stream.frame is None:
                encoded = pa.RecordBatch.from_arrays(_columns(rows, layout), schema=stream.schema).serialize()
                stream.frame = stream.frame or Frame.of(encoded)
                record = encoded.to_pybytes()
            else:
                record = stream.frame.encode(layout.form, body)
            self._write(layout.family, stream, record)

    def close(self) -> None:
        """Closes the open segments and converts them; returns when all is Parquet. Idempotent.

        A conversion that fails is logged and counted in `unconverted`; its rows stay readable where they are.
        """
        if self._keeper is not None:
            self._keeper.stop()
        with self._lock:
            self._closed = True
            segments = [stream.segment for stream in self._streams.values()]
            conversions, self._conversions = self._conversions, []
            self._streams.clear()
        self._converter.shutdown(wait=True)
        for conversion in conversions:
            conversion.result()
        failed, self._failed = self._failed, []
        for segment in (*failed, *segments):
            self._convert(segment)
        for segment in self._failed:
            segment.release()

    def tend(self) -> None:
        """Closes the segments that are old, tries failed conversions again, and syncs if that is due.

        Called every so often by a thread of the writer's, if `upkeep` asks for it. Never raises for a disk that fails.
        """
        now, age = self._clock(), self._upkeep.age
        with self._lock:
            if self._closed:
                return
            for family, stream in list(self._streams.items()):
                if age is not None and stream.segment.size and now - stream.begun >= age:
                    self._retire(family)
            if self._failed and (self._retry_at is None or now >= self._retry_at):
                self._retry_at = now + RETRY_AFTER
                failed, self._failed = self._failed, []
                self._conversions += [self._converter.submit(self._convert, segment) for segment in failed]
            dirty = [each for each in self._streams.values() if each.synced < each.segment.size]
            sizes = [stream.segment.size for stream in dirty]
            due = self._upkeep.sync is Sync.INTERVAL
            descriptors = [stream.segment.duplicate() for stream in dirty] if due else []
        for stream, size, descriptor in zip(dirty, sizes, descriptors, strict=False):
            self._sync(stream, size, descriptor)

    def _sync(self, stream: _Stream, size: int, descriptor: int) -> None:
        try:
            os.fdatasync(descriptor)
            stream.synced = size
        except OSError as error:
            _log.warning("%s may not survive a power cut: %s", stream.segment.path, error)
        finally:
            os.close(descriptor)

    def _layout(self, rows: AnsweredRows) -> _Layout:
        key: list[object] = [rows.model, rows.version, rows.signature, len(rows.request_ids), len(rows.rows)]
        key += (len(rows.event_times_us), len(rows.latencies_us), len(rows.inputs), rows.sampling_rate)
        for group in (rows.inputs, rows.outputs):
            for name, tensor in group.items():
                key += (name, tensor.dtype, tensor.shape)
        found = tuple(key)
        layout = self._layouts.get(found)
        if layout is None:
            layout = self._new_layout(rows)
            if len(self._layouts) >= _LAYOUTS_KEPT:  # tensors of ever new lengths
                self._layouts.clear()
            self._layouts[found] = layout
        return layout

    def _new_layout(self, rows: AnsweredRows) -> _Layout:
        rows.check_lengths()
        named = {INPUT + name: tensor for name, tensor in rows.inputs.items()}
        named.update((OUTPUT + name, tensor) for name, tensor in rows.outputs.items())
        tensors = frozenset((name, tensor_type(tensor.dtype).name, tensor.ndim) for name, tensor in named.items())
        family = (rows.model, rows.version, rows.signature, tensors, rows.sampling_rate)
        inputs, outputs = self._orders.setdefault(family, (tuple(rows.inputs), tuple(rows.outputs)))
        ordered = [*(rows.inputs[name] for name in inputs), *(rows.outputs[name] for name in outputs)]
        encoders = tuple(TensorEncoder.of(tensor) for tensor in ordered)
        return _Layout(
            family=family,
            inputs=inputs,
            outputs=outputs,
            encoders=encoders,
            shapes=tuple(tensor.shape[1:] for tensor in ordered),
            form=_form(rows.count, encoders),
        )

    def _stream(self, layout: _Layout) -> _Stream:
        """The stream a batch goes to: the open one if its shapes cover the batch's, otherwise a more general one."""
        family = layout.family
        known = self._shapes.get(family, layout.shapes)
        shapes = tuple(merged_shape(one, other) for one, other in zip(known, layout.shapes, strict=True))
        stream = self._streams.get(family)
        if stream is not None and stream.shapes == shapes:
            return stream
        begun = self._clock()
        segment = SegmentFile.create(self._root / OPEN, begun)
        if stream is not None:
            self._retire(family)
        self._shapes[family] = shapes
        stream = self._streams[family] = _Stream(segment, layout.schema(shapes), shapes, begun)
        return stream

    def _write(self, family: Family, stream: _Stream, record: bytes) -> None:
        segment = stream.segment
        first = segment.size == 0
        written = False
        try:
            if first and self._upkeep.sync is not Sync.NEVER:
                sync_folder(self._root / OPEN)
            segment.append(stream.schema.serialize().to_pybytes() + record if first else record, sync=self._syncs)
            written = True
        finally:
            if not written or segment.size >= self._segment_bytes:
                self._retire(family)

    def _retire(self, family: Family) -> None:
        segment = self._streams.pop(family).segment
        if not segment.size:
            segment.remove()
            return
        self._conversions = [each for each in self._conversions if not each.done() or each.exception()]
        self._conversions.append(self._converter.submit(self._convert, segment))

    def _convert(self, segment: SegmentFile) -> None:
        try:
            if self._upkeep.sync is Sync.INTERVAL:
                segment.sync()
            convert(self._root, segment)
            segment.release()
        except (OSError, pa.ArrowException) as error:
            self._failed.append(segment)
            _log.warning("%s stays as it is, its rows can be read: conversion failed: %s", segment.path, error)


def _body(rows: AnsweredRows, layout: _Layout) -> Body | None:
    """The rows as the buffers of a record; None if Arrow must convert some of them."""
    ids = rows.request_ids
    count = len(ids)
    text = "".join(ids)
    if not text.isascii():
        return None
    body = Body()
    body.text(offset_bytes(list(map(len, ids))), text.encode())
    body.parts += (
        _integers(rows.rows, "i"),
        pad(4 * count),
        _integers(rows.event_times_us, "q"),
        rows.answered_at_us.to_bytes(8, "little", signed=True) * count,
        _integers(rows.latencies_us, "q"),
    )
    tensors = [rows.inputs[name] for name in layout.inputs] + [rows.outputs[name] for name in layout.outputs]
    for encoder, tensor in zip(layout.encoders, tensors, strict=True):
        if not encoder.put(tensor, body):
            return None
    return body


def _integers(values: Sequence[int] | np.ndarray, code: str) -> np.ndarray | bytes:
    """Integers of 4 ("i") or 8 ("q") bytes as they lie in memory."""
    if isinstance(values, np.ndarray):
        return np.ascontiguousarray(values, code)
    return struct.pack(f"{len(values)}{code}", *values)


def _form(count: int, encoders: Sequence[TensorEncoder]) -> Form:
    """What all records of so many rows of these tensors have in common."""
    row_lengths = (0, 4 * (count + 1), VARIES, 0, 4 * count, 0, 8 * count, 0, 8 * count, 0, 8 * count)
    return Form(
        rows=count,
        nodes=(*(count for _ in ROW_FIELDS), *(size for encoder in encoders for size in encoder.nodes)),
        lengths=(*row_lengths, *(size for encoder in encoders for size in encoder.lengths)),
    )


def _columns(rows: AnsweredRows, layout: _Layout) -> list[pa.Array]:
    """The same as Arrow's own arrays."""
    count = rows.count
    integer = pa.Array.from_buffers
    columns = [
        pa.array(rows.request_ids, _STRING),
        integer(_INT32, count, [None, pa.py_buffer(np.ascontiguousarray(rows.rows, np.int32))], 0),
        integer(MOMENT, count, [None, pa.py_buffer(np.ascontiguousarray(rows.event_times_us, np.int64))], 0),
        integer(MOMENT, count, [None, pa.py_buffer(np.full(count, rows.answered_at_us, np.int64))], 0),
        integer(_INT64, count, [None, pa.py_buffer(np.ascontiguousarray(rows.latencies_us, np.int64))], 0),
    ]
    tensors = [rows.inputs[name] for name in layout.inputs] + [rows.outputs[name] for name in layout.outputs]
    columns += [encoder.encode(tensor) for encoder, tensor in zip(layout.encoders, tensors, strict=True)]
    return columns


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


def _closed(root: Path) -> CannotRun:
    return CannotRun(
        f"The writer of {root} is closed.",
        got="rows after close()",
        expected="rows before it",
        fix="Drain the server before closing its log.",
    )
