"""Domain adaptation, plain and under altered conditions."""

from __future__ import annotations

from pitfalls_tf.experiments.figures import figure4
from pitfalls_tf.experiments.tasks.domain_pairs import PLAIN
from pitfalls_tf.remedies import catalogue
from pitfalls_tf.training.setup import recipe
from tests.pitfalls_tf.experiments.score_rows import score_table
from tests.pitfalls_tf.experiments.small_task import small_task
from tests.pitfalls_tf.small_examples import RECIPE


def test_the_grid_has_every_adaptation_and_each_is_scored_on_every_condition() -> None:
    cells = {cell.setup: cell for cell in figure4.grid([small_task()], RECIPE)}
    assert set(cells) == {"erm", *(one.name for one in catalogue.family("adaptation"))}
    found = cells["adabn"].run([0])[0].to_pylist()
    assert {one["domain"] for one in found if one["metric"] == "brier"} == {"a to b, plain"}


def test_conventional_networks_take_batch_normalisation() -> None:
    task = small_task()
    for source in ("flights", "digits"):
        base = recipe(source, quick=True)
        assert catalogue.find("batch_norm").apply(base, task.training) != base


def test_gains_that_an_alteration_removes_are_counted() -> None:
    table = score_table(
        {
            ("erm", PLAIN): 0.3,
            ("erm", "noise"): 0.4,
            ("erm", "May"): 0.3,
            ("coral", PLAIN): 0.2,  # gains everywhere except under noise
            ("coral", "noise"): 0.4,
            ("coral", "May"): 0.2,
            ("fine_tuning", PLAIN): 0.1,  # uses target labels: not counted
            ("fine_tuning", "noise"): 0.9,
            ("fine_tuning", "May"): 0.9,
        }
    )
    gained, lost = figure4.survival(table, "flights")
    assert gained.tolist() == [2, 2, 2]
    assert lost.tolist() == [1, 1, 1]
    minimal, best, regressed, prone, subtle = figure4.EXPERIMENT.findings(table)
    assert minimal.verdict == "not reproduced"
    assert (best.where, best.domains) == ("flights: coral", 1), "one of three pairs did not choose it"
    assert regressed.estimate == 0.5
    assert (prone.estimate, prone.note) == (0.0, "0 of 3 attempts")
    assert round(subtle.estimate, 6) == 0.05, "noise costs .1, and May nothing"


def test_pair_and_condition_of_a_domain_are_separated() -> None:
    table = figure4.by_condition(score_table({("erm", "deployed"): 0.1}, domains=("EWR to JFK, noise", "all")))
    first = table.to_pylist()[0]
    assert (first["domain"], first["split"]) == ("EWR to JFK", "noise")
