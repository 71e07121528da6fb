"""A loss as estimated without labels, with its interval, and the realised loss once labels have arrived."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from monitoring.records import EstimateRecord, MonitorStatus, WindowRecord
from monitoring.reports.charts.chart import Chart, Figure, axis, bounded, layout, time_axis
from monitoring.reports.charts.evidence import local
from monitoring.reports.sections.estimates import realised, settled_by_window, trust_lines
from monitoring.reports.sections.formatting import format_count, format_window
from monitoring.watches.descriptions import format_value, is_share, watch_title

HEIGHT = 230

#: A window's realised loss is drawn once labels have arrived for this share of its rows.
SETTLED = 0.8


def estimate_charts(status: MonitorStatus) -> tuple[Chart, ...]:
    """The chart of the first loss that was estimated by calibrated confidence; none where nothing was."""
    for metric in ("brier", "error", "macro_brier", "absolute_error"):
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
    settled = settled_by_window(status)
    starts = [local(window.start, zone) for window, _ in found]
    names = [format_window(window.start, window.end, zone) for window, _ in found]
    realised_losses: list[float | None] = []
    for window, _ in found:
        one = settled.get(window.start)
        realised_losses.append(realised(one, metric) if one is not None and one.rows >= SETTLED * window.rows else None)
    known = sum(loss is not None for loss in realised_losses)
    state = " ".join(trust_lines(status))
    return Chart(
        name=f"windows-estimated_{metric}",
        title=f"{name} by window",
        note=(
            f"Line: estimated without labels. Band: its 90 % interval. Dots: the realised loss of windows with labels "
            f"for {100 * SETTLED:.0f} % of their rows. {state}"
        ),
        summary=(
            f"{name} in {format_count(len(found), 'window')}, last {format_value(metric, found[-1][1].value)} between "
            f"{format_value(metric, found[-1][1].low)} and {format_value(metric, found[-1][1].high)}; the realised "
            f"loss is known for {known:,} of them. {state}"
        ),
        height=HEIGHT,
        figure={
            "data": _traces(metric, found, starts, names, realised_losses),
            "layout": layout(
                HEIGHT,
                xaxis=time_axis([starts[0], local(found[-1][0].end, zone)]),
                yaxis=axis(tickformat=".0%" if is_share(metric) else ".2f", nticks=6),
            ),
        },
        table=bounded(
            ("Window", "Rows", name, "From", "To", "Realised"),
            [
                (n, f"{one.rows:,}", *(format_value(metric, v) for v in (one.value, one.low, one.high, loss)))
                for n, (_, one), loss in zip(names, found, realised_losses, strict=True)
            ],
        ),
    )


def _traces(
    metric: str,
    found: list[tuple[WindowRecord, EstimateRecord]],
    starts: list[str],
    names: list[str],
    realised_losses: list[float | None],
) -> list[Figure]:
    """The band's two edges, the estimate's line, and the dots of the realised loss."""
    edge = {"type": "scatter", "mode": "lines", "x": starts, "line": {"width": 0}, "hoverinfo": "skip"}
    text = [
        f"{n}: <b>{format_value(metric, one.value)}</b> ({format_value(metric, one.low)} to "
        f"{format_value(metric, one.high)}), realised {format_value(metric, loss)}"
        for n, (_, one), loss in zip(names, found, realised_losses, strict=True)
    ]
    return [
        {**edge, "y": [one.low for _, one in found]},
        {**edge, "y": [one.high for _, one in found], "fill": "tonexty", "fillcolor": "--band"},
        {
            "type": "scatter",
            "mode": "lines",
            "x": starts,
            "y": [one.value for _, one in found],
            "line": {"color": "--ink", "width": 2},
            "text": text,
            "hovertemplate": "%{text}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "x": starts,
            "y": realised_losses,
            "marker": {"color": "--dot", "size": 5},
            "hoverinfo": "skip",
        },
    ]
