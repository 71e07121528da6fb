"""A watch by window against its baseline: dots, their running mean, the baseline's band, and marks of pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from monitoring.reports.charts.drawing import (
    Drawing,
    Label,
    Path,
    Scale,
    box,
    diamond,
    dots,
    nice_ticks,
    spread,
    time_ticks,
    trace,
)
from monitoring.reports.sections.formatting import format_count
from monitoring.watches.descriptions import format_value

#: Windows in the running mean.
RUNNING = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The baseline of a watch: its mean, and the standard deviation between its windows."""

    mean: float
    deviation: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One watch over time.

    Attributes:
        band: The baseline; None where it is not known.
        weights: What each value counts in the running mean, above 0; empty: all the same.
    """

    watch: str
    title: str
    times: tuple[datetime, ...]
    values: tuple[float, ...]
    since: datetime
    until: datetime
    band: Band | None = None
    pages: tuple[datetime, ...] = ()
    estimated: tuple[tuple[datetime, float], ...] = ()
    weights: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The size of a drawing in pixels, its margins, and how many ticks and labels of alarms have room."""

    width: int
    height: int
    fit: str
    left: int = 52
    right: int = 8
    top: int = 8
    bottom: int = 22
    x_ticks: int = 8
    y_ticks: int = 4
    alarm_labels: int = 0

    @property
    def dots(self) -> int:
        """How many dots have room beside each other; more windows are drawn as a thin line."""
        return (self.width - self.left - self.right) // 3

    @property
    def plot(self) -> tuple[float, float, float, float]:
        """Left, top, width and height of the area inside the axes."""
        return (
            float(self.left),
            float(self.top),
            float(self.width - self.left - self.right),
            float(self.height - self.top - self.bottom),
        )


WIDE = Size(width=1080, height=230, fit="wide")
LARGE = Size(width=1080, height=300, fit="wide", top=36, alarm_labels=6)
HALF = Size(width=460, height=210, fit="half", bottom=38, x_ticks=12)
NARROW = Size(width=360, height=200, fit="narrow", x_ticks=3)
SMALL = Size(width=340, height=110, fit="small", left=46, x_ticks=3, y_ticks=3)
SMALL_TALL = Size(width=340, height=160, fit="small", left=34, x_ticks=3, y_ticks=3)


def series_drawing(series: Series, size: Size, zone: ZoneInfo) -> Drawing:
    """Draw a watch by window."""
    left, top, width, height = size.plot
    held = [*series.values, *(value for _, value in series.estimated)]
    if series.band is not None:
        held += [series.band.mean - series.band.deviation, series.band.mean + series.band.deviation]
    low, high = spread(held)
    x = Scale(series.since.timestamp(), series.until.timestamp(), left, left + width)
    y = Scale(low, high, top + height, top)
    across = x.at(series.times)
    points = np.column_stack([across, y.each(series.values)])
    means = running_means(series.values, series.weights or (1,) * len(series.values))
    estimated = [value for _, value in series.estimated]
    grid, labels = axes(size, (series.since, series.until), zone)
    lines, values = value_axis(series.watch, y, size)
    labels += values
    paths = [*grid, lines, *_band(series.band, y, (left, width))]
    paths += [
        Path(d="".join(f"M{x(at.timestamp()):.1f} {top:g}v{height:g}" for at in series.pages), style="page-line"),
        Path(d=dots(points) if len(points) <= size.dots else trace(points), style="window-dot"),
        Path(
            d=trace(np.column_stack([x.at(at for at, _ in series.estimated), y.each(estimated)])), style="estimate-line"
        ),
        Path(d=trace(np.column_stack([across, y.each(means)])), style="value-line"),
        Path(d="".join(diamond(x(at.timestamp()), top + 4, 5) for at in series.pages), style="page-mark"),
    ]
    return Drawing(
        width=size.width,
        height=size.height,
        summary=_summary(series),
        paths=tuple(path for path in paths if path.d),
        labels=tuple(labels),
        fit=size.fit,
    )


def running_means(values: Sequence[float], weights: Sequence[int]) -> tuple[float, ...]:
    """The weighted running mean over `RUNNING` values.

    >>> running_means([0.0, 1.0], [1, 3])
    (0.0, 0.75)
    """
    of = np.array(weights, dtype=np.float64)
    sums, total = (np.convolve(numbers, np.ones(RUNNING))[: len(of)] for numbers in (of * np.array(values), of))
    return tuple((sums / total).tolist())


def axes(size: Size, reach: tuple[datetime, datetime], zone: ZoneInfo) -> tuple[list[Path], list[Label]]:
    """The time axis with its ticks."""
    left, top, width, height = size.plot
    x = Scale(reach[0].timestamp(), reach[1].timestamp(), left, left + width)
    ticks = time_ticks(reach[0], reach[1], zone, size.x_ticks) if reach[1] > reach[0] else ()
    bottom = top + height
    marks = "".join(f"M{x(at.timestamp()):.1f} {bottom:g}v4" for at, _ in ticks)
    labels = []
    for at, text in ticks:
        place = x(at.timestamp())
        room = 3.2 * len(text)
        anchor = "start" if place - room < left else "end" if place + room > size.width else "middle"
        labels.append(Label(x=place, y=bottom + 17, text=text, anchor=anchor))
    return [Path(d=f"M{left:g} {bottom:g}h{width:g}{marks}", style="axis")], labels


def value_axis(watch: str, y: Scale, size: Size) -> tuple[Path, list[Label]]:
    """The lines and the labels of a watch's values."""
    left, _, width, _ = size.plot
    ticks = nice_ticks(y.low, y.high, size.y_ticks)
    lines = Path(d="".join(f"M{left:g} {y(tick):.1f}h{width:g}" for tick in ticks), style="grid")
    return lines, [Label(x=left - 6, y=y(tick) + 4, text=axis_text(watch, tick), anchor="end") for tick in ticks]


#: Letters of a tick that have room, and what stands for powers of ten where a number has more.
_LETTERS = 6
_POWERS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def axis_text(watch: str, value: float) -> str:
    """A watch's value as an axis has it: without the words of its unit, and short.

    >>> axis_text("error", 0.5), axis_text("absolute_error", 300_000.0), axis_text("bias", 1_500_000.0)
    ('50 %', '300k', '+1.5M')
    """
    text = format_value(watch, value).removesuffix(" points").replace(".0 %", " %")
    if len(text) <= _LETTERS:
        return text
    power, letter = next((of for of in _POWERS if abs(value) >= of[0]), (1.0, ""))
    sign = "\N{MINUS SIGN}" if value < 0 else text[0] if text[0] == "+" else ""
    return f"{sign}{abs(value) / power:.4g}{letter}" if letter else text


def _band(band: Band | None, y: Scale, across: tuple[float, float]) -> list[Path]:
    if band is None:
        return []
    left, width = across
    top, bottom = y(band.mean + band.deviation), y(band.mean - band.deviation)
    return [
        Path(d=box(left, top, width, bottom - top), style="band"),
        Path(d=f"M{left:g} {y(band.mean):.1f}h{width:g}", style="baseline-line"),
    ]


def _summary(series: Series) -> str:
    values: Sequence[float] = series.values
    text = (
        f"{series.title} in {format_count(len(values), 'window')}: lowest "
        f"{format_value(series.watch, min(values))}, highest {format_value(series.watch, max(values))}, last "
        f"{format_value(series.watch, values[-1])}."
    )
    if series.band is not None:
        text += f" Baseline {format_value(series.watch, series.band.mean)}."
    return text
