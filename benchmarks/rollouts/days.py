"""Equal versions of which each is better on some days and worse on others: how often a rollout has a verdict on them.

The verdict is that of `monitoring.rollout.evidence.verdict.compare`, looked at daily for 60 days.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Cell, Result, Settings, Table
from monitoring.rollout.evidence.between_days import days_interval
from monitoring.rollout.evidence.confidence_sequence import log_e_value
from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.rollout.evidence.verdict import BETTER, WORSE, Rules, compare

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


def _lasting(rng: np.random.Generator) -> Effects:
    """A half of a day's difference is still there on the next day."""
    found = rng.normal(size=DAYS)
    for day in range(1, DAYS):
        found[day] = 0.5 * found[day - 1] + math.sqrt(0.75) * found[day]
    return found


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
    "by .02, half of it lasts": (0.02, _lasting),
    "weekdays differ by .02": (0.02, _weekdays),
    "weekends differ by .02": (0.02, _weekends),
}


def measure(settings: Settings) -> Result:
    """Simulate equal versions. Cost: five minutes of one processor."""
    pairs = 20 if settings.quick else 400
    rows: list[tuple[Cell, ...]] = []
    for name, (spread, draw) in WORLDS.items():
        found = [_ever(np.random.default_rng((SEED, pair)), spread, draw) for pair in range(pairs)]
        rows.append((name, *np.mean(found, axis=0).tolist()))
        print(rows[-1], file=sys.stderr, flush=True)
    return Result(
        tables=(
            Table(
                title=f"Equal versions whose days differ, looked at daily for {DAYS} days: share of {pairs} pairs",
                columns=("days", "better", "worse", "better by rows alone", "worse by rows alone"),
                rows=tuple(rows),
                note=(
                    f"{ROWS} rows a day, a disagreement on {DISAGREEMENT:g} of them, min_effect 0, wrong = 1 in 20: "
                    f"each share may be .05, ± {math.sqrt(0.05 * 0.95 / pairs):.3f}. By rows alone: the evidence about "
                    "the rows seen, by which a promotion is taken back."
                ),
            ),
        )
    )


def _ever(rng: np.random.Generator, spread: float, draw: Draw) -> tuple[bool, bool, bool, bool]:
    """Whether there ever was a verdict of better, of worse, and evidence of either about the rows seen."""
    rules, limit = Rules(margin=0.0, alpha=ALPHA), math.log(1.0 / ALPHA)
    better = worse = rows_better = rows_worse = False
    days: list[PairedSums] = []
    sums = PairedSums()
    for effect in np.clip(spread * draw(rng), -DISAGREEMENT, DISAGREEMENT):
        differing = rng.binomial(ROWS, DISAGREEMENT)
        larger = rng.binomial(differing, (1.0 + effect / DISAGREEMENT) / 2.0)
        day = PairedSums.of(np.repeat([1.0, -1.0, 0.0], [larger, differing - larger, ROWS - differing]))
        days.append(day)
        sums += day
        by_rows = tuple(log_e_value(sums, 0.0, rising=rising) >= limit for rising in (False, True))
        rows_better, rows_worse = rows_better or by_rows[0], rows_worse or by_rows[1]
        by_days = days_interval(days, alpha=ALPHA)
        if (by_rows[0] and by_days.high < 0.0) or (by_rows[1] and by_days.low > 0.0):  # else there is no verdict
            word = compare(days, rules).word
            better, worse = better or word == BETTER, worse or word == WORSE
    return better, worse, rows_better, rows_worse
