"""A loss as estimated without labels, with its interval, and the realised loss once labels have arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from monitoring.records import EstimateRecord, MonitorStatus, WindowRecord
from monitoring.reports.charts.drawing import (
    Chart,
    Drawing,
    Path,
    Scale,
    dots,
    line,
    spread,
    thinned,
    trace,
    window_table,
)
from monitoring.reports.charts.series import NARROW, WIDE, Size, axes, value_axis
from monitoring.reports.sections.estimates import realised, settled_by_window, trust_lines
from monitoring.reports.sections.formatting import format_count, window_name
from monitoring.reports.sections.months import DRAWN
from monitoring.watches.descriptions import format_value, watch_title


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """An estimated loss over time.

    Attributes:
        times: When each window begins, in order, [n].
        values: The estimate in each, [n].
        intervals: Its interval in each, [n]; None where it has none.
        realised: The realised loss of each, [n]; None where it is not known yet.
    """

    watch: str
    summary: str
    times: Sequence[datetime]
    values: Sequence[float]
    intervals: Sequence[tuple[float, float] | None]
    realised: Sequence[float | None]
    until: datetime


def estimates_drawing(estimates: Estimates, size: Size, zone: ZoneInfo) -> Drawing:
    """Draw an estimated loss by window."""
    left, top, width, height = size.plot
    realised = [(at, loss) for at, loss in zip(estimates.times, estimates.realised, strict=True) if loss is not None]
    bands = [(at, ends) for at, ends in zip(estimates.times, estimates.intervals, strict=True) if ends is not None]
    low, high = spread(
        [*estimates.values, *(loss for _, loss in realised), *(end for _, ends in bands for end in ends)]
    )
    x = Scale(estimates.times[0].timestamp(), estimates.until.timestamp(), left, left + width)
    y = Scale(low, high, top + height, top)
    paths, labels = axes(size, (estimates.times[0], estimates.until), zone)
    grid, values = value_axis(estimates.watch, y, size)
    within = x.at(at for at, _ in bands)
    lower, upper = (thinned(np.column_stack([within, y.each([ends[end] for _, ends in bands])])) for end in (0, 1))
    points = np.column_stack([x.at(at for at, _ in realised), y.each([loss for _, loss in realised])])
    paths += [
        grid,
        Path(d=line(np.concatenate([upper, lower[::-1]])) + "z" if bands else "", style="band"),
        Path(d=dots(points) if len(points) <= size.dots else trace(points), style="window-dot"),
        Path(d=trace(np.column_stack([x.at(estimates.times), y.each(estimates.values)])), style="value-line"),
    ]
    return Drawing(
        width=size.width,
        height=size.height,
        summary=estimates.summary,
        paths=tuple(path for path in paths if path.d),
        labels=(*labels, *values),
        fit=size.fit,
    )


#: A window's realised loss is drawn once labels have arrived for this share of its rows.
SETTLED = 0.8


def estimate_charts(status: MonitorStatus) -> tuple[Chart, ...]:
    """The chart of the first loss that was estimated by calibrated confidence; none where nothing was."""
    for metric in DRAWN:
        pairs = [
            (window, estimate)
            for window in status.windows
            for estimate in window.estimates
            if estimate.method == "calibrated" and estimate.metric == metric and estimate.value is not None
        ]
        if pairs:
            return (_chart(status, metric, pairs),)
    return ()


def _chart(status: MonitorStatus, metric: str, pairs: list[tuple[WindowRecord, EstimateRecord]]) -> Chart:
    zone, name = ZoneInfo(status.timezone), watch_title(f"estimated_{metric}")
    losses = _realised(status, metric, [window for window, _ in pairs])
    state = " ".join(trust_lines(status))
    last = pairs[-1][1]
    estimates = Estimates(
        watch=metric,
        summary=(
            f"{name} in {format_count(len(pairs), 'window')}, last {format_value(metric, last.value)} between "
            f"{format_value(metric, last.low)} and {format_value(metric, last.high)}; the realised "
            f"loss is known for {sum(loss is not None for loss in losses):,} of them. {state}"
        ),
        times=[window.start for window, _ in pairs],
        values=[estimate.value for _, estimate in pairs if estimate.value is not None],
        intervals=[
            None if estimate.low is None or estimate.high is None else (estimate.low, estimate.high)
            for _, estimate in pairs
        ],
        realised=losses,
        until=pairs[-1][0].end,
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
                        window_name(window, zone),
                        f"{estimate.rows:,}",
                        *(format_value(metric, value) for value in (estimate.value, estimate.low, estimate.high, loss)),
                    ),
                )
                for (window, estimate), loss in zip(pairs, losses, strict=True)
            ],
        ),
    )


def _realised(status: MonitorStatus, metric: str, windows: Sequence[WindowRecord]) -> list[float | None]:
    """The realised loss of each window that has enough labels."""
    settled = settled_by_window(status)
    pairs = [(settled.get(window.start), window.rows) for window in windows]
    return [
        realised(losses, metric) if losses is not None and losses.rows >= SETTLED * rows else None
        for losses, rows in pairs
    ]
