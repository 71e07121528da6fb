"""What the footers of Parquet files say, kept within the process for as long as a file stays as it is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.traffic.file_limits import check_parquet
from monitoring.traffic.format.rows import FIRST_US, LAST_US
from monitoring.traffic.tables.parquet_files import file_stamp, parquet_metadata

#: Columns and row groups of files whose footers are kept: some 20 MB of them.
KEPT_COLUMNS = 1 << 16

_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTimes:
    """What is known of all times of a column: the first and the last in microseconds, `last` None without rows."""

    first: int
    last: int | None
    rows: int
    naive: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Footer:
    """What is used of a Parquet file's footer.

    Attributes:
        remark: What whoever converted the file has to say of it.
        group_rows: The rows of each row group.
        times: By the name in the file and the type in the table of columns that were asked for, those of each group.
    """

    schema: pa.Schema
    remark: str
    group_rows: tuple[int, ...]
    times: dict[tuple[str, pa.DataType], tuple[GroupTimes | None, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, metadata: pq.FileMetaData) -> Footer:
        """What a file's metadata say."""
        return cls(
            schema=metadata.schema.to_arrow_schema(),
            remark=(metadata.metadata or {}).get(b"pitfalls.remark", b"").decode(),
            group_rows=tuple(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)),
        )


class Footers:
    """Footers by path, those that were not asked for the longest dropped first; of files that changed, read anew."""

    def __init__(self, read: Callable[[Path | str], pq.FileMetaData]) -> None:
        """No footers yet."""
        self._read = read
        self._kept: OrderedDict[Path | str, tuple[tuple[Any, ...], Footer]] = OrderedDict()
        self._columns = 0
        self._lock = Lock()

    def of(self, path: Path | str) -> Footer:
        """The footer of a file. Cost: the file's status, where it is known.

        Raises:
            OSError: The file cannot be read.
            ArrowInvalid: It is no Parquet file.
        """
        stamp = _stamp(path)
        with self._lock:
            kept = self._kept.get(path)
            if kept is not None and kept[0] == stamp:
                self._kept.move_to_end(path)
                return kept[1]
        footer = Footer.of(self._read(path))
        with self._lock:
            self._drop(path)
            self._kept[path] = stamp, footer
            self._columns += _size(footer)
            while self._columns > KEPT_COLUMNS and len(self._kept) > 1:
                self._drop(next(iter(self._kept)))
        return footer

    def times(self, path: Path | str, group: int, name: str, kind: pa.DataType) -> GroupTimes | None:
        """What the statistics of a row group say of its times. Raises as `of` does.

        Args:
            name: Of the column in the file.
            kind: Of the column in the table, timestamps.

        Returns:
            None where they do not say all, or say what is no time of a row.
        """
        known = self.of(path).times
        if (name, kind) not in known:
            metadata = self._read(path)
            groups = range(metadata.num_row_groups)
            known[name, kind] = tuple(group_times(metadata, group, name, kind) for group in groups)
        found = known[name, kind]
        if group >= len(found):  # another file took its name: its rows are read, or cannot be
            return None
        return found[group]

    def _drop(self, path: Path | str) -> None:
        if path in self._kept:
            self._columns -= _size(self._kept.pop(path)[1])


def _size(footer: Footer) -> int:
    return len(footer.schema) + 2 * len(footer.group_rows)


def _stamp(path: Path | str) -> tuple[Any, ...]:
    """What changes when a file does; here also when another file takes its name within one tick of the clock."""
    if isinstance(path, Path):
        status = path.stat()
        return *file_stamp(path), status.st_ctime_ns, status.st_ino
    return file_stamp(path)


def _checked(path: Path | str) -> pq.FileMetaData:
    return check_parquet(path) if isinstance(path, Path) else parquet_metadata(path)


#: Footers of this process: a run opens its traffic more than once, and a service many times.
FOOTERS = Footers(_checked)


def group_times(footer: pq.FileMetaData, group: int, name: str, kind: pa.DataType) -> GroupTimes | None:
    """What the statistics of a row group say of its times, as `Footers.times` has it."""
    schema = footer.schema.to_arrow_schema()
    if name not in schema.names:
        return None
    stored, rows = schema.field(name).type, footer.row_group(group)
    if not rows.num_rows:
        return GroupTimes(first=0, last=None, rows=0, naive=kind.tz is None)
    paths = {rows.column(place).path_in_schema: place for place in range(rows.num_columns)}
    statistics = rows.column(paths[name]).statistics
    if statistics is None or not statistics.has_min_max or not statistics.has_null_count or statistics.null_count:
        return None
    if not pa.types.is_timestamp(stored) or statistics.physical_type != "INT64":
        return None
    ends = (statistics.min_raw, statistics.max_raw)  # as times, those in nanoseconds would take pandas
    first, last = (end // 1_000 if stored.unit == "ns" else end * _MICROSECONDS[stored.unit] for end in ends)
    if first < FIRST_US or last > LAST_US:
        return None
    return GroupTimes(first=first, last=last, rows=rows.num_rows, naive=kind.tz is None)
