"""What every chart has: a figure, a sentence for those who do not see it, and its data as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

#: Part of a Plotly figure, ready for JSON. A colour is written ``--name``, a variable of the page's style sheet, so
#: that one figure serves light, dark and print.
Figure: TypeAlias = dict[str, Any]

#: Rows of a table at most: a chart shows more windows than anyone reads.
LONGEST_TABLE = 1000

#: Beyond so many windows, single ones are not marked: thousands of dots say nothing and cost seconds.
MOST_MARKS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTable:
    """Cells as text; the first column names the row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """`name` is unique on the page; `summary` says in words what the figure shows; `height` in pixels."""

    name: str
    title: str
    note: str
    summary: str
    height: int
    figure: Figure
    table: DataTable


def label(text: str) -> str:
    """Escape text for a Plotly label, which would read ``<a href=…>`` as a link.

    Args:
        text: Any text.

    Returns:
        The text with its markup escaped.

    >>> label("<b>EWR</b> & co")
    '&lt;b&gt;EWR&lt;/b&gt; &amp; co'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def layout(height: int, **more: Any) -> Figure:
    """The layout shared by all charts, with `more` on top."""
    return {
        "height": height,
        "margin": {"l": 58, "r": 20, "t": 12, "b": 40},
        "paper_bgcolor": "--clear",
        "plot_bgcolor": "--clear",
        "font": {"family": "inherit", "size": 12.5, "color": "--muted"},
        "hoverlabel": {"bgcolor": "--paper", "bordercolor": "--line", "font": {"color": "--ink", "size": 12.5}},
        "hovermode": "x",
        "showlegend": False,
        "dragmode": False,
        **more,
    }


_DAY_MS = 86_400_000


def axis(**more: Any) -> Figure:
    """An axis with a faint grid, with `more` on top."""
    return {
        "gridcolor": "--grid",
        "linecolor": "--line",
        "tickcolor": "--line",
        "zeroline": False,
        "fixedrange": True,
        "automargin": True,
        **more,
    }


def time_axis(reach: list[str] | None) -> Figure:
    """An axis of local times, from and to: days, and hours where the marks lie closer than a day."""
    return axis(
        type="date",
        showgrid=False,
        range=reach,
        tickformatstops=[
            {"dtickrange": [None, _DAY_MS - 1], "value": "%H:%M\n%-d %b %Y"},
            {"dtickrange": [_DAY_MS, None], "value": "%-d %b\n%Y"},
        ],
    )


def bounded(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> DataTable:
    """A table of the last rows, saying so when there were more."""
    note = f"The last {LONGEST_TABLE:,} of {len(rows):,} rows." if len(rows) > LONGEST_TABLE else ""
    return DataTable(columns=columns, rows=tuple(rows[-LONGEST_TABLE:]), note=note)
