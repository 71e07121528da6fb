"""Tables of scores as a grid returns them, made from given values."""

from __future__ import annotations

import pyarrow as pa

from pitfalls_tf.experiments.cells.training_cell import SCHEMA


def score_row(
    setup: str, split: str, domain: str, seed: int, value: float | None, *, metric: str = "brier"
) -> dict[str, object]:
    """A row of a table of scores, of source flights, after the last epoch."""
    return {
        "source": "flights",
        "setup": setup,
        "split": split,
        "domain": domain,
        "seed": seed,
        "epoch": None,
        "metric": metric,
        "value": value,
    }


def score_table(
    values: dict[tuple[str, str], float], *, seeds: int = 4, domains: tuple[str, ...] = ("a", "b", "c")
) -> pa.Table:
    """Brier scores by setup and split, almost equal over seeds and domains, without diverged runs."""
    rows = [
        score_row(setup, split, domain, seed, value + 1e-4 * seed + 1e-5 * index * seed)
        for (setup, split), value in values.items()
        for index, domain in enumerate(domains)
        for seed in range(seeds)
    ]
    setups = {setup for setup, _ in values}
    rows += [
        score_row(setup, "training", "all", seed, 0.0, metric="diverged") for setup in setups for seed in range(seeds)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
