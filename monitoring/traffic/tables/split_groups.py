"""A large row group of a Parquet file as small ones, so that a few hours of it are read without the rest."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monitoring.traffic.format.rows import FIRST_US, LAST_US
from monitoring.traffic.remote.local_cache import LOCAL_CACHE
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.files import ParquetPiece, unreadable_file
from monitoring.traffic.tables.parquet_files import file_stamp

#: Rows of a small row group.
ROWS = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallGroup:
    """Some rows of a row group that follow each other."""

    piece: ParquetPiece
    offset: int
    first: int
    last: int


def split_group(piece: ParquetPiece, columns: TableColumns) -> tuple[SmallGroup, ...]:
    """A row group that is read in batches, in small ones, written once.

    Cost: the row group is read and written, on the first call in this process. Memory: one small row group.
    """
    try:
        return _split(piece, columns)
    except (OSError, pa.ArrowException) as error:
        failed = unreadable_file(piece.path, str(error))
        raise failed from error


def _split(piece: ParquetPiece, columns: TableColumns) -> tuple[SmallGroup, ...]:
    stamp, spans = f"{file_stamp(piece.path)} {sorted(columns.read)}", "pitfalls.spans"

    def make(target: Path) -> None:
        group_spans, writer = [], None
        with ExitStack() as held:
            for _, raw in piece.batches(columns.read, (), ROWS):
                table = raw.table
                if writer is None:
                    writer = held.enter_context(pq.ParquetWriter(target, table.schema))
                writer.write_table(table, row_group_size=ROWS)
                group_spans.append(_span(table[columns.event_time]))
            if writer is not None:
                writer.add_key_value_metadata({spans: ";".join(f"{first},{last}" for first, last in group_spans)})

    path = LOCAL_CACHE.get(
        f"{piece.path if isinstance(piece.path, str) else piece.path.absolute()}#{piece.group}", stamp, ".parquet", make
    )
    metadata = pq.read_metadata(path)
    ends = (metadata.metadata or {})[spans.encode()].decode().split(";")
    groups, offset = [], 0
    for group in range(metadata.num_row_groups):
        first, last = map(int, ends[group].split(","))
        small = replace(piece, path=path, group=group, view=None)
        groups.append(SmallGroup(piece=small, offset=offset, first=first, last=last))
        offset += metadata.row_group(group).num_rows
    return tuple(groups)


def _span(times: pa.ChunkedArray) -> tuple[int, int]:
    """Bounds of timestamps, in microseconds; the widest where one is null."""
    if times.null_count:
        return FIRST_US, LAST_US
    ends = pc.min_max(times)
    whole = [ends[name].cast(pa.timestamp("us", times.type.tz), safe=False).value for name in ("min", "max")]
    return whole[0], whole[1]
