"""A segment: one append-only file of Arrow record batches, owned by the one process that created it.

The file is an Arrow IPC *stream* without an end marker: a schema message, then one record-batch message per append,
each made by one `write`. A process killed at any moment leaves at most one torn message, the last; the reader cuts it
off and counts its bytes. The owner holds an exclusive `flock` while it lives: so others know whether it still writes.

Source: https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format
"""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from monitoring.atomic import lock_file
from monitoring.errors import BadInput, CannotRun
from monitoring.timestamps import as_microseconds

FORMAT_KEY = b"pitfalls.format"
FORMAT = b"1"
SUFFIX = ".arrows"

_COUNTER = itertools.count()
_NAMES_TRIED = 100

#: Every message begins at a multiple of this many bytes, with this marker.
_ALIGNED = 8
_MARKER = 0xFFFFFFFF
_PLACES_TRIED = 1000


def segment_name(created: datetime, *, after: str = "") -> str:
    """The name of a new segment. Names sort in order of creation, and after that of the segment `after`.

    >>> from datetime import UTC
    >>> segment_name(datetime(2013, 4, 1, tzinfo=UTC))[:20]
    '01364774400000000000'

    Returns:
        Nanoseconds since 1970, process id and a counter; without a suffix.
    """
    nanoseconds = max(as_microseconds(created), 0) * 1000
    if after:
        nanoseconds = max(nanoseconds, int(after.partition("-")[0]) + 1)
    return f"{nanoseconds:020d}-{os.getpid():07d}-{next(_COUNTER):06d}"


def segments_in(folder: Path) -> tuple[Path, ...]:
    """The segments of a folder, in order of creation; none if there is no such folder."""
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.name.endswith(SUFFIX)]
    except (FileNotFoundError, NotADirectoryError):  # a table in one file has no such folder
        return ()
    return tuple(folder / name for name in sorted(names))


