"""The same training with different seeds."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pitfalls_tf.experiments.cells.training_cell import SCHEMA
from pitfalls_tf.experiments.figures import figure1
from tests.pitfalls_tf.experiments.score_rows import score_row


def table(benchmark: list[float], deployed: list[float], curves: list[list[float]]) -> pa.Table:
    """One run per entry."""
    rows = []
    for seed, (one, other, curve) in enumerate(zip(benchmark, deployed, curves, strict=True)):
        rows.append(score_row("conventional", "random", "all", seed, one))
        rows += [score_row("conventional", "deployed", domain, seed, other) for domain in ("a", "b")]
        rows.append(score_row("conventional", "training", "all", seed, 0.0, metric="diverged"))
        rows += [
            {**score_row("conventional", "random", "all", seed, value, metric="validation_log_loss"), "epoch": epoch}
            for epoch, value in enumerate(curve, start=1)
        ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


FLAT, FALLING = [1.0, 0.5, 0.4, 0.4, 0.4, 0.399], [1.0, 0.9, 0.8, 0.7, 0.6, 0.5]


def test_findings_follow_from_scores_and_curves() -> None:
    benchmark, deployed = [0.10, 0.11, 0.12, 0.13, 0.14], [0.25, 0.24, 0.23, 0.22, 0.21]
    found = figure1.EXPERIMENT.findings(table(benchmark, deployed, [FLAT, FLAT, FLAT, FLAT, FALLING]))
    apart, wider, relative, ranks, plateau, convergence = (one.estimate for one in found)
    assert apart == pytest.approx(0.02)
    assert wider == pytest.approx(1.0)
    assert relative == pytest.approx(0.12 / 0.23), "the same deviation is smaller beside a larger mean"
    assert convergence == pytest.approx(0.0)
    assert ranks == pytest.approx(-1.0)
    assert plateau == pytest.approx(4 / 5)
    assert found[3].verdict == "reproduced"


def test_a_curve_that_diverged_is_no_plateau() -> None:
    assert not figure1.plateaued(np.array([1.0, 0.5, np.nan, np.nan, np.nan, np.nan]))
    assert not figure1.plateaued(np.array([1.0]))


def test_the_summary_names_the_worst_seed_of_each_split() -> None:
    rows = figure1.EXPERIMENT.summary(table([0.1, 0.3, 0.2], [0.4, 0.5, 0.6], [FLAT] * 3)).to_pylist()
    assert [(row["worst seed"], row["worst"]) for row in rows] == [(1, 0.3), (2, 0.6)]
