"""Losses estimated without labels: the realised loss once labels have arrived, and whether the estimate is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from monitoring.records import SCORE_ONE, MonitorStatus, RealisedLosses
from monitoring.reports.sections.formatting import format_count, format_moment
from monitoring.watches.descriptions import METRIC_TITLES, lower_first

#: How an estimate is made.
METHODS = {
    "calibrated": "calibrated confidence",
    "threshold": "ATC confidence threshold",
    "weighted": "importance weighting",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRow:
    """One estimate after the last window; `since` is the end of the window whose labels ended the trust in it."""

    method: str
    metric: str
    trusted: bool
    checks: int
    misses: int
    since: datetime | None


def settled_by_window(status: MonitorStatus) -> Mapping[datetime, RealisedLosses]:
    """Losses of all labels that have arrived for each window's own predictions.

    Args:
        status: The deployment's state.

    Returns:
        By the start of a window: rows and fixed-point sums of losses.
    """
    found: dict[datetime, RealisedLosses] = {}
    for window in status.windows:
        for one in window.realised_losses:
            before = found.get(one.start)
            found[one.start] = (
                one
                if before is None
                else RealisedLosses(
                    start=one.start,
                    rows=before.rows + one.rows,
                    error=before.error + one.error,
                    brier=before.brier + one.brier,
                )
            )
    return found


def realised(settled: RealisedLosses | None, metric: str) -> float | None:
    """The mean realised loss of the labelled rows; None where there are none."""
    if settled is None or settled.rows == 0:
        return None
    return (settled.error if metric == "error" else settled.brier) / (settled.rows * SCORE_ONE)


def trust_rows(status: MonitorStatus) -> tuple[TrustRow, ...]:
    """The trust in every estimate after the last window."""
    if not status.windows:
        return ()
    lost: dict[tuple[str, str], datetime] = {}
    for window in status.windows:
        for one in window.estimates:
            if not one.interval_checks.trusted:
                lost.setdefault((one.method, one.metric), window.end)
    return tuple(
        TrustRow(
            method=one.method,
            metric=one.metric,
            trusted=one.interval_checks.trusted,
            checks=one.interval_checks.checks,
            misses=one.interval_checks.misses,
            since=lost.get((one.method, one.metric)),
        )
        for one in status.windows[-1].estimates
    )


def trust_lines(status: MonitorStatus) -> tuple[str, ...]:
    """The trust in each estimate, a sentence each."""
    zone = ZoneInfo(status.timezone)
    lines = []
    for row in trust_rows(status):
        name = lower_first(METRIC_TITLES.get(row.metric, row.metric))
        checked = "no labels to check it yet"
        if row.checks:
            checked = f"{row.misses:,} of {format_count(row.checks, 'interval')} (90 %) missed the realised loss"
        state = "trusted" if row.since is None else f"not trusted since {format_moment(row.since, zone)}"
        lines.append(f"Estimated {name} ({METHODS.get(row.method, row.method)}): {state}; {checked}.")
    return tuple(lines)
