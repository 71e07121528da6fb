"""The style of all figures: colours that remain distinct in grey and for the colour-blind, small type, SVG and PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from monitoring.baseline.metrics import ConfidenceInterval

DPI: Final = 220
WIDTH: Final = 7.0  # inches: two columns of a journal
# Okabe and Ito's colours, in an order whose greys differ; each has its own marker.
COLOURS: Final = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
GREY: Final = "#8a9299"
STYLE: Final[Any] = {  # matplotlib's stubs list every key they know
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.0,
    "svg.hashsalt": "pitfalls",  # the same figure gives the same file
    "svg.fonttype": "none",
}


def subplots(rows: int, columns: int, *, height: float, **settings: Any) -> tuple[Figure, Any]:
    """Make a figure of one page width. Returns the figure, and its axes as an array [rows, columns]."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only when a figure is drawn

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **settings)


def panels(count: int, *, height: float) -> tuple[Figure, list[Axes]]:
    """Make a figure of one page width with two panels in a row; more do not leave room for the names of methods."""
    columns = min(count, 2)
    rows = -(-count // columns)
    figure, axes = subplots(rows, columns, height=height * rows)
    for spare in axes.flat[count:]:
        spare.remove()
    return figure, list(axes.flat[:count])


def save(draw: Callable[[], Figure], folder: Path, name: str) -> None:
    """Draw a figure in this style, and write it as NAME.svg and NAME.png."""
    import matplotlib as mpl  # noqa: PLC0415 - as above

    with mpl.rc_context(STYLE):
        figure = draw()
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
        figure.savefig(folder / f"{name}.png", dpi=DPI)


def forest_plot(
    axes: Axes, rows: list[tuple[str, float, ConfidenceInterval]], *, zero: float, marker: str = "o"
) -> None:
    """Draw estimates with their intervals, one per line; an unknown interval leaves the marker alone."""
    axes.axvline(zero, color=GREY, linewidth=0.8)
    for position, (_, estimate, interval) in enumerate(rows):
        height = len(rows) - position
        axes.plot([interval.low, interval.high], [height, height], color=COLOURS[0], linewidth=1.2)
        axes.plot([estimate], [height], marker=marker, color=COLOURS[0], markersize=3.5)
    axes.set_yticks(range(len(rows), 0, -1), [name for name, *_ in rows])
    axes.set_ylim(0.4, len(rows) + 0.6)
    axes.tick_params(axis="y", length=0)
