"""Levels whose watches are alike, as all on losses are: false pages and power by how much they have in common."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.law_truth import BARS, DEVIATIONS, LAWS, MONTH, YEAR, Law, memory_of, paged
from benchmarks.level_streams import Alarms
from benchmarks.results import Cell, Result, Settings, Table

SEED = 20_130_407

#: Watches of a level, each part a common series' and part its own; the correlation of any two.
WATCHES = 12
ALIKE = (0.6, 0.95)

#: Baseline windows.
SHAPES = (20, 90)

#: Fresh baselines, with two streams of a year each, and how many go together.
LEVELS, LEVELS_QUICK = 300, 50
TOGETHER = 25

SHOWN = ("normal", "normal, AR(1) .3", "normal, AR(1) .5", "normal, AR(1) .7", "two days' shocks")


def measure(settings: Settings) -> Result:
    """Every law, number of baseline windows and correlation. Cost: about a minute of a free core."""
    levels = LEVELS_QUICK if settings.quick else LEVELS
    rows: list[tuple[Cell, ...]] = []
    for name in SHOWN:
        for windows in SHAPES:
            for alike in ALIKE:
                rng = np.random.default_rng([SEED, list(LAWS).index(name), windows])
                rows.append((name, windows, alike, *_cells(name, windows, alike, levels, rng)))
    table = Table(
        title=f"Levels of {WATCHES} watches that are alike: budget 1 page per {YEAR} windows, nothing called harmless",
        columns=(
            "law of window scores",
            "R",
            "correlation",
            "pages per 365",
            "± SE",
            "any page in 30",
            *(f"+{rise:.0f} SD within {within}" for rise, within in BARS.items()),
        ),
        rows=tuple(rows),
        note=(
            f"{levels} fresh baselines of R windows with two streams each: a year, restarted after each page, and its "
            "first windows with every watch risen. Each score is a common series' part and the watch's own."
        ),
    )
    return Result(tables=(table,))


def _cells(name: str, windows: int, alike: float, levels: int, rng: np.random.Generator) -> tuple[Cell, ...]:
    law, quiet = LAWS[name], []
    harmed: dict[float, list[NDArray[np.bool_]]] = {rise: [] for rise in BARS}
    deviation = DEVIATIONS.get(name, DEVIATIONS["normal"] / np.sqrt(1.0 - memory_of(name) ** 2))
    for _ in range(levels // TOGETHER):
        known = drawn(law, rng, TOGETHER, windows, alike)
        live = np.stack([drawn(law, rng, TOGETHER, YEAR, alike).reshape(-1, YEAR) for _ in range(2)])
        quiet.append(paged(known, live))
        for rise, within in BARS.items():
            harmed[rise].append(paged(known, live[:, :, :within] + rise * deviation))
    found = Alarms(at=np.concatenate(quiet))
    by_level = found.at.sum(axis=1).reshape(-1, 2).mean(axis=1)
    error = float(by_level.std(ddof=1) / np.sqrt(by_level.size))
    in_time = [Alarms(at=np.concatenate(harmed[rise])).share_with_any(within) for rise, within in BARS.items()]
    return (float(by_level.mean()), error, found.share_with_any(MONTH), *in_time)


def drawn(law: Law, rng: np.random.Generator, levels: int, windows: int, alike: float) -> NDArray[np.float64]:
    """Scores [levels, watches, windows] of a law about .3, any two watches of a level correlated by `alike`."""
    common = law(rng, levels, windows)[:, None] - 0.3
    own = law(rng, levels * WATCHES, windows).reshape(levels, WATCHES, windows) - 0.3
    scores: NDArray[np.float64] = 0.3 + np.sqrt(alike) * common + np.sqrt(1.0 - alike) * own
    return scores
