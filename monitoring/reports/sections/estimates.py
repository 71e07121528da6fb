"""Losses estimated without labels: the realised loss once labels have arrived, and whether the estimate is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from monitoring.records import EstimateRecord, MonitorStatus, RealisedLosses
from monitoring.records.estimate import EstimateMethod
from monitoring.reports.sections.formatting import format_count, format_moment
from monitoring.tasks.metrics import part_of
from monitoring.watches.descriptions import lower_first, metric_title
from monitoring.watches.trust import MAX_OUTSIDE

#: How an estimate is made.
METHODS = {
    "calibrated": "calibrated confidence",
    "threshold": "ATC confidence threshold",
    "residual": "residual model",
    "weighted": "importance weighting",
}


#: An estimate is called unchecked after so many windows in a row without a check.
UNCHECKED_WINDOWS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRow:
    """One estimate after the last window.

    Attributes:
        unchecked_since: The end of the last window with a check, or the start of the first window; None where one of
            the last `UNCHECKED_WINDOWS` windows had a check.
    """

    method: EstimateMethod
    metric: str
    trusted: bool
    checks: int
    misses: int
    since: datetime | None
    unchecked_since: datetime | None = None
    unchecked_windows: int = 0


def settled_by_window(status: MonitorStatus) -> Mapping[datetime, RealisedLosses]:
    """Losses of all labels that have arrived for each window's own predictions."""
    by_window: dict[datetime, RealisedLosses] = {}
    for window in status.windows:
        for losses in window.realised_losses:
            before = by_window.get(losses.start)
            by_window[losses.start] = losses if before is None else before + losses
    return by_window


def realised(settled: RealisedLosses | None, metric: str) -> float | None:
    """The mean realised loss of the labelled rows; None where there are none."""
    return None if settled is None else settled.mean(metric)


def trust_rows(status: MonitorStatus) -> tuple[TrustRow, ...]:
    """The trust in every estimate after the last window."""
    if not status.windows:
        return ()
    lost: dict[tuple[str, str], datetime] = {}
    checked: dict[tuple[str, str], int] = {}
    for number, window in enumerate(status.windows, 1):
        for estimate in window.estimates:
            if not estimate.interval_checks.trusted:
                lost.setdefault((estimate.method, estimate.metric), window.end)
            if estimate.checked:
                checked[estimate.method, estimate.metric] = number
    return tuple(
        _trust_row(
            status,
            estimate,
            lost.get((estimate.method, estimate.metric)),
            checked.get((estimate.method, estimate.metric), 0),
        )
        for estimate in status.windows[-1].estimates
    )


def _trust_row(status: MonitorStatus, estimate: EstimateRecord, lost: datetime | None, checked: int) -> TrustRow:
    """The trust in one estimate; `checked` is the number of the last window with a check, from 1, or 0 for none."""
    windows = status.windows
    unchecked = len(windows) - checked
    since = windows[checked - 1].end if checked else windows[0].start
    return TrustRow(
        method=estimate.method,
        metric=estimate.metric,
        trusted=estimate.interval_checks.trusted,
        checks=estimate.interval_checks.checks,
        misses=estimate.interval_checks.misses,
        since=lost,
        unchecked_since=since if unchecked >= UNCHECKED_WINDOWS else None,
        unchecked_windows=unchecked,
    )


def trust_lines(status: MonitorStatus) -> tuple[str, ...]:
    """The trust in each estimate, a sentence each; of one class of several where it is no longer trusted."""
    zone = ZoneInfo(status.timezone)
    lines = tuple(
        f"Estimated {lower_first(metric_title(row.metric))} ({METHODS.get(row.method, row.method)}): "
        f"{_state(row, zone)}; {_checks(row)}."
        for row in trust_rows(status)
        if part_of(row.metric) is None or not row.trusted
    )
    return (*lines, *_support(status))


def trust_summary(status: MonitorStatus) -> tuple[str, ...]:
    """The trust in all estimates in one sentence, which names those that are trusted; and how far rows lie outside."""
    rows = [row for row in trust_rows(status) if part_of(row.metric) is None]
    if not rows:
        return _support(status)
    trusted = [row for row in rows if row.trusted and row.unchecked_since is None]
    named = ", ".join(
        f"{lower_first(metric_title(row.metric))} by {METHODS.get(row.method, row.method)}" for row in trusted
    )
    names = f" ({named})" if trusted else ""
    line = f"Losses estimated without labels: {len(trusted)} of {len(rows)} trusted{names}; the report has all."
    return (line, *_support(status))


def _support(status: MonitorStatus) -> tuple[str, ...]:
    """How far the last window with estimates lies outside the reference, where that is far."""
    outside = next((window.estimates[0].outside for window in reversed(status.windows) if window.estimates), None)
    if outside is None or outside <= MAX_OUTSIDE:
        return ()
    share = f"{100 * outside:.0f} % of the last window's rows"
    return (f"{share} lie outside the reference: its estimates are extrapolations and page nobody.",)


def _state(row: TrustRow, zone: ZoneInfo) -> str:
    if row.since is not None:
        return f"not trusted since {format_moment(row.since, zone)}"
    if row.unchecked_since is not None:
        windows = format_count(row.unchecked_windows, "window")
        return f"unchecked since {format_moment(row.unchecked_since, zone)} ({windows} with too few labels)"
    return "trusted"


def _checks(row: TrustRow) -> str:
    if not row.checks:
        return "no labels to check it yet"
    return f"{row.misses:,} of {format_count(row.checks, 'interval')} (90 %) missed the realised loss"
