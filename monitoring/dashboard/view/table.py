"""A table of a page: what is shown in each cell, and the value that its CSV file has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from monitoring.reports.charts.drawing import Drawing
from monitoring.reports.results_table import Value, csv_lines

#: How many windows or runs a table of a view has; its CSV file has all that are shown, and all runs.
TABLE_ROWS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell: its text, its value in the CSV file, where it leads to, a class of the style sheet, a small drawing."""

    text: str
    value: Value = None
    href: str = ""
    style: str = ""
    drawing: Drawing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableView:
    """A table; `name` is unique on its page, `numeric` has the columns of numbers, `total` counts all rows."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[int] = frozenset()
    note: str = ""
    total: int | None = None

    @property
    def left_out(self) -> bool:
        """Whether the CSV file has more rows."""
        return self.total is not None and self.total > len(self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartView:
    """A chart: its drawings, one for each width of a page, the table of its data, and where its title leads to."""

    name: str
    title: str
    note: str
    drawings: tuple[Drawing, ...]
    table: TableView | None = None
    href: str = ""


def cell(text: str, value: Value = None, *, href: str = "", style: str = "") -> Cell:
    """A cell whose value in the CSV file is its text where none is given."""
    return Cell(text=text, value=text if value is None else value, href=href, style=style)


def csv_text(table: TableView) -> str:
    r"""A table as CSV with a header: numbers in full, times in ISO 8601 and UTC.

    Returns:
        Lines that end with CR LF; a text that a spreadsheet would take for a formula begins with an apostrophe.

    >>> row = (cell("=1+1"), cell("12 %", 0.125))
    >>> csv_text(TableView(name="t", title="T", columns=("a", "b"), rows=(row,)))
    "a,b\r\n'=1+1,0.125\r\n"
    """
    return "".join(csv_lines(table.columns, ([cell.value for cell in row] for row in table.rows)))
