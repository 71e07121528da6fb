"""Reading the table of an experiment: values of a metric by domain and seed, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from pitfalls_tf.experiments.training_cell import DIVERGED

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Values [domains, seeds] of the seeds that have one in every domain, and the names of both."""

    domains: tuple[str, ...]
    seeds: tuple[int, ...]
    values: Floats

    @property
    def by_seed(self) -> Floats:
        """Mean over domains, shape [seeds]."""
        means: Floats = self.values.mean(axis=0)
        return means

    @property
    def by_domain(self) -> Floats:
        """Mean over seeds, shape [domains]."""
        means: Floats = self.values.mean(axis=1)
        return means

    def of(self, seeds: tuple[int, ...]) -> Block:
        """These seeds alone, in the order given."""
        places = [self.seeds.index(seed) for seed in seeds]
        return Block(domains=self.domains, seeds=seeds, values=self.values[:, places])


def chosen(table: pa.Table, **wanted: str) -> pa.Table:
    """The rows whose columns have these values."""
    for name, value in wanted.items():
        table = table.filter(pc.equal(table[name], value))
    return table


def distinct(table: pa.Table, column: str) -> list[str]:
    """Values of a column in the order of their first row."""
    values: list[str] = pc.unique(table[column]).to_pylist()
    return values


def block(table: pa.Table, *, source: str, setup: str, split: str, metric: str) -> Block:
    """Final values. Seeds that diverged have none and are left out."""
    rows = chosen(table, source=source, setup=setup, split=split, metric=metric)
    rows = rows.filter(pc.and_(pc.is_null(rows["epoch"]), pc.is_valid(rows["value"])))
    keys = zip(rows["domain"].to_pylist(), rows["seed"].to_pylist(), strict=True)
    found = dict(zip(keys, rows["value"].to_pylist(), strict=True))
    domains = tuple(sorted({domain for domain, _ in found}))
    seeds = tuple(sorted({seed for _, seed in found if all((domain, seed) in found for domain in domains)}))
    values = np.array([[found[domain, seed] for seed in seeds] for domain in domains], dtype=np.float64)
    return Block(domains=domains, seeds=seeds, values=values.reshape(len(domains), len(seeds)))


def paired(one: Block, other: Block) -> tuple[Block, Block]:
    """Both with the seeds that both have."""
    seeds = tuple(seed for seed in one.seeds if seed in other.seeds)
    return one.of(seeds), other.of(seeds)


def curves(table: pa.Table, *, source: str, setup: str, metric: str) -> dict[int, Floats]:
    """A metric of every epoch, by seed; NaN once diverged."""
    rows = chosen(table, source=source, setup=setup, metric=metric)
    rows = rows.filter(pc.is_valid(rows["epoch"])).sort_by([("seed", "ascending"), ("epoch", "ascending")])
    seeds, values = rows["seed"].to_numpy(), rows["value"].to_numpy(zero_copy_only=False).astype(np.float64)
    return {int(seed): values[seeds == seed] for seed in np.unique(seeds)}


def diverged(table: pa.Table, *, source: str, setup: str) -> tuple[int, int]:
    """Runs that diverged, and all runs."""
    flags = chosen(table, source=source, setup=setup, metric=DIVERGED)["value"].to_numpy()
    return int(flags.sum()), len(flags)
