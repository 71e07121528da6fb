"""Benchmark against deployment: one metric by month and by slice."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring.reports.charts.chart import Chart, DataTable, Figure, axis, label, layout
from monitoring.reports.sections.benchmark import Interval
from monitoring.reports.sections.formatting import MONTHS
from monitoring.reports.sections.months import SliceSeries, slice_series
from monitoring.watches.descriptions import NOTHING, format_value, is_share, metric_title, slice_title

#: Month labels at most, so that they never overlap.
MOST_LABELS = 12


def month_chart(series: SliceSeries, benchmark: Interval | None) -> Chart:
    """Chart one metric of the whole traffic by month, over the benchmark's interval."""
    metric = series.metric
    name = metric_title(metric)
    months = series.months
    places = list(range(len(months)))
    figure: Figure = {
        "data": [_month_line(series)],
        "layout": layout(
            250,
            xaxis=axis(
                showgrid=False,
                tickangle=0,
                range=[-0.5, max(len(months), 2) - 0.5],
                tickmode="array",
                tickvals=_thinned(places),
                ticktext=[_month_label(series, place) for place in _thinned(places)],
            ),
            yaxis=_metric_axis(metric, _top([month.value for month in months], benchmark)),
        ),
    }
    if benchmark is not None:
        _draw_band(figure["layout"], benchmark)
    rows = [
        (
            f"{MONTHS[month.first_day.month - 1]} {month.first_day.year}",
            f"{month.windows:,}",
            f"{month.rows:,}",
            format_value(metric, month.value.mean),
            _format_interval(metric, month.value),
        )
        for month in months
    ]
    return Chart(
        name=f"months-{metric}",
        title=f"{name} by month",
        note=_benchmark_note(metric, benchmark),
        summary=f"{name} by month: "
        + "; ".join(f"{row[0]} {row[3]}" for row in rows)
        + ". "
        + _benchmark_note(metric, benchmark),
        height=250,
        figure=figure,
        table=DataTable(columns=("Month", "Windows", "Labelled rows", name, "95 % interval"), rows=tuple(rows)),
    )


def _month_line(series: SliceSeries) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": list(range(len(series.months))),
        "y": [month.value.mean for month in series.months],
        "error_y": _bars([month.value for month in series.months]),
        "line": {"color": "--ink", "width": 2},
        "marker": {"color": "--ink", "size": 8},
        "text": [
            f"{MONTHS[month.first_day.month - 1]} {month.first_day.year}: "
            f"<b>{format_value(series.metric, month.value.mean)}</b><br>{month.rows:,} labelled rows"
            for month in series.months
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }


def slice_chart(metric: str, every: Sequence[SliceSeries], benchmark: dict[str, Interval]) -> Chart | None:
    """Chart one metric by slice over the whole period, each next to its own benchmark.

    Args:
        metric: A loss.
        every: The deployment's metrics, whole and by slice.
        benchmark: Intervals by slice; it need not have all of them.

    Returns:
        The chart; None where no slice is watched.
    """
    series = sorted(slice_series(every, metric), key=lambda entry: entry.slice, reverse=True)
    if not series:
        return None
    name = metric_title(metric)
    parts = [label(slice_title(entry.slice)) for entry in series]
    places = list(range(len(series)))
    known = [
        (place, benchmark[entry.slice]) for place, entry in zip(places, series, strict=True) if entry.slice in benchmark
    ]
    word = "benchmark" if any(interval.low < interval.high for _, interval in known) else "baseline"
    before = _dots(metric, word, [(place - 0.14, interval) for place, interval in known])
    before["error_x"]["color"] = "--baseline"
    before["marker"] |= {"color": "--paper", "symbol": "diamond", "line": {"color": "--baseline", "width": 2}}
    after = _dots(metric, "deployed", [(place + 0.14, entry.whole) for place, entry in enumerate(series)])
    height = 74 + 52 * max(len(series), 2)
    widest = _top([entry.whole for entry in series], *benchmark.values())
    figure: Figure = {
        "data": [before, after],
        "layout": layout(
            height,
            hovermode="closest",
            xaxis=_metric_axis(metric, widest),
            yaxis=axis(
                showgrid=False,
                range=[-0.6, len(series) - 0.4],
                tickmode="array",
                tickvals=places,
                ticktext=parts,
                ticklabelstandoff=6,
            ),
        ),
    }
    return Chart(
        name=f"slices-{metric}",
        title=f"{name} by slice",
        note=f"◇ {word}   ● deployed, whole period. Horizontal lines: 95 % intervals." if known else "Whole period.",
        summary=f"{name} by slice over the whole period: "
        + "; ".join(f"{slice_title(entry.slice)} {format_value(metric, entry.whole.mean)}" for entry in series[::-1]),
        height=height,
        figure=figure,
        table=_slice_table(metric, series[::-1], benchmark),
    )


