"""A recipe on a task, run once per seed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pitfalls_tf.architectures.optimiser import Optimiser
from pitfalls_tf.experiments.cells.training_cell import DIVERGED, EPOCH_METRICS, METRICS, TrainingCell
from tests.pitfalls_tf.experiments.small_experiment import CELLS, DRY, TASK, run_store

if TYPE_CHECKING:
    from pathlib import Path


def test_a_run_has_every_metric_of_every_part_and_epoch(reproduced: Path) -> None:
    rows = run_store(reproduced / ".cells").run(CELLS[:1], range(1)).to_pylist()
    final = {(row["split"], row["domain"], row["metric"]) for row in rows if row["epoch"] is None}
    parts = {(part.split, part.domain) for part in TASK.parts}
    assert final == {(*part, metric) for part in parts for metric in METRICS} | {("training", "all", DIVERGED)}
    epochs = {(row["epoch"], row["metric"]) for row in rows if row["epoch"] is not None}
    assert epochs == {(epoch, metric) for epoch in (1, 2) for metric in EPOCH_METRICS}


def test_an_ensemble_averages_members_of_its_own_and_has_no_epochs(reproduced: Path) -> None:
    rows = run_store(reproduced / ".cells").run(CELLS, range(3)).to_pylist()
    final = {(row["setup"], row["seed"], row["domain"], row["metric"]): row["value"] for row in rows}
    assert final["plain", 0, "north", "brier"] != final["two together", 0, "north", "brier"]
    assert {row["epoch"] for row in rows if row["setup"] == "two together"} == {None}


def test_a_diverged_run_has_no_scores() -> None:
    recipe = replace(DRY, optimiser=Optimiser(kind="sgd", learning_rate=1e30))
    rows = TrainingCell(setup="x", task=TASK, recipe=recipe).run([0])[0].to_pylist()
    assert [row["value"] for row in rows if row["metric"] == DIVERGED] == [1.0]
    assert {row["value"] for row in rows if row["metric"] == "brier"} == {None}


@pytest.mark.parametrize("change", [{"members": 2}, {"recipe": replace(DRY, epochs=3)}])
def test_members_and_recipe_are_part_of_the_identity(change: dict[str, object]) -> None:
    assert replace(CELLS[0], **change).identity() != CELLS[0].identity()  # type: ignore[arg-type]
