"""What every chart has: a drawing for each width of a page, and its data as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from monitoring.records import MonitorStatus
from monitoring.reports.charts.drawing import Drawing

#: A table has so many of the newest windows, and those that opened an incident, so many of them too.
NEWEST: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTable:
    """Cells as text; the first column names the row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """`name` is unique on the page; each drawing says in words what it shows, and `fit` at which widths it is shown."""

    name: str
    title: str
    note: str
    drawings: tuple[Drawing, ...]
    table: DataTable


def window_table(
    status: MonitorStatus,
    columns: tuple[str, ...],
    rows: Sequence[tuple[datetime, tuple[str, ...]]],
    newest: int = NEWEST,
) -> DataTable:
    """A table of windows: the newest, and those that opened an incident; it says so when there are more.

    Args:
        rows: When each window begins, and its cells, in order of time.
        newest: How many of the newest windows, and of those that opened an incident.
    """
    opened = {incident.window_start for incident in status.incidents}
    earlier = [cells for start, cells in rows[:-newest] if start in opened][-newest:]
    table_rows = (*earlier, *(cells for _, cells in rows[-newest:]))
    note = (
        f"The newest {newest} of {len(rows):,} windows, and the newest {newest} that opened an incident; "
        "`pitfalls monitor export` has all."
    )
    return DataTable(columns=columns, rows=table_rows, note="" if len(table_rows) == len(rows) else note)
