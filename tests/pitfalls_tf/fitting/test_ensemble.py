"""Many seeds through one program: each as if it were alone, and as Keras itself would train it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.architectures.mlp import Mlp
from pitfalls_tf.architectures.optimiser import Optimiser
from pitfalls_tf.fitting.fit_rows import FitRows
from pitfalls_tf.fitting.recipe import EarlyStopping, Recipe
from tests.pitfalls_tf.fitting.made_up_remedies import Gap, Halved, Turns, Zeroed
from tests.pitfalls_tf.small_examples import RECIPE, rows

if TYPE_CHECKING:
    from pitfalls_tf.fitting.fits import Fits

TRAINING, VALIDATION, TARGET = rows(300, seed=1), rows(100, seed=2), rows(90, seed=3, shift=1.0)


def fit(recipe: Recipe, **more: Any) -> Fits:
    from pitfalls_tf.fitting import ensemble

    given = {"seeds": (0, 1, 2), "validation": VALIDATION, **more}
    return ensemble.fit(recipe, given.pop("training", TRAINING), given.pop("validation"), **given)


def same(one: Fits, other: Fits, *, seed: int) -> bool:
    first, second = one.of_seed(seed).members[0], other.of_seed(seed).members[0]
    pairs = zip((*first.weights, *first.state), (*second.weights, *second.state), strict=True)
    return all((left == right).all() for left, right in pairs)


def test_a_seed_is_the_same_alone_in_company_and_in_threads() -> None:
    from pitfalls_tf.fitting.ensemble import FitOptions

    together = fit(RECIPE)
    assert same(together, fit(RECIPE, seeds=(1,)), seed=1)
    assert all(same(together, fit(RECIPE, options=FitOptions(threads=3)), seed=seed) for seed in (0, 1, 2))
    weights = [member.weights[0] for member in together.members]
    assert (weights[0] != weights[1]).any()
    history = together.history()
    assert history["seed"].to_pylist() == [0] * 3 + [1] * 3 + [2] * 3
    assert history["validation_log_loss"].null_count == 0
    first = history["loss"].to_numpy().reshape(3, 3)
    assert (first[:, -1] < first[:, 0]).all()


def test_xla_changes_nothing_but_the_rounding() -> None:
    with_xla = fit(replace(RECIPE, architecture=Mlp(hidden=(8, 4), dropout=0.2, norm="batch")), seeds=(0,))
    without = fit(RECIPE, seeds=(0,))
    assert with_xla.history()["loss"].to_pylist() == pytest.approx(without.history()["loss"].to_pylist(), abs=1e-4)


def test_jobs_of_unequal_rows_share_a_program_and_are_the_same_alone() -> None:
    from pitfalls_tf.fitting import ensemble

    folds = [TRAINING.where(np.arange(300) % 3 != 0), TRAINING.where(np.arange(300) < 200), TRAINING]
    jobs = [
        ensemble.FitJob(recipe=RECIPE, rows=FitRows(training=one, validation=VALIDATION), seeds=seeds)
        for one, seeds in zip(folds, ((0, 1), (1,), (2, 5)), strict=True)
    ]
    reported: list[tuple[int, int, int]] = []
    together = ensemble.fit_jobs(jobs, progress=lambda job, seed, epoch: reported.append((job, seed, epoch.number)))
    assert [fits.seeds for fits in together] == [(0, 1), (1,), (2, 5)]
    assert together[1].program is together[2].program
    for one, fits in zip(folds, together, strict=True):
        alone = fit(RECIPE, training=one, seeds=fits.seeds)
        assert all(same(fits, alone, seed=seed) for seed in fits.seeds)
    members = [(job, seed) for job, fits in enumerate(together) for seed in fits.seeds]
    assert sorted(reported) == [(*member, number) for member in members for number in (1, 2, 3)]


def test_a_job_is_the_same_padded_to_jobs_of_other_calls() -> None:
    from pitfalls_tf.fitting import ensemble

    xla = replace(RECIPE, architecture=Mlp(hidden=(8, 4), dropout=0.2, norm="batch"))
    short = ensemble.FitJob(recipe=xla, rows=FitRows(training=TRAINING.where(np.arange(300) < 120)), seeds=(0,))
    long = ensemble.FitJob(recipe=xla, rows=FitRows(training=TRAINING), seeds=())
    (padded,), (alone,) = ensemble.fit_jobs([short], like=[long]), ensemble.fit_jobs([short])
    assert same(padded, alone, seed=0)


def test_a_job_that_adapts_is_the_same_beside_a_longer_one() -> None:
    from pitfalls_tf.fitting import ensemble

    adapting = replace(RECIPE, penalties=(Gap(),))
    short = ensemble.FitJob(
        recipe=adapting, rows=FitRows(training=TRAINING.where(np.arange(300) < 120), target=TARGET), seeds=(0,)
    )
    long = ensemble.FitJob(recipe=adapting, rows=FitRows(training=TRAINING, target=TARGET), seeds=(0,))
    assert same(ensemble.fit_jobs([short, long])[0], ensemble.fit_jobs([short])[0], seed=0)


def test_a_diverged_seed_is_kept_reported_and_left_out() -> None:
    fits = fit(replace(RECIPE, optimiser=Optimiser(kind="sgd", learning_rate=1e20)))
    assert fits.diverged == (0, 1, 2)
    assert len(fits.members[0].epochs) < RECIPE.epochs + 1
    assert not np.isfinite(fits.members[0].epochs[-1].loss)
    assert len(fits.healthy) == 0


def test_each_seed_stops_at_its_own_epoch_and_keeps_its_best() -> None:
    recipe = replace(RECIPE, epochs=40, stopping=EarlyStopping(patience=2))
    fits = fit(recipe)
    for member in fits.members:
        scores = [epoch.validation_log_loss for epoch in member.epochs]
        assert member.weights_epoch == int(np.argmin(np.array(scores, dtype=float))) + 1
        assert len(member.epochs) in {member.weights_epoch + 2, 40}
    assert len({len(member.epochs) for member in fits.members}) > 1
    longest = replace(recipe, epochs=fits.members[0].weights_epoch, stopping=None)
    assert same(fits, fit(longest, seeds=(0,)), seed=0)


def test_averaged_weights_predict_and_some_weights_may_rest() -> None:
    averaged = fit(replace(RECIPE, optimiser=replace(RECIPE.optimiser, average=0.9)))
    assert not same(averaged, fit(RECIPE), seed=0)
    before = fit(RECIPE)
    from pitfalls_tf.fitting.ensemble import FitOptions

    for part, moving in (("normalisation", {"gamma", "beta"}), ("logits", {"kernel", "bias"})):
        tuned = fit(replace(RECIPE, trained=part), options=FitOptions(start=before))  # type: ignore[arg-type] # a literal
        variables = before.program.network.trainable_variables
        changed = [
            variable.path
            for variable, old, new in zip(variables, before.members[0].weights, tuned.members[0].weights, strict=True)
            if (old != new).any()
        ]
        assert {path.rsplit("/", 1)[1] for path in changed} == moving
        assert all(path.startswith("norm" if part == "normalisation" else "logits") for path in changed)


def test_remedies_enter_alone_and_together() -> None:
    plain = fit(RECIPE)
    alone = {
        "penalty": fit(replace(RECIPE, penalties=(Gap(),)), target=TARGET),
        "transform": fit(replace(RECIPE, transforms=(Halved(),))),
        "weighting": fit(replace(RECIPE, weighting=Turns())),
    }
    assert not any(same(plain, changed, seed=0) for changed in alone.values())
    assert all(len(changed.members[0].weights) == len(plain.members[0].weights) for changed in alone.values())
    everything = replace(
        RECIPE, penalties=(Gap(), Gap()), transforms=(Halved(), Halved()), weighting=Turns(), post_fit=(Zeroed(),)
    )
    fits = fit(everything, target=TARGET)
    assert not fits.diverged
    assert (fits.predict(TARGET.inputs) == 0.5).all()


@pytest.mark.parametrize("seeds", [(), (1, 1), (-1,)])
def test_seeds_that_are_not_distinct_are_refused(seeds: tuple[int, ...]) -> None:
    with pytest.raises(BadInput, match="distinct"):
        fit(RECIPE, seeds=seeds)


def test_domains_are_numbered_by_name() -> None:
    from pitfalls_tf.fitting.ensemble import domain_numbers

    assert domain_numbers(TRAINING, ("north", "south"))[:4].tolist() == [0, 1, 1, 0]
    assert domain_numbers(TRAINING, ("east", "north"))[:4].tolist() == [1, -1, -1, 1]


def test_programs_are_kept_until_they_are_cleared() -> None:
    from pitfalls_tf.fitting import ensemble

    first = fit(RECIPE, seeds=(0,))
    longer = fit(replace(RECIPE, epochs=1, batch=64, stopping=None), seeds=(0,))
    assert longer.program is first.program
    ensemble.clear_programs()
    assert fit(RECIPE, seeds=(0,)).program is not first.program
