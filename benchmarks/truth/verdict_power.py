"""How often a comparison of real runs finds a true gain, by domains and seeds, beside what a plan says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.results import Cell, Result, Settings, Table
from pitfalls_tf.verdicts.paired import Floats, Resampling, interval, variances
from pitfalls_tf.verdicts.power import power
from pitfalls_tf.verdicts.verdict import SMALLEST_DIFFERENCE, outcome_of

SCORES = Path(__file__).parents[2] / "docs/paper/figure1/scores.parquet"
SEED = 20_261_203

#: Domains and seeds of a setup, and comparisons of each.
SIZES, COMPARISONS = ((5, 5), (10, 6), (20, 10), (48, 20)), 200

#: True gains, and the standard deviations by which they differ between domains.
GAINS, SPREADS = (0.01, 0.02), (0.0, 0.02)


def letters_scores() -> Floats:
    """Brier scores of one setup's planned runs on the families that letters deploy to, [families, seeds]."""
    filters = [
        ("source", "==", "letters"),
        ("split", "==", "deployed"),
        ("metric", "==", "brier"),
        ("seed", ">=", 10_000),
    ]
    rows = pq.read_table(SCORES, filters=filters).to_pandas()
    scores: Floats = rows.pivot_table(index="domain", columns="seed", values="value").to_numpy()
    return scores[np.isfinite(scores).all(axis=1)]


def drawn_gains(scores: Floats, shape: tuple[int, int], spread: float, rng: np.random.Generator) -> Floats:
    """Gains of one setup over itself: other seeds of the same families; plus what differs between domains."""
    domains, seeds = shape
    of = scores[rng.permutation(len(scores))[:domains]]
    pairs = rng.permutation(scores.shape[1])[: 2 * seeds].reshape(2, seeds)
    gains: Floats = of[:, pairs[0]] - of[:, pairs[1]] + spread * rng.normal(size=(domains, 1))
    return gains


def power_table(scores: Floats, rng: np.random.Generator, *, comparisons: int) -> Table:
    """Shares of comparisons that are better or worse, without a gain and with one."""
    rows: list[tuple[Cell, ...]] = []
    for spread in SPREADS:
        known = variances(drawn_gains(scores, (len(scores), scores.shape[1] // 2), spread, rng))
        for domains, seeds in SIZES:
            resampling = Resampling.draw(domains, seeds, rng)
            found = [
                interval(drawn_gains(scores, (domains, seeds), spread, rng), resampling) for _ in range(comparisons)
            ]
            wrong = sum(outcome_of(each, SMALLEST_DIFFERENCE) != "inconclusive" for each in found) / comparisons
            cells: list[Cell] = [f"{spread:g}", domains, seeds, wrong]
            for gain in GAINS:
                cells.append(sum(each.low + gain > SMALLEST_DIFFERENCE for each in found) / comparisons)
                cells.append(power(known, domains, seeds, gain, smallest=SMALLEST_DIFFERENCE))
            rows.append(tuple(cells))
    return Table(
        title="A true gain between real runs: share of comparisons that are better",
        columns=(
            "gains differ by",
            "domains",
            "seeds",
            "no gain, decided",
            "gain .01",
            "planned",
            "gain .02",
            "planned",
        ),
        rows=tuple(rows),
        note=(
            f"{comparisons} comparisons a row of {scores.shape[1]} runs of one setup on letters, {len(scores)}"
            " families, split at random; the gain is added. Gains differ by: standard deviation of what is added for a"
            f" domain. Smallest difference that matters {SMALLEST_DIFFERENCE:g}. Planned: by the variances of all runs."
        ),
    )


def measure(settings: Settings) -> Result:
    """Measure the table. Cost: ten seconds of processor time."""
    rng = np.random.default_rng(SEED)
    return Result(tables=(power_table(letters_scores(), rng, comparisons=20 if settings.quick else COMPARISONS),))
