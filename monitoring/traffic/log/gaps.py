"""Gaps of the log: intervals in which answered rows could not be logged, with exact counts of the lost rows.

ROOT/gaps/SEGMENT.gaps holds those of one process: JSON, one gap after another, each beginning at a page of its own. The
disk space is reserved when the process starts, and the record of a gap is overwritten in place at every loss, so that
it is exact on a full disk, and after the death of the process.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from monitoring.atomic import lock_file
from monitoring.timestamps import as_datetime
from monitoring.traffic.format.layout import GAPS
from monitoring.traffic.format.segments import segment_name

SUFFIX = ".gaps"
PAGE = 4096  # the kernel copies a page whole, even for a process that is being killed
RESERVED = 16 * PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class LostRows:
    """Answered rows of one version that are not in the log. Times are microseconds since 1970, UTC."""

    model: str
    version: int
    rows: int
    first_event_us: int
    last_event_us: int

    def __add__(self, other: LostRows) -> LostRows:
        return replace(
            self,
            rows=self.rows + other.rows,
            first_event_us=min(self.first_event_us, other.first_event_us),
            last_event_us=max(self.last_event_us, other.last_event_us),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """An interval in which answered rows were not logged: when they were answered, why, and how many of which version.

    >>> lost = LostRows(model="flights", version=3, rows=2, first_event_us=0, last_event_us=0)
    >>> print(Gap(first_us=0, last_us=1_000_000, reason="no space", lost=(lost,)))
    2 answered rows between 1970-01-01T00:00:00+00:00 and 1970-01-01T00:00:01+00:00 are not in the traffic log: no space
    """

    first_us: int
    last_us: int
    reason: str
    lost: tuple[LostRows, ...]

    @property
    def rows(self) -> int:
        """The number of lost rows."""
        return sum(each.rows for each in self.lost)

    def with_lost(self, lost: LostRows, last_us: int) -> Gap:
        """The gap with more lost rows, which were answered at `last_us`."""
        by_version = {(each.model, each.version): each for each in self.lost}
        before = by_version.get((lost.model, lost.version))
        by_version[lost.model, lost.version] = lost if before is None else before + lost
        return replace(self, last_us=max(self.last_us, last_us), lost=tuple(by_version.values()))

    def __str__(self) -> str:
        first, last = (as_datetime(us).isoformat() for us in (self.first_us, self.last_us))
        return f"{self.rows} answered rows between {first} and {last} are not in the traffic log: {self.reason}"


class GapFile:
    """The gaps of one process, on disk. Not thread-safe."""

    def __init__(self, root: Path, created: datetime) -> None:
        folder = root / GAPS
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / (segment_name(created) + SUFFIX)
        self._descriptor = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
        self._start = 0  # of the record of the open gap
        self._length = 0
        self._reserved = 0
        try:
            lock_file(self._descriptor)
            self._reserve()
        except OSError:
            self.path.unlink(missing_ok=True)
            os.close(self._descriptor)
            raise

    def write(self, gap: Gap) -> None:
        """Overwrite the record of the open gap."""
        record = json.dumps(asdict(gap)).encode().ljust(self._length)
        os.pwrite(self._descriptor, record, self._start)
        self._length = len(record)

    def end(self) -> None:
        """End the open gap: the next one gets a record of its own."""
        self._start += -(-self._length // PAGE) * PAGE
        self._length = 0
        self._reserve()

    def close(self) -> None:
        """Free the space that was not used. Idempotent."""
        if self._descriptor >= 0:
            _trim(self.path, self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _reserve(self) -> None:
        if self._start + PAGE > self._reserved:
            os.posix_fallocate(self._descriptor, self._start, RESERVED)
            self._reserved = self._start + RESERVED


def trim_gap_files(root: Path) -> None:
    """Free the space that processes reserved and did not use before they died."""
    for path in _files(root):
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue
        if lock_file(descriptor):
            _trim(path, descriptor)
        os.close(descriptor)


def read_gaps(root: Path, *, model: str | None = None, version: int | None = None) -> tuple[Gap, ...]:
    """The gaps of a log, open ones included.

    Args:
        model: Only gaps of this model, with its lost rows alone; None for all models.
    """
    gaps = [gap for path in _files(root) for gap in _read(path)]
    selected_gaps = (replace(gap, lost=tuple(_selected(gap.lost, model, version))) for gap in gaps)
    return tuple(sorted((gap for gap in selected_gaps if gap.lost), key=lambda gap: gap.first_us))


def _selected(lost: Sequence[LostRows], model: str | None, version: int | None) -> Iterable[LostRows]:
    return (each for each in lost if model in (None, each.model) and version in (None, each.version))


def _read(path: Path) -> list[Gap]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    gaps: list[Gap] = []
    for record in filter(None, data.split(b"\0")):
        try:
            stored = json.loads(record)
        except ValueError:  # of a process killed while it wrote a record of several pages
            continue
        gaps.append(Gap(**(stored | {"lost": tuple(LostRows(**each) for each in stored["lost"])})))
    return gaps


def _files(root: Path) -> list[Path]:
    return sorted((root / GAPS).glob("*" + SUFFIX))


def _trim(path: Path, descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    used = len(os.pread(descriptor, size, 0).rstrip(b"\0"))
    if used:
        os.ftruncate(descriptor, used)
    else:
        path.unlink(missing_ok=True)
