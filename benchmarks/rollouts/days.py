"""Equal versions of which each is better on some days and worse on others: how often a rollout has a verdict on them.

The test is that of a rollout, looked at daily for 60 days.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Cell, Result, Settings, Table
from monitoring.rollout.evidence.between_days import beyond
from monitoring.rollout.evidence.confidence_sequence import WEIGHTS
from monitoring.rollout.evidence.paired_sums import BETS

SEED = 20_261_130
DAYS, ROWS, DISAGREEMENT, ALPHA = 60, 900, 0.08, 0.05

Effects = NDArray[np.float64]

#: Draws the differences of days, [days], of standard deviation 1 and mean 0.
Draw = Callable[[np.random.Generator], Effects]


def _weekdays(rng: np.random.Generator) -> Effects:
    """Each weekday has a difference of its own, the same in each week; the first day is any weekday."""
    week = rng.normal(size=7)
    week = (week - week.mean()) / week.std()
    return np.tile(week, DAYS // 7 + 1)[:DAYS]


def _weekends(rng: np.random.Generator) -> Effects:
    week = np.array([1.0] * 5 + [-2.5] * 2) / math.sqrt(17.5 / 7.0)
    turned = np.roll(np.tile(week, DAYS // 7 + 2), -int(rng.integers(7)))[:DAYS]
    return np.asarray(turned * rng.choice([-1.0, 1.0]))


def _lasting(share: float) -> Draw:
    """A share of a day's difference is still there on the next day."""

    def draw(rng: np.random.Generator) -> Effects:
        effects = rng.normal(size=DAYS)
        for day in range(1, DAYS):
            effects[day] = share * effects[day - 1] + math.sqrt(1.0 - share**2) * effects[day]
        return effects

    return draw


def _cycle(days: int) -> Draw:
    """A sine of so many days, from anywhere in it."""
    return lambda rng: math.sqrt(2.0) * np.cos(2.0 * np.pi * (np.arange(DAYS) / days + rng.random()))


def _weeks(rng: np.random.Generator) -> Effects:
    """Each week has a difference of its own; the first day is any weekday."""
    return np.repeat(rng.normal(size=DAYS // 7 + 2), 7)[rng.integers(7) :][:DAYS]


def _rare(rng: np.random.Generator) -> Effects:
    """One day in ten is worse by as much as nine are better, or the other way round."""
    return np.asarray(np.where(rng.random(DAYS) < 0.1, 3.0, -1.0 / 3.0) * rng.choice([-1.0, 1.0]))


WORLDS: Mapping[str, tuple[float, Draw]] = {
    "days are alike": (0.0, lambda rng: rng.normal(size=DAYS)),
    "days differ by .005": (0.005, lambda rng: rng.normal(size=DAYS)),
    "by .01": (0.01, lambda rng: rng.normal(size=DAYS)),
    "by .02": (0.02, lambda rng: rng.normal(size=DAYS)),
    "by .02, heavy tails": (0.02, lambda rng: rng.standard_t(3, DAYS) / math.sqrt(3.0)),
    "by .02, one day in ten": (0.02, _rare),
    "by .02, a quarter of it lasts to the next day": (0.02, _lasting(0.25)),
    "by .02, a half lasts": (0.02, _lasting(0.5)),
    "by .02, seven tenths last": (0.02, _lasting(0.7)),
    "by .02, nine tenths last": (0.02, _lasting(0.9)),
    "weekdays differ by .02": (0.02, _weekdays),
    "weekends differ by .02": (0.02, _weekends),
    "a cycle of 28 days": (0.02, _cycle(28)),
    "weeks differ by .02": (0.02, _weeks),
    "a season of a year": (0.02, _cycle(365)),
}


def measure(settings: Settings) -> Result:
    """Simulate equal versions. Cost: some seconds for each world."""
    pairs = 100 if settings.quick else 2_000
    rows: list[tuple[Cell, ...]] = []
    for name, (spread, draw) in WORLDS.items():
        rng = np.random.default_rng(SEED)
        effects = np.clip([spread * draw(rng) for _ in range(pairs)], -DISAGREEMENT, DISAGREEMENT)
        differing = rng.binomial(ROWS, DISAGREEMENT, (pairs, DAYS))
        larger = rng.binomial(differing, (1.0 + effects / DISAGREEMENT) / 2.0)
        smaller = differing - larger
        better, worse = _by_rows(smaller, larger), _by_rows(larger, smaller)
        verdicts = [better & beyond(1.0 * (smaller - larger), ALPHA), worse & beyond(1.0 * (larger - smaller), ALPHA)]
        rows.append((name, *(float(reached.any(axis=1).mean()) for reached in (*verdicts, better, worse))))
        print(rows[-1], file=sys.stderr, flush=True)
    return Result(
        tables=(
            Table(
                title=f"Equal versions whose days differ, looked at daily for {DAYS} days: share of {pairs:,} pairs",
                columns=("days", "better", "worse", "better by rows alone", "worse by rows alone"),
                rows=tuple(rows),
                note=(
                    f"{ROWS} rows a day, a disagreement on {DISAGREEMENT:g} of them, min_effect 0, wrong = 1 in 20: "
                    f"each share may be .05, ± {math.sqrt(0.05 * 0.95 / pairs):.3f}. By rows alone: the evidence about "
                    "the rows seen, by which a promotion is taken back. The season is not covered by the condition "
                    "that stands beside the .05: 60 days of it are compared."
                ),
            ),
        )
    )


def _by_rows(gains: NDArray[np.int64], losses: NDArray[np.int64]) -> NDArray[np.bool_]:
    """After which days rows with a difference of 1 or -1 reject that their mean is 0 or less, [pairs, days]."""
    up, down = gains.cumsum(axis=1), losses.cumsum(axis=1)
    evidence = sum(
        weight * np.exp(np.minimum(math.log1p(bet) * up + math.log1p(-bet) * down, 700.0))
        for bet, weight in zip(BETS, WEIGHTS, strict=True)
    )
    return np.asarray(evidence >= 1.0 / ALPHA)


def verdict_days(means: Effects, rng: np.random.Generator) -> NDArray[np.int64]:
    """After how many days rollouts of a better candidate say so; one more than there are where none does by then.

    Args:
        means: The difference of each day, [pairs, days].
    """
    differing = rng.binomial(ROWS, DISAGREEMENT, means.shape)
    larger = rng.binomial(differing, np.clip((1.0 + means / DISAGREEMENT) / 2.0, 0.0, 1.0))
    smaller = differing - larger
    better = _by_rows(smaller, larger) & beyond(1.0 * (smaller - larger), ALPHA)
    return np.asarray(np.where(better.any(axis=1), better.argmax(axis=1) + 1, means.shape[1] + 1))
