"""Other losses and network sizes."""

from __future__ import annotations

import pytest

from pitfalls_tf.experiments.figures import alternatives
from pitfalls_tf.experiments.gains import best_on_benchmark
from tests.pitfalls_tf.experiments.score_rows import score_table
from tests.pitfalls_tf.experiments.small_task import small_task
from tests.pitfalls_tf.small_examples import RECIPE


def test_the_grid_has_every_loss_at_every_size() -> None:
    cells = alternatives.grid(
        small_task(), RECIPE, losses=alternatives.LOSSES, sizes=(alternatives.SAME, "width_quarter")
    )
    assert len({cell.setup for cell in cells}) == len({cell.recipe for cell in cells}) == 12
    assert cells[0].setup == alternatives.CONVENTIONAL
    assert cells[0].recipe == RECIPE


def test_the_alternative_is_chosen_on_the_benchmark_and_evaluated_in_deployment() -> None:
    base, optimistic, modest = alternatives.CONVENTIONAL, "focal, as it is", "focal, width_4"
    table = score_table(
        {
            (base, "random"): 0.15,
            (base, "deployed"): 0.20,
            (optimistic, "random"): 0.10,
            (optimistic, "deployed"): 0.25,
            (modest, "random"): 0.14,
            (modest, "deployed"): 0.10,
        }
    )
    assert best_on_benchmark(table, "flights", base) == optimistic
    robust, _ = alternatives.EXPERIMENT.findings(table)
    assert robust.estimate == pytest.approx(-0.05)
    assert robust.verdict == "reproduced"


def test_the_summary_has_a_row_per_setup_and_marks_the_conventional_one() -> None:
    values = {(alternatives.CONVENTIONAL, "deployed"): 0.2, ("focal, width_4", "deployed"): 0.1}
    rows = alternatives.EXPERIMENT.summary(score_table(values)).to_pylist()
    assert [(row["loss"], row["size"], row["verdict"]) for row in rows] == [
        ("cross entropy", "x 1", "conventional"),
        ("focal", "width x 4", "better"),
    ]
