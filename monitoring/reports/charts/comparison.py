"""Benchmark against deployment: one metric by month and by slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from monitoring.reports.charts.drawing import (
    Chart,
    DataTable,
    Drawing,
    Label,
    Path,
    Scale,
    box,
    diamond,
    dots,
    line,
    nice_ticks,
)
from monitoring.reports.charts.series import HALF, Size, axis_text, value_axis
from monitoring.reports.sections.benchmark import Interval
from monitoring.reports.sections.formatting import MONTHS
from monitoring.reports.sections.months import SliceSeries, slice_series
from monitoring.tasks.metrics import is_custom
from monitoring.watches.descriptions import NOTHING, format_value, metric_title, slice_title

#: Letters of a row's name that have room, pixels of a letter, and pixels of a row.
_LETTERS: Final = 22
_LETTER: Final = 6.6
_ROW: Final = 34

#: Pixels between a row's mean and its benchmark, and the room of a row of ticks.
_APART: Final = 5.0
_FOOT: Final = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """A mean with its interval, what its tick says in two lines at most, and its benchmark."""

    value: Interval
    words: tuple[str, ...] = ()
    benchmark: Interval | None = None


def interval_columns(
    metric: str, means: Sequence[Mean], benchmark: Interval | None, summary: str, size: Size
) -> Drawing:
    """Draw means one after the other, over the interval of one benchmark."""
    left, top, width, height = size.plot
    x = Scale(-0.5, max(len(means), 2) - 0.5, left, left + width)
    y = Scale(*_ends([*(mean.value for mean in means), benchmark]), top + height, top)
    grid, labels = value_axis(metric, y, size)
    bottom = top + height
    places = [(x(place), mean) for place, mean in enumerate(means)]
    paths = [grid, Path(d=f"M{left:g} {bottom:g}h{width:g}", style="axis")]
    if benchmark is not None:
        upper, lower = y(benchmark.high), y(benchmark.low)
        paths += [
            Path(d=box(left, upper, width, lower - upper) if lower > upper else "", style="band"),
            Path(d=f"M{left:g} {y(benchmark.mean):.1f}h{width:g}", style="baseline-line"),
        ]
    bars = "".join(f"M{at:.1f} {y(mean.value.low):.1f}V{y(mean.value.high):.1f}" for at, mean in places)
    points = [(at, y(mean.value.mean)) for at, mean in places]
    paths += [
        Path(d=bars, style="interval"),
        Path(d=line(points), style="value-line"),
        Path(d=dots(points), style="mean-dot"),
    ]
    labels += [
        Label(x=at, y=bottom + 16 + 14 * row, text=word, anchor="middle")
        for at, mean in places
        for row, word in enumerate(mean.words)
    ]
    return Drawing(
        width=size.width,
        height=size.height,
        summary=summary,
        paths=tuple(path for path in paths if path.d),
        labels=tuple(labels),
        fit=size.fit,
    )


def interval_rows(metric: str, means: Sequence[Mean], summary: str, size: Size) -> Drawing:
    """Draw means one below the other, each above its benchmark; the drawing is as high as they need."""
    names = [mean.words[0] if len(mean.words[0]) <= _LETTERS else mean.words[0][: _LETTERS - 1] + "…" for mean in means]
    left = 12.0 + _LETTER * max(map(len, names))
    bottom = float(size.top + _ROW * len(means))
    ends = _ends([interval for mean in means for interval in (mean.value, mean.benchmark)])
    x = Scale(*ends, left, float(size.width - size.right))
    ticks = nice_ticks(*ends, 5)
    rows = [(size.top + _ROW * (place + 0.5), mean) for place, mean in enumerate(means)]
    before = [(middle - _APART, mean.benchmark) for middle, mean in rows if mean.benchmark is not None]
    after = [(middle + _APART, mean.value) for middle, mean in rows]
    paths = [
        Path(d="".join(f"M{x(tick):.1f} {size.top}V{bottom:g}" for tick in ticks), style="grid"),
        Path(d=_bars(before, x), style="benchmark-interval"),
        Path(d=_bars(after, x), style="interval"),
        Path(d="".join(diamond(x(interval.mean), height, 4.5) for height, interval in before), style="benchmark-mark"),
        Path(d=dots([(x(interval.mean), height) for height, interval in after]), style="mean-dot"),
    ]
    labels = [
        *(
            Label(x=left - 8, y=middle + 4, text=name, anchor="end")
            for (middle, _), name in zip(rows, names, strict=True)
        ),
        *(Label(x=x(tick), y=bottom + 16, text=axis_text(metric, tick), anchor="middle") for tick in ticks),
    ]
    return Drawing(
        width=size.width,
        height=int(bottom) + _FOOT,
        summary=summary,
        paths=tuple(path for path in paths if path.d),
        labels=tuple(labels),
        fit=size.fit,
    )


def _bars(rows: Sequence[tuple[float, Interval]], x: Scale) -> str:
    return "".join(
        f"M{x(interval.low):.1f} {height:.1f}H{x(interval.high):.1f}"
        for height, interval in rows
        if interval.low < interval.high
    )


def _ends(intervals: Sequence[Interval | None]) -> tuple[float, float]:
    """The ends of an axis that has 0 and every interval, with a margin.

    >>> _ends([Interval(mean=-3.0, low=-5.0, high=-1.0)])
    (-5.5, 0.0)
    """
    held = [interval for interval in intervals if interval is not None]
    low = min([0.0, *(interval.low for interval in held)])
    high = max([0.0, *(interval.high for interval in held)])
    return (1.1 * low, 1.1 * high) if low < high else (0.0, 0.01)


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
    intervals = [benchmark[entry.slice] for entry in series if entry.slice in benchmark]
    word = "benchmark" if any(interval.low < interval.high for interval in intervals) else "baseline"
    note = f"◇ {word}   ● deployed, whole period. Horizontal lines: 95 % intervals." if intervals else "Whole period."
    summary = f"{name} by slice over the whole period: " + "; ".join(
        f"{mean.words[0]} {format_value(metric, mean.value.mean)}" for mean in means
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
