"""False facts about values that are missing or new, where nothing is wrong: how often sound windows are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from benchmarks.results import Cell
from monitoring.incidents.life_cycle import QUIET_WINDOWS
from monitoring.judging.facts.fact_limits import FactLimits, ObservedWindow
from monitoring.judging.facts.gross_failures import MISSING, MORE_MISSING, gross_limits, share_limits
from monitoring.records import SCORE_ONE, ScoreSum, WatchKey

#: As the other facts of a classifier of ten inputs.
RANGES = 20
THRESHOLD = 1825.0
KEY = WatchKey(watch="missing:x")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shares:
    """How the share of values that are missing varies between windows, [n]."""

    name: str
    draw: Callable[[np.random.Generator, int], Floats]


def _log_odds(mean: float, deviation: float) -> Callable[[np.random.Generator, int], Floats]:
    return lambda rng, windows: np.asarray(
        expit(logit(mean) + deviation * rng.standard_normal(windows)), dtype=np.float64
    )


def _season(_rng: np.random.Generator, windows: int) -> Floats:
    return np.asarray(expit(logit(0.03) + 0.7 * np.sin(np.arange(windows) / 58.1)), dtype=np.float64)


def _burst(rng: np.random.Generator, windows: int) -> Floats:
    return np.where(rng.random(windows) < 0.01, 0.1, 0.0)


SHARES = (
    Shares("none", lambda _, windows: np.zeros(windows)),
    Shares("1 %, log odds ± .5", _log_odds(0.01, 0.5)),
    Shares("1 %, log odds ± 1", _log_odds(0.01, 1.0)),
    Shares("3 %, log odds ± 1", _log_odds(0.03, 1.0)),
    Shares("10 %, log odds ± .5", _log_odds(0.1, 0.5)),
    Shares("3 % and a season of ± .7", _season),
    Shares("10 % in one window of a hundred, else none", _burst),
)


def value_row(shares: Shares, rows: int, baseline: int, streams: int, windows: int) -> tuple[Cell, ...]:
    """One world's notices and pages in `windows` windows of `rows` rows, the mean of some streams."""
    rng, told = np.random.default_rng([20_261_202, rows, baseline]), {MORE_MISSING: 0, MISSING: 0}
    for _ in range(streams):
        counts = rng.binomial(rows, shares.draw(rng, baseline + windows))
        gross = gross_limits({KEY: counts[:baseline] / rows}, {KEY.watch: "x"})
        limits = FactLimits(threshold=THRESHOLD, gross=gross, shares=share_limits(gross), ranges=RANGES)
        quiet = QUIET_WINDOWS
        for count in counts[baseline:].tolist():
            sums = {KEY: ScoreSum(rows, count * SCORE_ONE)}
            found = limits.findings(ObservedWindow(sums=sums))
            if found and quiet >= QUIET_WINDOWS:
                told[found[0].kind] += 1
            quiet = 0 if found or (quiet < QUIET_WINDOWS and limits.lasting(sums)) else quiet + 1
    return (shares.name, rows, baseline, round(told[MORE_MISSING] / streams, 2), round(told[MISSING] / streams, 2))
