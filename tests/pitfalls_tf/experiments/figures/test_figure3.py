"""Random hold-out, blocked hold-out and later periods."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pitfalls_tf.experiments.cells.training_cell import SCHEMA
from pitfalls_tf.experiments.figures import figure3
from tests.pitfalls_tf.experiments.score_rows import score_row


def scores(model: str, random: float, blocked: float, later: dict[str, float]) -> list[dict[str, object]]:
    """Three almost equal runs of a model."""
    rows = []
    for seed in range(3):
        small = 1e-5 * seed
        rows.append(score_row(model, "random", "all", seed, random + small))
        rows.append(score_row(model, "blocked", "all", seed, blocked + small))
        rows += [score_row(model, "deployed", domain, seed, value + small) for domain, value in later.items()]
    return rows


TABLE = pa.Table.from_pylist(
    [
        *scores("one", 0.10, 0.12, {"EWR/2013-04": 0.2, "JFK/2013-04": 0.4, "EWR/2013-05": 0.1}),
        *scores("two", 0.15, 0.19, {"EWR/2013-04": 0.1, "JFK/2013-04": 0.1, "EWR/2013-05": 0.2}),
    ],
    schema=SCHEMA,
)


def test_findings_are_differences_to_the_random_hold_out_and_wrong_orders() -> None:
    blocked, deployed, order = (one.estimate for one in figure3.EXPERIMENT.findings(TABLE))
    assert blocked == pytest.approx((0.02 + 0.04) / 2)
    # Mean of airports by month: .3 and .1 for the one, .1 and .2 for the other.
    assert deployed == pytest.approx((0.2 + 0.0 - 0.05 + 0.05) / 4)
    assert order == pytest.approx(0.5)


def test_the_summary_names_the_best_and_the_worst_period() -> None:
    one, two = figure3.EXPERIMENT.summary(TABLE).to_pylist()
    assert (one["best period"], one["worst period"]) == ("2013-05: 0.100", "2013-04: 0.300")
    assert (two["best period"], two["worst period"]) == ("2013-04: 0.100", "2013-05: 0.200")
