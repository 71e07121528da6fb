"""A loss as estimated without labels, by window: a line in the band of its intervals, and dots once it is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from monitoring.reports.drawings.drawing import Drawing, Path, Scale, dots, line, spread, thinned, trace
from monitoring.reports.drawings.series import Size, axes, value_axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """An estimated loss over time.

    Attributes:
        watch: The loss's name, for the unit of its values.
        summary: What is shown, in words.
        times: When each window begins, in order, [n].
        values: The estimate in each, [n].
        intervals: Its interval in each, [n]; None where it has none.
        realised: The realised loss of each, [n]; None where it is not known yet.
        until: The end of the last window.
    """

    watch: str
    summary: str
    times: Sequence[datetime]
    values: Sequence[float]
    intervals: Sequence[tuple[float, float] | None]
    realised: Sequence[float | None]
    until: datetime


def estimates_drawing(found: Estimates, size: Size, zone: ZoneInfo) -> Drawing:
    """Draw an estimated loss by window.

    Args:
        found: The estimates, one at least.
        size: The size.
        zone: The time zone of the axis.

    Returns:
        The drawing.
    """
    left, top, width, height = size.plot
    realised = [(at, loss) for at, loss in zip(found.times, found.realised, strict=True) if loss is not None]
    bands = [(at, ends) for at, ends in zip(found.times, found.intervals, strict=True) if ends is not None]
    low, high = spread([*found.values, *(loss for _, loss in realised), *(end for _, ends in bands for end in ends)])
    x = Scale(found.times[0].timestamp(), found.until.timestamp(), left, left + width)
    y = Scale(low, high, top + height, top)
    paths, labels = axes(size, (found.times[0], found.until), zone)
    grid, values = value_axis(found.watch, y, size)
    within = x.at(at for at, _ in bands)
    lower, upper = (thinned(np.column_stack([within, y.each([ends[end] for _, ends in bands])])) for end in (0, 1))
    points = np.column_stack([x.at(at for at, _ in realised), y.each([loss for _, loss in realised])])
    paths += [
        grid,
        Path(d=line(np.concatenate([upper, lower[::-1]])) + "z" if bands else "", style="band"),
        Path(d=dots(points) if len(points) <= size.dots else trace(points), style="window-dot"),
        Path(d=trace(np.column_stack([x.at(found.times), y.each(found.values)])), style="value-line"),
    ]
    return Drawing(
        width=size.width,
        height=size.height,
        summary=found.summary,
        paths=tuple(path for path in paths if path.d),
        labels=(*labels, *values),
        fit=size.fit,
    )
