"""Augmentation and a deep ensemble at equal cost."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pitfalls_tf.experiments.cells.training_cell import SCHEMA
from pitfalls_tf.experiments.figures import figure2_budget
from pitfalls_tf.experiments.tasks import source_tasks
from pitfalls_tf.training.setup import recipe
from tests.pitfalls_tf.experiments.score_rows import score_row


def scores(setup: str, mean: float, spread: float) -> list[dict[str, object]]:
    """Six runs in three domains, evenly spread around a mean."""
    return [
        score_row(setup, split, domain, seed, mean + spread * (seed - 2.5), metric=metric)
        for split, domain in (("deployed", "a"), ("deployed", "b"), ("deployed", "c"), ("random", "all"))
        for metric in ("brier", "error")
        for seed in range(6)
    ]


TABLE = pa.Table.from_pylist(
    [
        *scores(figure2_budget.CONVENTIONAL, 0.10, 0.004),
        *scores(figure2_budget.LONGER, 0.11, 0.004),
        *scores(figure2_budget.AUGMENTED, 0.08, 0.003),
        *scores(figure2_budget.ENSEMBLE, 0.09, 0.001),
    ],
    schema=SCHEMA,
)


def test_the_budget_is_that_of_eight_trainings() -> None:
    plain = recipe("letters")
    cells = {one.setup: one for one in figure2_budget.cells(source_tasks.load("letters", quick=True), plain)}
    steps = {name: one.recipe.epochs * one.members for name, one in cells.items()}
    assert steps[figure2_budget.LONGER] == steps[figure2_budget.ENSEMBLE] == 8 * plain.epochs
    assert steps[figure2_budget.AUGMENTED_STEPS] == 8 * plain.epochs
    assert steps[figure2_budget.AUGMENTED] < 8 * plain.epochs, "an augmented step costs more than two plain ones"
    assert len(cells[figure2_budget.AUGMENTED].recipe.transforms) == 1


def test_gains_are_over_longer_training() -> None:
    augments, combines, steadies = figure2_budget.EXPERIMENT.findings(TABLE)
    assert augments.estimate == pytest.approx(0.03)
    assert combines.estimate == pytest.approx(0.02)
    assert steadies.estimate == pytest.approx(0.25)


def test_the_summary_compares_with_conventional_training() -> None:
    rows = {row["setup"]: row for row in figure2_budget.EXPERIMENT.summary(TABLE).to_pylist()}
    assert rows[figure2_budget.ENSEMBLE]["gain over conventional"] == pytest.approx(0.01)
    assert rows[figure2_budget.CONVENTIONAL]["gain over conventional"] is None
