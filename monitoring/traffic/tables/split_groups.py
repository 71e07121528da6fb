"""A large row group of a Parquet file as small ones, so that a few hours of it are read without the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monitoring.traffic.format.rows import FIRST_US, LAST_US
from monitoring.traffic.remote.local_cache import LOCAL_CACHE

#: Rows of a small row group.
ROWS = 1 << 16

_SPANS = "pitfalls.spans"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSpan:
    """The rows of a small row group: the place of the first, and when the earliest and the latest happened at most."""

    offset: int
    first: int
    last: int


def split_rows(
    key: str, stamp: str, tables: Callable[[int], Iterator[pa.Table]], event_time: str
) -> tuple[Path, tuple[GroupSpan, ...]]:
    """Rows as a file of small row groups, written once in this process for as long as the stamp is the same.

    Memory: one small row group.

    Args:
        tables: Gives the rows in tables of so many at most.
        event_time: A column of timestamps.
    """

    def make(target: Path) -> None:
        spans, writer = [], None
        with ExitStack() as held:
            for table in tables(ROWS):
                if writer is None:
                    writer = held.enter_context(pq.ParquetWriter(target, table.schema))
                writer.write_table(table, row_group_size=ROWS)
                spans.append(_span(table[event_time]))
            if writer is not None:
                writer.add_key_value_metadata({_SPANS: ";".join(f"{first},{last}" for first, last in spans)})

    path = LOCAL_CACHE.get(key, stamp, ".parquet", make)
    metadata = pq.read_metadata(path)
    ends = (metadata.metadata or {})[_SPANS.encode()].decode().split(";")
    groups, offset = [], 0
    for group in range(metadata.num_row_groups):
        first, last = map(int, ends[group].split(","))
        groups.append(GroupSpan(offset=offset, first=first, last=last))
        offset += metadata.row_group(group).num_rows
    return path, tuple(groups)


def _span(times: pa.ChunkedArray) -> tuple[int, int]:
    """Bounds of timestamps, in microseconds; the widest where one is null."""
    if times.null_count:
        return FIRST_US, LAST_US
    ends = pc.min_max(times)
    whole = [ends[name].cast(pa.timestamp("us", times.type.tz), safe=False).value for name in ("min", "max")]
    return whole[0], whole[1]
