"""The tables of the page *Versions*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from monitoring.dashboard.view.table import Cell, TableView, cell
from monitoring.records import RolloutEvent, RolloutInterval, RolloutPlan, RolloutRecord, RolloutResult
from monitoring.reports.sections.formatting import format_moment, format_window
from monitoring.rollout.life import harm_text
from monitoring.watches.descriptions import LONGEST_MESSAGE, NOTHING, printable

#: Bytes of a mebibyte.
_MEBIBYTE = 1 << 20


def guards_table(result: RolloutResult) -> TableView:
    """The guards, those that fail first."""
    ordered = sorted(result.guards, key=lambda guard: (guard.passes, guard.interval.verdict != "worse", guard.name))
    return TableView(
        name="guards",
        title="Guards and slices",
        columns=("Guard", "State", "Rows", "Difference", "Low", "High", "At most", "Evidence of harm"),
        rows=tuple(
            (
                cell(printable(guard.name), guard.name, style="text"),
                _state(guard.interval, passes=guard.passes),
                cell(f"{guard.rows:,}", guard.rows),
                *_bounds(guard.interval),
                cell(f"{guard.limit:g}", guard.limit),
                Cell(text=harm_text(guard.harm), value=guard.harm),
            )
            for guard in ordered
        ),
        numeric=frozenset(range(2, 8)),
        note="Each has to be not worse: its high bound lies below what it may be at most. Evidence of harm is about "
        f"the rows seen; its mean over the loss and all guards counts as harm from {1.0 / result.wrong:.0f} on.",
    )


def _state(interval: RolloutInterval, *, passes: bool) -> Cell:
    text = "not worse" if passes else "worse" if interval.verdict == "worse" else "can't tell yet"
    return cell(text, style="page" if text == "worse" else "")


def _bounds(interval: RolloutInterval) -> tuple[Cell, Cell, Cell]:
    return (
        cell(f"{interval.mean:+.4f}", interval.mean),
        cell(f"{interval.low:+.4f}", interval.low),
        cell(f"{interval.high:+.4f}", interval.high),
    )


def looks_table(result: RolloutResult, zone: ZoneInfo, most: int | None) -> TableView:
    """What was known after each window, the latest first."""
    return TableView(
        name="looks",
        title="Looks",
        columns=("After", "Verdict", "Rows", "Labels", "Difference", "Low", "High"),
        rows=tuple(
            (
                cell(format_moment(look.at, zone), look.at, style="when"),
                cell(look.interval.verdict),
                cell(f"{look.rows:,}", look.rows),
                cell(f"{look.labelled:,}", look.labelled),
                *_bounds(look.interval),
            )
            for look in result.looks[::-1][:most]
        ),
        numeric=frozenset(range(2, 7)),
        total=len(result.looks),
    )


def windows_table(result: RolloutResult, zone: ZoneInfo, most: int | None) -> TableView:
    """The windows of evidence, the latest first."""
    return TableView(
        name="windows",
        title="Windows",
        columns=("Window", "Rows", "Labels", "Disagreements", "Without a label", "Difference"),
        rows=tuple(
            (
                cell(format_window(window.start, window.end, zone), window.start),
                cell(f"{window.rows:,}", window.rows),
                cell(f"{window.labelled:,}", window.labelled),
                cell(f"{window.disagreements:,}", window.disagreements),
                cell(f"{window.missing:,}", window.missing),
                cell(f"{window.difference:+.4f}", window.difference),
            )
            for window in result.windows[::-1][:most]
        ),
        numeric=frozenset(range(1, 6)),
        total=len(result.windows),
        note="Rows that both versions answered, and of those on which they disagree the ones without a label.",
    )


def costs_table(costs: Mapping[str, Mapping[str, Any]] | None, record: RolloutRecord) -> TableView | None:
    """What each version takes; None where it was not measured."""
    if not costs:
        return None
    numbers = {"champion": record.logging, "candidate": record.dark}
    return TableView(
        name="costs",
        title="Time and memory",
        columns=("Version", "Median, ms", "99th percentile, ms", "Memory, MiB"),
        rows=tuple(
            (
                cell(f"{numbers[name]}, in the dark" if name == "candidate" else f"{numbers[name]}, in use"),
                _amount(cost["p50_us"], 1e3, 2),
                _amount(cost["p99_us"], 1e3, 2),
                _amount(cost["memory_bytes"] or None, _MEBIBYTE, 0),
            )
            for name, cost in costs.items()
        ),
        numeric=frozenset(range(1, 4)),
        note="Some rows of each window, one at a time, by both versions in turns, in a process of low priority.",
    )


def _amount(value: float | None, unit: float, digits: int) -> Cell:
    if value is None:
        return Cell(text=NOTHING)
    return cell(f"{value / unit:,.{digits}f}", value / unit)


def promises_table(plan: RolloutPlan) -> TableView:
    """What was promised before it began."""
    shares = plan.promises[0].shares if plan.promises else ()
    return TableView(
        name="promises",
        title="Promised before it began",
        columns=("If the difference is", "Verdict", *(f"Days, {share:.0%} of cases" for share in shares), "Labels"),
        rows=tuple(
            (
                cell(f"{promise.effect:+g}", promise.effect),
                cell(promise.verdict),
                *(Cell(text=NOTHING if day is None else f"{day:.3g}", value=day) for day in promise.days),
                Cell(
                    text=NOTHING if promise.labels[-1] is None else f"{promise.labels[-1]:,}", value=promise.labels[-1]
                ),
            )
            for promise in plan.promises
        ),
        numeric=frozenset({0, *range(2, 3 + len(shares))}),
        note=f"By {plan.measured_on:,} rows that both versions had answered: they disagree on {plan.disagreement:.2%}.",
    )


def events_table(events: Sequence[RolloutEvent], zone: ZoneInfo, most: int | None) -> TableView:
    """What happened, the latest first."""
    return TableView(
        name="events",
        title="What happened",
        columns=("When", "What", "In words", "By"),
        rows=tuple(
            (
                cell(format_moment(event.at, zone), event.at, style="when"),
                cell(event.kind),
                cell(printable(event.text, LONGEST_MESSAGE), style="text"),
                cell(printable(event.by), style="text"),
            )
            for event in events[::-1][:most]
        ),
        total=len(events),
    )


def all_rollouts(records: Sequence[RolloutRecord], address: str, zone: ZoneInfo) -> TableView:
    """All rollouts of a deployment, the newest first, each with its page."""
    return TableView(
        name="rollouts",
        title="All rollouts",
        columns=("Rollout", "Begun", "Champion", "Candidate", "Mode", "State", "Verdict", "Difference"),
        rows=tuple(
            (
                cell(f"#{record.number}", record.number, href=f"{address}/{record.number}"),
                cell(format_moment(record.started_at, zone), record.started_at, style="when"),
                cell(str(record.champion), record.champion),
                cell(str(record.candidate), record.candidate),
                cell(record.mode),
                cell(record.state),
                cell("no look yet" if record.result is None else record.result.verdict),
                Cell(text=NOTHING)
                if record.result is None
                else cell(f"{record.result.interval.mean:+.4f}", record.result.interval.mean),
            )
            for record in records
        ),
        numeric=frozenset({2, 3, 7}),
    )
