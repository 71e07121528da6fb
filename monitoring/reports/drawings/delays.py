"""The cumulative share of labels by the time since their event, on a log axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from monitoring.reports.drawings.drawing import Drawing, Label, Path, Scale, line
from monitoring.reports.drawings.series import Size
from monitoring.reports.sections.formatting import format_duration

#: Shares that the axis names.
_SHARES: Final = (0.0, 0.5, 1.0)

#: Seconds after an event, and the share of labels that have arrived by then.
Curve = Sequence[tuple[int, float]]


def delays_drawing(curves: Sequence[tuple[str, Curve]], summary: str, size: Size) -> Drawing:
    """Draw label delays.

    Args:
        curves: Each curve's style and its points in order of time, two at least.
        summary: The same in words.
        size: The size.

    Returns:
        The drawing.
    """
    left, top, width, height = size.plot
    edges = [edge for edge, _ in curves[0][1]]
    x = Scale(math.log(edges[0]), math.log(edges[-1]), left, left + width)
    y = Scale(0.0, 1.03, top + height, top)
    marked = edges[:: max(1, -(-len(edges) // size.x_ticks))]
    bottom = top + height
    grid = "".join(f"M{left:g} {y(share):.1f}h{width:g}" for share in _SHARES)
    ticks = "".join(f"M{x(math.log(edge)):.1f} {bottom:g}v4" for edge in marked)
    paths = [Path(d=grid, style="grid"), Path(d=f"M{left:g} {bottom:g}h{width:g}{ticks}", style="axis")]
    paths += [Path(d=line([(x(math.log(edge)), y(share)) for edge, share in curve]), style=of) for of, curve in curves]
    labels = [Label(x=left - 6, y=y(share) + 4, text=f"{share:.0%}", anchor="end") for share in _SHARES]
    labels += [
        Label(x=x(math.log(edge)), y=bottom + 17, text=format_duration(edge), anchor="middle" if place else "start")
        for place, edge in enumerate(marked)
    ]
    return Drawing(
        width=size.width, height=size.height, summary=summary, paths=tuple(paths), labels=tuple(labels), fit=size.fit
    )
