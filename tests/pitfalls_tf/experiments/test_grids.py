"""What the experiments run: cells on rows that are as described."""

from __future__ import annotations

import numpy as np

from pitfalls_tf.experiments import domain_pairs, tasks
from pitfalls_tf.experiments.figures import alternatives, curation, figure4, future
from pitfalls_tf.remedies import catalogue
from pitfalls_tf.rows.splits import random_split
from pitfalls_tf.sources import digits
from pitfalls_tf.training.conventional import recipe
from tests.pitfalls_tf.small_examples import RECIPE, rows


def small_task() -> tasks.Task:
    there = rows(200, seed=0)
    split = random_split(200, share=0.2, seed=0)
    held = there.take(split.held_out)
    held = held.where(held.labelled)
    parts = (tasks.Part(split="deployed", domain="a to b, plain", examples=held),)
    return tasks.Task(source="small", training=there, validation=held, target=rows(120, seed=1, shift=0.5), parts=parts)


def test_alternatives_are_every_loss_at_every_size() -> None:
    cells = alternatives.grid(
        small_task(), RECIPE, losses=alternatives.LOSSES, sizes=(alternatives.SAME, "width_quarter")
    )
    assert len({cell.setup for cell in cells}) == len({cell.recipe for cell in cells}) == 12
    assert cells[0].setup == alternatives.CONVENTIONAL
    assert cells[0].recipe == RECIPE


def test_an_adaptation_runs_and_is_scored_on_every_condition() -> None:
    cells = {cell.setup: cell for cell in figure4.grid([small_task()], RECIPE)}
    assert set(cells) == {"erm", *(one.name for one in catalogue.family("adaptation"))}
    found = cells["adabn"].run([0])[0].to_pylist()
    assert {one["domain"] for one in found if one["metric"] == "brier"} == {"a to b, plain"}


def test_pairs_of_digits_share_no_image_between_learning_and_scoring() -> None:
    for task in domain_pairs.digits(quick=True):
        assert task.target is not None
        seen = {image.tobytes() for image in task.target.inputs}
        plain = task.parts[0].examples
        # Some scans and fonts come twice in their source; a split by rows cannot part those.
        assert np.mean([image.tobytes() in seen for image in plain.inputs]) < 0.05
        assert [part.domain.split(", ")[1] for part in task.parts] == ["plain", "noise", "blur", "rotation"]


def test_pairs_of_airports_have_no_column_that_is_untrained() -> None:
    for task in domain_pairs.flights(quick=True):
        constant = task.training.inputs.std(axis=0) == 0
        assert constant.any()
        assert task.target is not None
        for seen in (task.target, task.validation, *(part.examples for part in task.parts)):
            assert not seen.inputs[:, constant].any()


def test_a_share_of_labels_is_made_wrong_and_the_scored_rows_are_clean() -> None:
    images = digits.load()
    clean, wrong = (curation.task(setting, images) for setting in (curation.SETTINGS[2], curation.HARD))
    assert float((clean.training.targets != wrong.training.targets).mean()) == curation.WRONG
    assert (clean.parts[0].examples.targets == wrong.parts[0].examples.targets).all()
    assert set(wrong.training.names) == set(curation.THREE)


def test_curation_by_domain_needs_several() -> None:
    cells = curation.grid((curation.CONTROLLED, curation.HARD), digits.load(), curation.base(quick=True))
    setups = {cell.setup for cell in cells}
    assert "noisy and diverse: domain_balanced" in setups
    assert "controlled: domain_balanced" not in setups


def test_a_remedy_of_rows_changes_every_part_alike() -> None:
    task = small_task()
    cell = future.remedied(task, RECIPE, catalogue.find("source_normalised"))
    assert cell is not None
    assert cell.recipe == RECIPE
    assert not np.array_equal(cell.task.training.inputs, task.training.inputs)
    assert not np.array_equal(cell.task.parts[0].examples.inputs, task.parts[0].examples.inputs)


def test_conventional_networks_can_be_normalised() -> None:
    task = small_task()
    for source in ("flights", "digits"):
        base = recipe(source, quick=True)
        assert catalogue.find("batch_norm").applied(base, task.training) != base
