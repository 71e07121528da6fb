"""How every figure looks: colours that the colour-blind and grey printers tell apart, small type, two kinds of file."""

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
# Okabe and Ito's, in an order whose greys differ; each goes with a marker of its own.
COLOURS: Final = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
GREY: Final = "#8a9299"
STYLE: Final[Any] = {  # matplotlib's stubs list every key it knows
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


def sheet(rows: int, columns: int, *, height: float, **settings: Any) -> tuple[Figure, Any]:
    """A figure of one page width with rows x columns axes, always a 2-d array of them."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only when a figure is drawn

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **settings)


def save(draw: Callable[[], Figure], folder: Path, name: str) -> None:
    """Let `draw` make a figure in this style, and write it as NAME.svg and NAME.png."""
    import matplotlib as mpl  # noqa: PLC0415 - as above

    with mpl.rc_context(STYLE):
        figure = draw()
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
        figure.savefig(folder / f"{name}.png", dpi=DPI)


def ladder(axes: Axes, rows: list[tuple[str, float, ConfidenceInterval]], *, zero: float, marker: str = "o") -> None:
    """Estimates with their intervals, one below the other; an unknown interval leaves the mark alone."""
    axes.axvline(zero, color=GREY, linewidth=0.8)
    for place, (_, estimate, interval) in enumerate(rows):
        height = len(rows) - place
        axes.plot([interval.low, interval.high], [height, height], color=COLOURS[0], linewidth=1.2)
        axes.plot([estimate], [height], marker=marker, color=COLOURS[0], markersize=3.5)
    axes.set_yticks(range(len(rows), 0, -1), [name for name, *_ in rows])
    axes.set_ylim(0.4, len(rows) + 0.6)
    axes.tick_params(axis="y", length=0)