class SegmentFile:
    """A segment that this process owns: to append to, or to convert, if claimed from a dead owner. Not thread-safe."""

    def __init__(self, path: Path, descriptor: int, size: int) -> None:
        self.path = path
        self.size = size
        self._descriptor = descriptor

    @classmethod
    def create(cls, folder: Path, created: datetime, *, after: str = "") -> SegmentFile:
        """A new, locked, empty segment.

        Args:
            after: The name of a segment that it must sort after.

        Raises:
            OSError: the folder cannot be written.
        """
        for _ in range(_NAMES_TRIED):
            path = folder / (segment_name(created, after=after) + SUFFIX)
            try:
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND, 0o644)
            except FileExistsError:
                continue
            # Between the two calls another process may take the new file for that of a dead owner.
            if lock_file(descriptor) and _still_named(descriptor, path):
                return cls(path, descriptor, 0)
            os.close(descriptor)
        raise OSError(errno.EEXIST, f"no free segment name in {_NAMES_TRIED} tries", str(folder))

    @classmethod
    def claim(cls, path: Path) -> SegmentFile | None:
        """Take over a segment whose owner is gone; None if the owner lives, or the file is gone."""
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return None
        if lock_file(descriptor) and _still_named(descriptor, path):
            return cls(path, descriptor, os.fstat(descriptor).st_size)
        os.close(descriptor)
        return None

    def append(self, *parts: bytes | pa.Buffer, sync: bool = False) -> None:
        """Append a record, in parts, by one `write`.

        After an error the caller must not append again: a reader may be half-way through the torn bytes, and would see
        them continued by another record.

        Args:
            sync: Whether it must survive a power cut when this returns.

        Raises:
            OSError: the disk fails; the torn bytes are cut off again.
        """
        whole, done = False, 0
        try:
            left = [memoryview(part) for part in parts]
            while left:  # after a short write: another one finishes, or names the reason
                written = os.writev(self._descriptor, left)
                if not written:
                    raise OSError(errno.EIO, "nothing could be written", str(self.path))
                done += written
                while left and written >= len(left[0]):
                    written -= len(left.pop(0))
                if written:
                    left[0] = left[0][written:]
            if sync:
                os.fdatasync(self._descriptor)
            whole = True
        finally:
            if whole:
                self.size += done
            else:
                os.ftruncate(self._descriptor, self.size)

    def duplicate(self) -> int:
        """Another descriptor of the file, to sync it while it may be released."""
        return os.dup(self._descriptor)

    def sync(self) -> None:
        """Make all that was appended survive a power cut.

        Raises:
            OSError: the disk fails.
        """
        os.fdatasync(self._descriptor)

    def remove(self) -> None:
        """Delete the file, whoever else may have it open, and release it."""
        self.path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Close the file and give up its lock; it stays where it is. Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _still_named(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentContents:
    """What could be read of a segment: every complete batch up to the first torn one.

    `damaged` says that a whole message follows the torn one: no interrupted write leaves that behind.
    """

    table: pa.Table | None  # None: not even the schema could be read
    torn_bytes: int
    damaged: bool = False


def read_segment(path: Path, columns: Sequence[str] | None = None) -> SegmentContents:
    """Read a segment, also while its owner appends to it.

    The bytes are read, not mapped: an owner whose disk is full may shorten the file meanwhile.

    Args:
        columns: Names of the columns wanted, of which those are read that it has; None reads all.

    Returns:
        Its complete batches as one table, and the number of torn bytes.

    Raises:
        FileNotFoundError: it is gone.
    """
    contents = decode_segment(pa.py_buffer(path.read_bytes()), columns)
    if contents.table is not None:
        _check_format(contents.table.schema, path)
    return contents


def read_segment_schema(path: Path) -> pa.Schema | None:
    """Read the schema of a segment, without the rows. Returns the schema; None if it is torn.

    Raises:
        FileNotFoundError: it is gone.
    """
    with pa.OSFile(str(path)) as source:
        schema = _read_schema(source)
    if schema is not None:
        _check_format(schema, path)
    return schema


def decode_segment(data: pa.Buffer, columns: Sequence[str] | None = None) -> SegmentContents:
    """Decode the bytes of a segment. Never fails and never reads out of bounds, whatever the bytes.

    Cost: about 30 microseconds per batch of 20 columns, whatever its rows; 300 MB/s for large batches.

    Returns:
        The complete batches as one table, and the number of torn bytes.
    """
    source = pa.BufferReader(data)
    schema = _read_schema(source)
    if schema is None:
        return SegmentContents(table=None, torn_bytes=data.size)
    end = source.tell()
    batches: list[pa.RecordBatch] = []
    source.seek(0)
    with pa.ipc.open_stream(source, options=_projection(schema, columns)) as reader:
        while end < data.size:
            try:
                batch = reader.read_next_batch()
                batch.validate(full=True)
            except (StopIteration, pa.ArrowException, OSError):
                break
            batches.append(batch)
            end = source.tell()
        table = pa.Table.from_batches(batches, schema=reader.schema)
    torn = data.size - end
    return SegmentContents(
        table=table.combine_chunks(), torn_bytes=torn, damaged=torn > 0 and _has_batch_behind(data, end, schema)
    )


def _has_batch_behind(data: pa.Buffer, end: int, schema: pa.Schema) -> bool:
    """Whether a whole batch begins behind `end`. Of the places with a marker the first 1,000 are tried."""
    words = np.frombuffer(data.slice(0, data.size - data.size % _ALIGNED), np.uint32)[:: _ALIGNED // 4]
    first = end // _ALIGNED + 1
    for place in np.flatnonzero(words[first:] == _MARKER)[:_PLACES_TRIED].tolist():
        source = pa.BufferReader(data.slice((first + place) * _ALIGNED))
        try:
            batch = pa.ipc.read_record_batch(pa.ipc.read_message(source), schema)
            batch.validate(full=True)
        except (pa.ArrowException, OSError, EOFError):
            continue
        return True
    return False


def _projection(schema: pa.Schema, columns: Sequence[str] | None) -> pa.ipc.IpcReadOptions:
    if columns is None:
        return pa.ipc.IpcReadOptions()
    return pa.ipc.IpcReadOptions(included_fields=[i for i, name in enumerate(schema.names) if name in set(columns)])


def _read_schema(source: pa.NativeFile) -> pa.Schema | None:
    try:
        message = pa.ipc.read_message(source)
        return pa.ipc.read_schema(message) if message.type == "schema" else None
    except (pa.ArrowException, OSError, EOFError):
        return None


def _check_format(schema: pa.Schema, path: Path) -> None:
    file_format = (schema.metadata or {}).get(FORMAT_KEY)
    if file_format is None:
        raise BadInput(
            f"{path} is not a segment of a traffic log.",
            got="an Arrow stream of another program",
            expected="segments that a traffic log's writer wrote",
            fix="Move the file out of the folder.",
        )
    if file_format != FORMAT:
        raise CannotRun(
            f"{path} has a format that this version cannot read.",
            got=f"format {file_format.decode(errors='replace')}",
            expected=f"format {FORMAT.decode()}",
            fix="Read it with the version that wrote it, or a newer one.",
        )
