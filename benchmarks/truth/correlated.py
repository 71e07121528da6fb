"""Levels with correlated watches, as those on losses are: false pages and power by the correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.distributions import (
    DISTRIBUTIONS,
    GOALS,
    MONTH,
    STANDARD_DEVIATIONS,
    YEAR,
    Distribution,
    coefficient_of,
    page_alarms,
)
from benchmarks.truth.level_streams import Alarms

SEED = 20_130_407

#: Watches of a level, each the sum of a common series and its own; correlation of any two.
WATCHES = 12
CORRELATIONS = (0.6, 0.95)

#: Baseline windows.
BASELINES = (20, 90)

#: Fresh baselines, with two streams of a year each, and how many are processed together.
LEVELS, LEVELS_QUICK = 300, 50
BATCH = 25

NAMES = ("normal", "normal, AR(1) .3", "normal, AR(1) .5", "normal, AR(1) .7", "two days' shocks")


def measure(settings: Settings) -> Result:
    """Measure every distribution, number of baseline windows and correlation. Cost: about a minute on a free core."""
    levels = LEVELS_QUICK if settings.quick else LEVELS
    rows: list[tuple[Cell, ...]] = []
    for name in NAMES:
        for windows in BASELINES:
            for correlation in CORRELATIONS:
                rng = np.random.default_rng([SEED, list(DISTRIBUTIONS).index(name), windows])
                rows.append((name, windows, correlation, *_cells(name, windows, correlation, levels, rng)))
    table = Table(
        title=f"Levels of {WATCHES} correlated watches: budget 1 page per {YEAR} windows, tolerance 0",
        columns=(
            "distribution of window scores",
            "R",
            "correlation",
            "pages per 365",
            "± SE",
            "any page in 30",
            *(f"+{rise:.0f} SD within {within}" for rise, within in GOALS.items()),
        ),
        rows=tuple(rows),
        note=(
            f"{levels} fresh baselines of R windows with two streams each: a year, restarted after each page, and its "
            "first windows with every watch raised. Each score is the sum of a common series and the watch's own."
        ),
    )
    return Result(tables=(table,))


def _cells(name: str, windows: int, correlation: float, levels: int, rng: np.random.Generator) -> tuple[Cell, ...]:
    distribution, quiet = DISTRIBUTIONS[name], []
    harmed: dict[float, list[NDArray[np.bool_]]] = {rise: [] for rise in GOALS}
    deviation = STANDARD_DEVIATIONS.get(name, STANDARD_DEVIATIONS["normal"] / np.sqrt(1.0 - coefficient_of(name) ** 2))
    for _ in range(levels // BATCH):
        baseline = correlated_scores(distribution, rng, BATCH, windows, correlation)
        live = np.stack(
            [correlated_scores(distribution, rng, BATCH, YEAR, correlation).reshape(-1, YEAR) for _ in range(2)]
        )
        quiet.append(page_alarms(baseline, live))
        for rise, within in GOALS.items():
            harmed[rise].append(page_alarms(baseline, live[:, :, :within] + rise * deviation))
    alarms = Alarms(at=np.concatenate(quiet))
    by_level = alarms.at.sum(axis=1).reshape(-1, 2).mean(axis=1)
    error = float(by_level.std(ddof=1) / np.sqrt(by_level.size))
    in_time = [Alarms(at=np.concatenate(harmed[rise])).share_with_any(within) for rise, within in GOALS.items()]
    return (float(by_level.mean()), error, alarms.share_with_any(MONTH), *in_time)


def correlated_scores(
    distribution: Distribution, rng: np.random.Generator, levels: int, windows: int, correlation: float
) -> NDArray[np.float64]:
    """Scores [levels, watches, windows] with mean .3, with a pairwise `correlation` of a level's watches."""
    common = distribution(rng, levels, windows)[:, None] - 0.3
    own_scores = distribution(rng, levels * WATCHES, windows).reshape(levels, WATCHES, windows) - 0.3
    scores: NDArray[np.float64] = 0.3 + np.sqrt(correlation) * common + np.sqrt(1.0 - correlation) * own_scores
    return scores
