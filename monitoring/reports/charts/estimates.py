"""A loss as estimated without labels, with its interval, and the realised loss once labels have arrived."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from monitoring.records import EstimateRecord, MonitorStatus, WindowRecord
from monitoring.reports.charts.chart import Chart, window_table
from monitoring.reports.drawings.estimates import Estimates, estimates_drawing
from monitoring.reports.drawings.series import NARROW, WIDE
from monitoring.reports.sections.estimates import realised, settled_by_window, trust_lines
from monitoring.reports.sections.formatting import format_count, format_window
from monitoring.reports.sections.months import DRAWN
from monitoring.watches.descriptions import format_value, watch_title

#: A window's realised loss is drawn once labels have arrived for this share of its rows.
SETTLED = 0.8


def estimate_charts(status: MonitorStatus) -> tuple[Chart, ...]:
    """The chart of the first loss that was estimated by calibrated confidence; none where nothing was."""
    for metric in DRAWN:
        found = [
            (window, one)
            for window in status.windows
            for one in window.estimates
            if one.method == "calibrated" and one.metric == metric and one.value is not None
        ]
        if found:
            return (_chart(status, metric, found),)
    return ()


def _chart(status: MonitorStatus, metric: str, found: list[tuple[WindowRecord, EstimateRecord]]) -> Chart:
    zone, name = ZoneInfo(status.timezone), watch_title(f"estimated_{metric}")
    losses = _realised(status, metric, [window for window, _ in found])
    state = " ".join(trust_lines(status))
    last = found[-1][1]
    estimates = Estimates(
        watch=metric,
        summary=(
            f"{name} in {format_count(len(found), 'window')}, last {format_value(metric, last.value)} between "
            f"{format_value(metric, last.low)} and {format_value(metric, last.high)}; the realised "
            f"loss is known for {sum(loss is not None for loss in losses):,} of them. {state}"
        ),
        times=[window.start for window, _ in found],
        values=[one.value for _, one in found if one.value is not None],
        intervals=[None if one.low is None or one.high is None else (one.low, one.high) for _, one in found],
        realised=losses,
        until=found[-1][0].end,
    )
    return Chart(
        name=f"windows-estimated_{metric}",
        title=f"{name} by window",
        note=(
            f"Line: estimated without labels. Band: its 90 % interval. Dots: the realised loss of windows with labels "
            f"for {100 * SETTLED:.0f} % of their rows. {state}"
        ),
        drawings=tuple(estimates_drawing(estimates, size, zone) for size in (WIDE, NARROW)),
        table=window_table(
            status,
            ("Window", "Rows", name, "From", "To", "Realised"),
            [
                (
                    window.start,
                    (
                        format_window(window.start, window.end, zone),
                        f"{one.rows:,}",
                        *(format_value(metric, value) for value in (one.value, one.low, one.high, loss)),
                    ),
                )
                for (window, one), loss in zip(found, losses, strict=True)
            ],
        ),
    )


def _realised(status: MonitorStatus, metric: str, windows: Sequence[WindowRecord]) -> list[float | None]:
    """The realised loss of each window that has enough labels."""
    settled = settled_by_window(status)
    known = [(settled.get(window.start), window.rows) for window in windows]
    return [realised(one, metric) if one is not None and one.rows >= SETTLED * rows else None for one, rows in known]
