"""Small tables of predictions as files: their rows are at whole hours of one day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.timestamps import as_microseconds
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.extents import EventTimeRange
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.pieces import TablePiece
from monitoring.traffic.tables.raw_rows import RawRows
from monitoring.traffic.tables.table import Table
from monitoring.traffic.windows import Window

DAY = datetime(2024, 1, 1, tzinfo=UTC)
HOUR_US = 3_600_000_000
UTC_TIME = pa.timestamp("us", "UTC")

COLUMNS = TableColumns(
    event_time="ts",
    prediction_id="id",
    label="y",
    label_time="known_at",
    scores=("p",),
    classes=("no", "yes"),
    inputs={"age": "number", "city": "category"},
)


def at(hour: float) -> datetime:
    """A time of the day, by its hour."""
    return DAY + timedelta(hours=hour)


def us(hour: float) -> int:
    """The same in microseconds."""
    return as_microseconds(at(hour))


def window(start: float, end: float) -> Window:
    """The hours from one to another."""
    return Window(start=at(start), end=at(end))


def times(hours: Sequence[float | None]) -> pa.Array:
    """Event times, null for None."""
    return pa.array([None if hour is None else at(hour) for hour in hours], UTC_TIME)


def rows_at(
    hours: Sequence[float | None],
    *,
    ids: Sequence[str | None] | None = None,
    labels: Sequence[str | None] | None = None,
    known: Sequence[float | None] | None = None,
) -> pa.Table:
    """Rows at some hours, with ids, labels and label times where they are given."""
    count = len(hours)
    columns = {
        "ts": times(hours),
        "p": pa.array([0.25] * count),
        "age": pa.array(range(count), pa.int64()),
        "city": pa.array(["EWR"] * count),
    }
    if ids is not None:
        columns["id"] = pa.array(ids, pa.string())
    if labels is not None:
        columns["y"] = pa.array(labels, pa.string())
    if known is not None:
        columns["known_at"] = times(known)
    return pa.table(columns)


def parquet(folder: Path, *tables: pa.Table, rows: int = 1000) -> tuple[TablePiece, ...]:
    """The pieces of tables that are written as 0.parquet, 1.parquet, …, in groups of so many rows."""
    for number, table in enumerate(tables):
        pq.write_table(table, folder / f"{number}.parquet", row_group_size=rows)
    return pieces_of(folder)


def table_of(folder: Path, *tables: pa.Table, columns: TableColumns = COLUMNS, **inside: datetime | None) -> Table:
    """A table of such files, of the rows `since` a time and until `now`."""
    return Table.of(parquet(folder, *tables), columns, inside=EventTimeRange.of(**inside))


def raw(text: bool = False, **columns: object) -> RawRows:
    """Rows as they would come from a file."""
    return RawRows.of(pa.table(columns), text=text)
