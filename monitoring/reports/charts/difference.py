"""The interval of a rollout's difference over time, with the region of differences that do not matter."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np

from monitoring.records import RolloutLook
from monitoring.reports.charts.drawing import Drawing, Label, Path, Scale, box, diamond, dots, line, nice_ticks, trace
from monitoring.reports.charts.series import Size, axes
from monitoring.reports.sections.formatting import format_count

#: The axis reaches this many regions at most above and below 0, unless later looks have wider intervals.
_REGIONS = 6.0


def difference_drawing(looks: Sequence[RolloutLook], min_effect: float, size: Size, zone: ZoneInfo) -> Drawing:
    """Draw the interval after each look."""
    left, top, width, height = size.plot
    reach = _reach(looks, min_effect)
    since, until = looks[0].at, looks[-1].at
    x = Scale(since.timestamp(), until.timestamp(), left, left + width)
    y = Scale(-reach, reach, top + height, top)
    across = x.at(look.at for look in looks)
    low, mean, high = (
        np.column_stack([across, y.each([getattr(look.interval, name) for look in looks])])
        for name in ("low", "mean", "high")
    )
    grid, labels = axes(size, (since, until), zone)
    ticks = nice_ticks(-reach, reach, size.y_ticks)
    labels += [Label(x=left - 6, y=y(tick) + 4, text=f"{tick:+.3g}" if tick else "0", anchor="end") for tick in ticks]
    region = box(left, y(min_effect), width, y(-min_effect) - y(min_effect)) if min_effect else ""
    first = next((look for look in looks if look.interval.verdict != "can't tell yet"), None)
    paths = [
        *grid,
        Path(d="".join(f"M{left:g} {y(tick):.1f}h{width:g}" for tick in ticks), style="grid"),
        Path(d=region, style="band"),
        Path(d=f"M{left:g} {y(0.0):.1f}h{width:g}", style="baseline-line"),
        Path(d=f"{line(np.concatenate([low, high[::-1]]))}z", style="page-span"),
        Path(d=trace(low), style="effect-line"),
        Path(d=trace(high), style="effect-line"),
        Path(d=trace(mean), style="value-line") if len(looks) > 1 else Path(d=dots(mean), style="mean-dot"),
        Path(d="" if first is None else diamond(x(first.at.timestamp()), y(first.interval.mean), 6), style="page-mark"),
    ]
    return Drawing(
        width=size.width,
        height=size.height,
        summary=_summary(looks, min_effect),
        paths=tuple(path for path in paths if path.d),
        labels=tuple(labels),
        fit=size.fit,
    )


def _reach(looks: Sequence[RolloutLook], min_effect: float) -> float:
    """How far the axis reaches: the last interval and the region whole, and what is seen of earlier ones."""
    last = max(abs(looks[-1].interval.low), abs(looks[-1].interval.high))
    widest = max(max(abs(look.interval.low), abs(look.interval.high)) for look in looks)
    return max(min(widest, max(_REGIONS * min_effect, 2.0 * last)), 1.2 * min_effect, 1.1 * last, 1e-6)


def _summary(looks: Sequence[RolloutLook], min_effect: float) -> str:
    last = looks[-1].interval
    return (
        f"The difference after {format_count(len(looks), 'look')}: last {last.mean:+.4f}, between {last.low:+.4f} and "
        f"{last.high:+.4f}; differences up to {min_effect:g} either way do not matter. {last.verdict.capitalize()}."
    )
