"""Access to an experiment's table: values of a metric by domain and seed, as arrays."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pitfalls_tf.experiments.cells.training_cell import DIVERGED
from pitfalls_tf.experiments.grid_size import FIRST_FRESH

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreMatrix:
    """Scores of one setup by one metric. `values`: the scores, shape [domains, seeds]."""

    domains: tuple[str, ...]
    seeds: tuple[int, ...]
    values: Floats

    @property
    def by_seed(self) -> Floats:
        """Mean over domains, shape [seeds]; empty without scores."""
        means: Floats = self.values.mean(axis=0) if self.values.size else np.empty(0)
        return means

    @property
    def by_domain(self) -> Floats:
        """Mean over seeds, shape [domains]; empty without scores."""
        means: Floats = self.values.mean(axis=1) if self.values.size else np.empty(0)
        return means

    def select_seeds(self, seeds: tuple[int, ...]) -> ScoreMatrix:
        """The scores of these seeds, in the order given."""
        positions = [self.seeds.index(seed) for seed in seeds]
        return ScoreMatrix(domains=self.domains, seeds=seeds, values=self.values[:, positions])


def select_rows(table: pa.Table, **values: str) -> pa.Table:
    """The rows whose columns equal the given values.

    >>> import pyarrow as pa
    >>> select_rows(pa.table({"source": ["flights", "digits"], "seed": [1, 2]}), source="digits")["seed"].to_pylist()
    [2]
    """
    masks = [pc.equal(table[name], value) for name, value in values.items()]
    return table.filter(reduce(pc.and_, masks)) if masks else table


def first_rows(table: pa.Table) -> pa.Table:
    """The rows of first runs, which plan and select."""
    return table.filter(pc.less(table["seed"], FIRST_FRESH))


def fresh_rows(table: pa.Table) -> pa.Table:
    """The rows of fresh runs."""
    return table.filter(pc.greater_equal(table["seed"], FIRST_FRESH))


def deciding_rows(table: pa.Table) -> pa.Table:
    """Of each source its fresh runs, or its first ones where it has no fresh ones."""
    renewed = pc.unique(fresh_rows(table)["source"])
    of_first = pc.invert(pc.is_in(table["source"], value_set=renewed))
    return table.filter(pc.or_(of_first, pc.greater_equal(table["seed"], FIRST_FRESH)))


def distinct_values(table: pa.Table, column: str) -> list[str]:
    """Values of a column in the order of their first row."""
    values: list[str] = pc.unique(table[column]).to_pylist()
    return values


def score_matrix(table: pa.Table, *, source: str, setup: str, split: str, metric: str) -> ScoreMatrix:
    """The scores after the last epoch. Seeds that diverged have none and are left out.

    Returns:
        The scores; empty where there are none.
    """
    rows = select_rows(table, source=source, setup=setup, split=split, metric=metric)
    rows = rows.filter(pc.and_(pc.is_null(rows["epoch"]), pc.is_valid(rows["value"])))
    keys = zip(rows["domain"].to_pylist(), rows["seed"].to_pylist(), strict=True)
    scores = dict(zip(keys, rows["value"].to_pylist(), strict=True))
    domains = tuple(sorted({domain for domain, _ in scores}))
    counts = Counter(seed for _, seed in scores)
    seeds = tuple(sorted(seed for seed, count in counts.items() if count == len(domains)))
    values = np.array([[scores[domain, seed] for seed in seeds] for domain in domains], dtype=np.float64)
    return ScoreMatrix(domains=domains, seeds=seeds, values=values.reshape(len(domains), len(seeds)))


def with_common_seeds(scores: ScoreMatrix, other: ScoreMatrix) -> tuple[ScoreMatrix, ScoreMatrix]:
    """Both matrices, reduced to the seeds that both have."""
    seeds = tuple(seed for seed in scores.seeds if seed in other.seeds)
    return scores.select_seeds(seeds), other.select_seeds(seeds)


def epoch_curves(table: pa.Table, *, source: str, setup: str, metric: str) -> dict[int, Floats]:
    """A metric after every epoch. Values by seed, [epochs]; NaN from the epoch at which a run diverged."""
    rows = select_rows(table, source=source, setup=setup, metric=metric)
    rows = rows.filter(pc.is_valid(rows["epoch"])).sort_by([("seed", "ascending"), ("epoch", "ascending")])
    seeds, values = rows["seed"].to_numpy(), rows["value"].to_numpy(zero_copy_only=False).astype(np.float64)
    return {int(seed): values[seeds == seed] for seed in np.unique(seeds)}


def count_diverged(table: pa.Table, *, source: str, setup: str) -> tuple[int, int]:
    """Count the runs that diverged."""
    flags = select_rows(table, source=source, setup=setup, metric=DIVERGED)["value"].to_numpy()
    return int(flags.sum()), len(flags)
