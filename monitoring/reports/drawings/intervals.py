"""Means with their intervals: one after the other in time, or one below the other beside their benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from monitoring.reports.drawings.drawing import Drawing, Label, Path, Scale, box, diamond, dots, line, nice_ticks
from monitoring.reports.drawings.series import Size, axis_text, value_axis
from monitoring.reports.sections.benchmark import Interval

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
    """Draw means one after the other, over the interval of one benchmark.

    Args:
        metric: The metric's name, for the unit of its values.
        means: The means in order of time, one at least.
        benchmark: The benchmark; None where there is none.
        summary: The same in words.
        size: The size.

    Returns:
        The drawing.
    """
    left, top, width, height = size.plot
    x = Scale(-0.5, max(len(means), 2) - 0.5, left, left + width)
    y = Scale(0.0, _top([*(one.value for one in means), benchmark]), top + height, top)
    grid, labels = value_axis(metric, y, size)
    bottom = top + height
    places = [(x(place), one) for place, one in enumerate(means)]
    paths = [grid, Path(d=f"M{left:g} {bottom:g}h{width:g}", style="axis")]
    if benchmark is not None:
        upper, lower = y(benchmark.high), y(benchmark.low)
        paths += [
            Path(d=box(left, upper, width, lower - upper) if lower > upper else "", style="band"),
            Path(d=f"M{left:g} {y(benchmark.mean):.1f}h{width:g}", style="baseline-line"),
        ]
    bars = "".join(f"M{at:.1f} {y(one.value.low):.1f}V{y(one.value.high):.1f}" for at, one in places)
    points = [(at, y(one.value.mean)) for at, one in places]
    paths += [
        Path(d=bars, style="interval"),
        Path(d=line(points), style="value-line"),
        Path(d=dots(points), style="mean-dot"),
    ]
    labels += [
        Label(x=at, y=bottom + 16 + 14 * row, text=word, anchor="middle")
        for at, one in places
        for row, word in enumerate(one.words)
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
    """Draw means one below the other, each above its benchmark; the drawing is as high as they need.

    Args:
        metric: The metric's name, for the unit of its values.
        means: The means from the top, one at least.
        summary: The same in words.
        size: The width, and the margins.

    Returns:
        The drawing.
    """
    names = [one.words[0] if len(one.words[0]) <= _LETTERS else one.words[0][: _LETTERS - 1] + "…" for one in means]
    left = 12.0 + _LETTER * max(map(len, names))
    bottom = float(size.top + _ROW * len(means))
    most = _top([interval for one in means for interval in (one.value, one.benchmark)])
    x = Scale(0.0, most, left, float(size.width - size.right))
    ticks = nice_ticks(0.0, most, 5)
    rows = [(size.top + _ROW * (place + 0.5), one) for place, one in enumerate(means)]
    before = [(middle - _APART, one.benchmark) for middle, one in rows if one.benchmark is not None]
    after = [(middle + _APART, one.value) for middle, one in rows]
    paths = [
        Path(d="".join(f"M{x(tick):.1f} {size.top}V{bottom:g}" for tick in ticks), style="grid"),
        Path(d=_bars(before, x), style="benchmark-interval"),
        Path(d=_bars(after, x), style="interval"),
        Path(d="".join(diamond(x(one.mean), height, 4.5) for height, one in before), style="benchmark-mark"),
        Path(d=dots([(x(one.mean), height) for height, one in after]), style="mean-dot"),
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
    return "".join(f"M{x(one.low):.1f} {height:.1f}H{x(one.high):.1f}" for height, one in rows if one.low < one.high)


def _top(intervals: Sequence[Interval | None]) -> float:
    """The end of an axis that begins at 0."""
    return 1.1 * max([*(one.high for one in intervals if one is not None), 0.01])
