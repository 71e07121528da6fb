"""The trade: a season's noise, which should not page, and a lasting rise of the same size, which should."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.worlds.harms import Quiet, wrong
from benchmarks.truth.worlds.laws import Lender, Overconfident
from benchmarks.truth.worlds.measure import HARMED, Cells, Stream, lasting_rise, quiet_year
from monitoring.judging.fit.tolerances import SEASONAL_BRIER
from pitfalls_tf.experiments.pages.drawing import COLOURS, MARKERS, save, subplots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from benchmarks.truth.worlds.world import World

#: The tolerances for a season that the reference has not seen: shares of the Brier score; others are in proportion.
SHARES = (0.03, 0.06, 0.09, 0.12)
PEAKS = (0.5, 1.0, 1.5, 2.0)
FULL, QUICK = 6, 1
PICTURES = Path("docs/images")


def measure(settings: Settings) -> Result:
    """For every tolerance and every size the share of years, and of lasting rises, that page.

    What was simulated before is in `OUT/trade.json`, and goes on from there; a full run draws `docs/images/trade.svg`.
    """
    count = QUICK if settings.quick else FULL
    cells = Cells(settings.out / ("trade_quick.json" if settings.quick else "trade.json"))
    both = (Lender(), Overconfident())
    for number in range(count):
        for world in both:
            for share in SHARES:
                _stream(cells, world, number, share)
            print(f"stream {number + 1} of {count}: {world.name}", file=sys.stderr, flush=True)
    shares = {(world.name, share): _shares(cells, world, share, count) for world in both for share in SHARES}
    if not settings.quick:
        save(lambda: _drawn(shares), PICTURES, "trade")
    rows: list[tuple[Cell, ...]] = [
        (name, f"{share:.0%}", peak, seasonal, lasting, "none" if day > HARMED else day)
        for (name, share), figures in shares.items()
        for peak, (seasonal, lasting, day) in zip(PEAKS, figures, strict=True)
    ]
    return Result(
        tables=(
            Table(
                title=f"A season's noise and a lasting rise of the same size: shares of {count}",
                columns=("world", "tolerance", "points", "years paged", "rises paged", "median day"),
                rows=tuple(rows),
                note=(
                    "Tolerance: share of the Brier score. Points: the peak of a year's noise, and the rise that "
                    f"lasts. A reference of 90 days; a rise has {HARMED} days."
                ),
            ),
        )
    )


def _stream(cells: Cells, world: World, number: int, share: float) -> None:
    """A year with each peak, and each lasting rise."""
    factor = share / SEASONAL_BRIER
    for peak in PEAKS:
        key = f"{world.name}|{share:g}|{peak:g}|{number}"
        if f"{key}|season" not in cells:
            stream = Stream(world=world, number=1000 + number, quiet=Quiet(noise=peak))
            cells.put(f"{key}|season", quiet_year(stream, factor))
        if f"{key}|lasting" not in cells:
            stream = Stream(world=world, number=number, quiet=Quiet())
            cells.put(f"{key}|lasting", lasting_rise(stream, wrong(peak), factor))


def _shares(cells: Cells, world: World, share: float, count: int) -> list[tuple[float, float, float]]:
    """Of every size the share of years and of rises paged, and the median day of the latter."""
    figures = []
    for peak in PEAKS:
        keys = [f"{world.name}|{share:g}|{peak:g}|{number}" for number in range(count)]
        years = np.array([cells.values[f"{key}|season"][0] for key in keys])
        days = np.array([cells.values[f"{key}|lasting"][0] for key in keys])
        figures.append((float(np.mean(years > 0)), float(np.mean(days <= HARMED)), float(np.median(days))))
    return figures


def _drawn(shares: dict[tuple[str, float], list[tuple[float, float, float]]]) -> Figure:
    names = list(dict.fromkeys(name for name, _ in shares))
    figure, axes = subplots(1, len(names), height=2.9, sharey=True)
    for panel, name in zip(axes[0], names, strict=True):
        for at, share in enumerate(SHARES):
            seasonal, lasting, _ = zip(*shares[name, share], strict=True)
            style = {"color": COLOURS[at], "marker": MARKERS[at], "markersize": 3.5}
            panel.plot(PEAKS, lasting, linestyle="-", label=f"lasts, tolerance {share:.0%}", **style)
            panel.plot(PEAKS, seasonal, linestyle=":", label=f"season, tolerance {share:.0%}", **style)
        panel.set_title(name)
        panel.set_xlabel("error, points more")
    axes[0][0].set_ylabel("share paged")
    axes[0][0].set_ylim(-0.03, 1.03)
    lines, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside lower center", ncols=4)
    return figure