def _dots(metric: str, word: str, intervals: Sequence[tuple[float, Interval]]) -> Figure:
    """Means with their intervals, each at its height."""
    return {
        "type": "scatter",
        "mode": "markers",
        "y": [height for height, _ in intervals],
        "x": [interval.mean for _, interval in intervals],
        "error_x": _bars([interval for _, interval in intervals]),
        "marker": {"color": "--ink", "size": 9},
        "text": [f"{word} {format_value(metric, interval.mean)}" for _, interval in intervals],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _slice_table(metric: str, series: Sequence[SliceSeries], benchmark: dict[str, Interval]) -> DataTable:
    months = sorted({month.first_day for entry in series for month in entry.months})
    rows = []
    for entry in series:
        by_month = {month.first_day: month.value.mean for month in entry.months}
        before = benchmark.get(entry.slice)
        rows.append(
            (
                slice_title(entry.slice),
                f"{entry.rows:,}",
                format_value(metric, before.mean if before else None),
                format_value(metric, entry.whole.mean),
                *(format_value(metric, by_month.get(month)) for month in months),
            )
        )
    heads = tuple(f"{MONTHS[month.month - 1]} {month.year}" for month in months)
    return DataTable(columns=("Slice", "Labelled rows", "Benchmark", "Deployed", *heads), rows=tuple(rows))


def _metric_axis(metric: str, top: float) -> Figure:
    return axis(range=[0, top], tickformat=".0%" if is_share(metric) else ".2f", nticks=6)


def _top(intervals: Sequence[Interval], *benchmark: Interval | None) -> float:
    highs = [interval.high for interval in (*intervals, *benchmark) if interval is not None]
    return 1.15 * max([*highs, 0.01])


def _bars(intervals: Sequence[Interval]) -> Figure:
    return {
        "type": "data",
        "symmetric": False,
        "array": [interval.high - interval.mean for interval in intervals],
        "arrayminus": [interval.mean - interval.low for interval in intervals],
        "color": "--ink",
        "thickness": 1.2,
        "width": 0,
    }


def _draw_band(figure_layout: Figure, benchmark: Interval) -> None:
    across = {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "layer": "below", "line": {"width": 0}}
    line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "layer": "below"}
    figure_layout["shapes"] = [
        {**across, "y0": benchmark.low, "y1": benchmark.high, "fillcolor": "--band"},
        {
            **line,
            "y0": benchmark.mean,
            "y1": benchmark.mean,
            "line": {"color": "--baseline", "width": 1.5, "dash": "dash"},
        },
    ]


def _thinned(places: list[int]) -> list[int]:
    step = -(-len(places) // MOST_LABELS) if places else 1
    return places[::step]


def _month_label(series: SliceSeries, place: int) -> str:
    day = series.months[place].first_day
    year = f"<br>{day.year}" if place == 0 or day.month == 1 or len(series.months) > MOST_LABELS else ""
    return MONTHS[day.month - 1] + year


def _format_interval(metric: str, interval: Interval) -> str:
    if interval.low == interval.high:
        return NOTHING
    return f"{format_value(metric, interval.low)} to {format_value(metric, interval.high)}"


def _benchmark_note(metric: str, benchmark: Interval | None) -> str:
    if benchmark is None:
        return ""
    interval = _format_interval(metric, benchmark)
    if interval == NOTHING:
        return f"Dashed line: the baseline's mean, {format_value(metric, benchmark.mean)}."
    return f"Dashed line: benchmark {format_value(metric, benchmark.mean)} (95 % interval over days: {interval})."
