"""Windows with their states, backfills, and labels that came, as tables of the page of a deployment's jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from monitoring.dashboard.view.charts import window_address
from monitoring.dashboard.view.table import Cell, TableView, cell
from monitoring.records import Backfill
from monitoring.reports.window_states import WindowState
from monitoring.store.added_labels import AddedLabels
from monitoring.watches.descriptions import LONGEST_MESSAGE, NOTHING, printable


def window_table(windows: Sequence[WindowState], most: int | None, parent: str, zone: ZoneInfo) -> TableView:
    """The windows of a deployment with their states."""
    shown = windows[::-1][:most]
    return TableView(
        name="windows",
        title="Windows",
        columns=("Begins", "State", "Judged as", "Rows", "Labels", "Attempts", "Judged at", "Before", "Reason"),
        rows=tuple(_window_cells(window, parent, zone) for window in shown),
        numeric=frozenset({3, 4, 5}),
        note="Before: what a window was before it was judged again by a backfill.",
        total=len(windows),
    )


def backfill_table(backfills: Sequence[Backfill], zone: ZoneInfo) -> TableView:
    """The backfills of a deployment."""
    return TableView(
        name="backfills",
        title="Backfills",
        columns=("Began", "Ended", "From", "To", "Only", "Judged again", "By"),
        rows=tuple(_backfill_cells(backfill, zone) for backfill in backfills),
        numeric=frozenset({5}),
        note="Ranges of windows that were judged late or again; one that has not ended goes on with the next run.",
    )


def added_labels_table(added: Sequence[AddedLabels], zone: ZoneInfo) -> TableView:
    """The requests that added labels to a deployment's traffic log."""
    return TableView(
        name="added-labels",
        title="Labels added",
        columns=("At", "Labels", "By"),
        rows=tuple(
            (
                _time_cell(request.at, zone),
                cell(f"{request.labels:,}", request.labels),
                cell(printable(request.by) or NOTHING, request.by, style="text"),
            )
            for request in added
        ),
        numeric=frozenset({1}),
        note="Requests over the HTTP API; labels that a server took or the command line added are not among them.",
    )


def _window_cells(window: WindowState, parent: str, zone: ZoneInfo) -> tuple[Cell, ...]:
    judged = window.status is not None
    last = window.before[-1] if window.before else None
    was = NOTHING if last is None else f"{last.status}, {last.rows:,} rows, {last.labels:,} labels"
    style = "page text" if window.state == "failed" else "text"
    return (
        cell(
            _moment(window.start, zone),
            window.start,
            href=window_address(window.start, parent) if judged else "",
            style="when",
        ),
        cell(window.state, style=style),
        cell(window.status or NOTHING, window.status or "", style="text"),
        Cell(text=f"{window.rows:,}" if judged else NOTHING, value=window.rows if judged else None),
        Cell(text=f"{window.labels:,}" if judged else NOTHING, value=window.labels if judged else None),
        Cell(text=f"{window.attempts:,}" if window.attempts else NOTHING, value=window.attempts or None),
        Cell(text=NOTHING) if window.judged_at is None else _time_cell(window.judged_at, zone),
        cell(was, "" if last is None else was, style="text"),
        cell(printable(window.reason, LONGEST_MESSAGE) or NOTHING, window.reason, style=style),
    )


def _backfill_cells(backfill: Backfill, zone: ZoneInfo) -> tuple[Cell, ...]:
    return (
        _time_cell(backfill.at, zone),
        Cell(text="not ended") if backfill.ended_at is None else _time_cell(backfill.ended_at, zone),
        _time_cell(backfill.start, zone),
        _time_cell(backfill.end, zone),
        cell(backfill.only or "all"),
        cell(f"{backfill.revised:,}", backfill.revised),
        cell(printable(backfill.by), backfill.by, style="text"),
    )


def _time_cell(at: datetime, zone: ZoneInfo) -> Cell:
    return cell(_moment(at, zone), at, style="when")


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
