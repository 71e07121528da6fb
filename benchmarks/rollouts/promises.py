"""What a plan promises where days differ, by the days of its own sample: how often the promise is kept.

Each pair of versions is planned from days of before, and then compared by the test of a rollout, looked at daily.
"""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.rollouts.days import ALPHA, DAYS, DISAGREEMENT, ROWS, WORLDS, Draw, verdict_days
from monitoring.rollout.evidence.day_spread import day_spreads
from monitoring.rollout.evidence.planning import PairedStream, promise
from monitoring.rollout.evidence.terms import Rules
from monitoring.rollout.log.planning_job import ROWS as SAMPLED
from monitoring.rollout.log.planning_job import WINDOWS

SEED = 20_261_204

#: Differences of the candidate's error rate, and the worlds of days in which they are.
EFFECTS = (-0.05, -0.02)
NAMES = (
    "days are alike",
    "days differ by .005",
    "by .01",
    "by .02",
    "by .02, heavy tails",
    "by .02, a half lasts",
    "weekdays differ by .02",
    "weeks differ by .02",
)


def measure(settings: Settings) -> Result:
    """Simulate plans and rollouts. Cost: a fifth of a second for each."""
    pairs = 20 if settings.quick else 200
    rows: list[tuple[Cell, ...]] = []
    for name in NAMES:
        for effect in EFFECTS:
            rows.append((name, f"{100 * effect:+.0f}", *_kept(*WORLDS[name], effect, pairs)))
            print(rows[-1], file=sys.stderr, flush=True)
    return Result(
        tables=(
            Table(
                title=f"Promises of plans, {pairs} plans and rollouts for each line",
                columns=(
                    *("days", "effect, points", "promised, half", "nine of ten", "came, half", "nine of ten"),
                    *("kept, half", "nine of ten", "if days are taken to be alike: kept, half", "nine of ten"),
                ),
                rows=tuple(rows),
                note=(
                    f"{ROWS} rows a day, a disagreement on {DISAGREEMENT:g} of them, min_effect 0, every label there. "
                    f"A plan has {SAMPLED:,} rows of the {WINDOWS} days before. Promised: the median over plans. "
                    f"A dash: not within {DAYS} days, which counts as kept whenever the verdict comes. "
                    f"Kept: the share of rollouts that were *better* by the day that their own plan promised, "
                    f"± {math.sqrt(0.25 / pairs):.3f} and {math.sqrt(0.09 / pairs):.3f}."
                ),
            ),
        )
    )


def _kept(spread: float, draw: Draw, effect: float, pairs: int) -> tuple[Cell, ...]:
    rng = np.random.default_rng((SEED, round(-1000 * effect)))
    came: list[int] = []
    promised: list[list[int]] = []
    alike: list[list[int]] = []
    for _ in range(pairs):
        days = draw(rng)
        before = _spreads(effect + spread * draw(rng)[:WINDOWS], rng)
        came.append(int(verdict_days((effect + spread * days)[None], rng)[0]))
        stream = PairedStream(rows=ROWS, disagreement=DISAGREEMENT, days=before)
        for plans, planned in ((promised, stream), (alike, replace(stream, days=()))):
            found = promise(planned, effect, Rules(margin=0.0, alpha=ALPHA), rng, max_windows=DAYS)
            plans.append([DAYS + 1 if end is None else end for end in found.windows])
    first = np.array(came)
    shares = [(first[:, None] <= np.array(plans)).mean(axis=0).tolist() for plans in (promised, alike)]
    middle = np.median(promised, axis=0)
    quantiles = [float(np.quantile(first, share, method="inverted_cdf")) for share in (0.5, 0.9)]
    days_of = [None if end > DAYS else float(end) for end in (*middle, *quantiles)]
    return (*days_of, *shares[0], *shares[1])


def _spreads(means: NDArray[np.float64], rng: np.random.Generator) -> tuple[float, ...]:
    """What a plan sees of days with these means."""
    rows = SAMPLED // len(means)
    differing = rng.binomial(rows, DISAGREEMENT, len(means))
    shares = np.clip((1.0 + means / DISAGREEMENT) / 2.0, 0.0, 1.0)
    totals = np.asarray(2 * rng.binomial(differing, shares) - differing, dtype=np.float64)
    mean = totals.sum() / (rows * len(means))
    found = day_spreads(totals, np.full(len(means), float(rows)), differing.sum() / (rows * len(means)) - mean**2)
    return tuple(found.tolist())
