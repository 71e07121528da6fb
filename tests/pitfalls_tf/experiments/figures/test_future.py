"""Refined processing, aligned training and the release gate."""

from __future__ import annotations

import numpy as np

from pitfalls_tf.experiments.figures import future
from pitfalls_tf.experiments.gains import compare_setups
from pitfalls_tf.remedies import catalogue
from tests.pitfalls_tf.experiments.score_rows import score_table
from tests.pitfalls_tf.experiments.small_task import small_task
from tests.pitfalls_tf.small_examples import RECIPE


def test_the_gate_requires_better_in_the_worst_domain() -> None:
    verdict = compare_setups(score_table({("a", "deployed"): 0.1, ("b", "deployed"): 0.2}), "flights", "a", "b")
    assert verdict is not None
    assert future.gate(verdict).refusal is None
    same = compare_setups(score_table({("a", "deployed"): 0.2, ("b", "deployed"): 0.2}), "flights", "a", "b")
    assert same is not None
    assert "not shown to be better" in str(future.gate(same).refusal)


def test_a_preprocessing_remedy_changes_every_part_alike() -> None:
    task = small_task()
    cell = future.remedied(task, RECIPE, catalogue.find("source_normalised"))
    assert cell is not None
    assert cell.recipe == RECIPE
    assert not np.array_equal(cell.task.training.inputs, task.training.inputs)
    assert not np.array_equal(cell.task.parts[0].examples.inputs, task.parts[0].examples.inputs)


def test_the_method_is_chosen_on_the_benchmark_and_the_note_counts_all_that_pass() -> None:
    values = {
        ("conventional", "random"): 0.2,
        ("conventional", "deployed"): 0.3,
        ("mixup", "random"): 0.1,
        ("mixup", "deployed"): 0.3,
        ("irm", "random"): 0.15,
        ("irm", "deployed"): 0.1,
    }
    (finding,) = future.EXPERIMENT.findings(score_table(values))
    assert finding.where == "flights: mixup"
    assert finding.verdict == "not reproduced"
    assert finding.note == "1 of all 2 methods pass the gate"
