"""Benchmark against deployment: one metric by month and by slice."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring.reports.charts.chart import Chart, DataTable
from monitoring.reports.drawings.intervals import Mean, interval_columns, interval_rows
from monitoring.reports.drawings.series import HALF
from monitoring.reports.sections.benchmark import Interval
from monitoring.reports.sections.formatting import MONTHS
from monitoring.reports.sections.months import SliceSeries, slice_series
from monitoring.tasks.metrics import is_custom
from monitoring.watches.descriptions import NOTHING, format_value, metric_title, slice_title

#: Month labels at most, so that they never overlap.
MOST_LABELS = 12

#: Slices that are drawn at most; the table has all.
MOST_SLICES = 20


def month_chart(series: SliceSeries, benchmark: Interval | None) -> Chart:
    """Chart one metric of the whole traffic by month, over the benchmark's interval."""
    metric = series.metric
    name = metric_title(metric)
    note = _benchmark_note(metric, benchmark)
    rows = [
        (
            f"{MONTHS[month.first_day.month - 1]} {month.first_day.year}",
            f"{month.windows:,}",
            f"{month.rows:,}",
            format_value(metric, month.value.mean),
            _format_interval(metric, month.value),
        )
        for month in series.months
    ]
    means = [Mean(value=month.value, words=_month_label(series, place)) for place, month in enumerate(series.months)]
    summary = f"{name} by month: " + "; ".join(f"{row[0]} {row[3]}" for row in rows) + f". {note}"
    return Chart(
        name=f"months-{metric}",
        title=f"{name} by month",
        note=note,
        drawings=(interval_columns(metric, means, benchmark, summary, HALF),),
        table=DataTable(columns=("Month", "Windows", "Labelled rows", name, "95 % interval"), rows=tuple(rows)),
    )


def slice_chart(metric: str, every: Sequence[SliceSeries], benchmark: dict[str, Interval]) -> Chart | None:
    """Chart one metric by slice over the whole period, each next to its own benchmark.

    Args:
        metric: A loss.
        every: The deployment's metrics, whole and by slice.
        benchmark: Intervals by slice; it need not have all of them.

    Returns:
        The chart; None where no slice is watched.
    """
    series = sorted(slice_series(every, metric), key=lambda entry: entry.slice)
    if not series:
        return None
    name = metric_title(metric)
    largest = sorted(series, key=lambda entry: -entry.rows)[:MOST_SLICES]
    means = [
        Mean(value=entry.whole, words=(slice_title(entry.slice),), benchmark=benchmark.get(entry.slice))
        for entry in series
        if entry in largest
    ]
    known = [benchmark[entry.slice] for entry in series if entry.slice in benchmark]
    word = "benchmark" if any(interval.low < interval.high for interval in known) else "baseline"
    note = f"◇ {word}   ● deployed, whole period. Horizontal lines: 95 % intervals." if known else "Whole period."
    summary = f"{name} by slice over the whole period: " + "; ".join(
        f"{one.words[0]} {format_value(metric, one.value.mean)}" for one in means
    )
    return Chart(
        name=f"slices-{metric}",
        title=f"{name} by slice",
        note=note + (f" The {MOST_SLICES} of {len(series):,} with most rows." if len(series) > MOST_SLICES else ""),
        drawings=(interval_rows(metric, means, summary, HALF),),
        table=_slice_table(metric, series, benchmark),
    )


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


def _month_label(series: SliceSeries, place: int) -> tuple[str, ...]:
    """The month, and the year below it where it begins; nothing where labels would overlap."""
    step = -(-len(series.months) // MOST_LABELS)
    if place % step:
        return ()
    day = series.months[place].first_day
    year = place == 0 or day.month == 1 or step > 1
    return (MONTHS[day.month - 1], *((str(day.year),) if year else ()))


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
    over = "windows" if is_custom(metric) else "days"
    return f"Dashed line: benchmark {format_value(metric, benchmark.mean)} (95 % interval over {over}: {interval})."
