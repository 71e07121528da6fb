"""Steps after the fit: what each touches, and that it touches nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.fitting import ensemble
from pitfalls_tf.remedies.adaptation.fine_tuning import FineTuning, few
from pitfalls_tf.remedies.adaptation.normalisation import AdaBn, Tent
from pitfalls_tf.remedies.adaptation.self_training import SelfTraining, pseudo_labels
from tests.pitfalls_tf.small_examples import RECIPE, Traced, rows

if TYPE_CHECKING:
    from pitfalls_tf.fitting.fits import Fits, Member

TRAINING, TARGET = rows(300, seed=1), rows(200, seed=3, shift=1.0)
BLIND = replace(TARGET, targets=np.full(len(TARGET), -1))
NORMALISED = replace(RECIPE, architecture=Traced(hidden=(8, 4), dropout=0.2, norm="batch"))


@pytest.fixture(scope="module")
def fits() -> Fits:
    return ensemble.fit(NORMALISED, TRAINING, seeds=(4, 5))


def changed(fits: Fits, before: Member, after: Member) -> set[str]:
    """The kinds of variables that differ."""
    network = fits.program.network
    variables = (*network.trainable_variables, *network.non_trainable_variables)
    pairs = zip(variables, (*before.weights, *before.state), (*after.weights, *after.state), strict=True)
    return {variable.name for variable, old, new in pairs if (np.asarray(old) != np.asarray(new)).any()}


def entropy(fits: Fits) -> Any:
    said = fits.predict(TARGET.inputs)
    return -(said * np.log(said)).sum(axis=-1).mean(axis=1)


def test_adabn_holds_the_statistics_of_the_target_layer_after_layer(fits: Fits) -> None:
    adapted = AdaBn()(fits, TRAINING, BLIND)
    for before, after in zip(fits.members, adapted.members, strict=True):
        assert changed(fits, before, after) == {"moving_mean", "moving_variance"}
        kernels = [weight for weight in before.weights if weight.ndim == 2]
        scales = [weight for weight in before.weights if weight.ndim == 1]
        signal = TARGET.inputs.astype(np.float64)
        for layer in range(2):
            signal = signal @ kernels[layer]
            found = [
                value
                for variable, value in zip(fits.program.network.non_trainable_variables, after.state, strict=True)
                if variable.path.startswith(f"norm_{layer}/")
            ]
            mean, variance = found
            assert mean == pytest.approx(signal.mean(axis=0), abs=1e-4)
            assert variance == pytest.approx(signal.var(axis=0), abs=1e-3)
            gamma, beta = scales[2 * layer : 2 * layer + 2]
            normal = (signal - signal.mean(axis=0)) / np.sqrt(signal.var(axis=0) + 1e-3)
            signal = np.maximum(normal * gamma + beta, 0)
    assert len(AdaBn(rows=50)(fits, TRAINING, BLIND)) == 2


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_tent_touches_nothing_but_normalisation(norm: Any, fits: Fits) -> None:
    if norm == "layer":
        recipe = replace(RECIPE, architecture=Traced(hidden=(8, 4), norm="layer"))
        fits = ensemble.fit(recipe, TRAINING, seeds=(4, 5))
    adapted = Tent(epochs=5)(fits, TRAINING, BLIND)
    moving = {"gamma", "beta"} | ({"moving_mean", "moving_variance"} if norm == "batch" else set())
    for before, after in zip(fits.members, adapted.members, strict=True):
        assert changed(fits, before, after) == moving
    reference = AdaBn()(fits, TRAINING, BLIND) if norm == "batch" else fits
    assert (entropy(adapted) < entropy(reference)).all()
    alone = Tent(epochs=5)(fits.of_seed(5), TRAINING, BLIND)
    assert all(
        (one == other).all() for one, other in zip(alone.members[0].weights, adapted.members[1].weights, strict=True)
    )


def test_fine_tuning_learns_from_few_rows_and_no_others(fits: Fits) -> None:
    chosen = few(TARGET, 40)
    assert len(set(chosen.tolist())) == 40
    assert TARGET.labelled[chosen].all()
    assert np.bincount(TARGET.targets[chosen]).tolist() == [20, 20]
    step = FineTuning(rows=40, epochs=3)
    tuned = step(fits, TRAINING, TARGET)
    assert [epoch.number for epoch in tuned.members[0].epochs] == [1, 2, 3, 4, 5, 6]
    assert tuned.members[0].kept == 6
    others = np.setdiff1d(np.arange(len(TARGET)), chosen)
    moved = TARGET.inputs.copy()
    moved[others] += 3
    again = step(fits, TRAINING, replace(TARGET, inputs=moved))
    for one, other in zip(tuned.members, again.members, strict=True):
        assert all((left == right).all() for left, right in zip(one.weights, other.weights, strict=True))
    last = FineTuning(rows=40, epochs=2, trained="logits")(fits, TRAINING, TARGET)
    kernels = {"kernel", "bias"}
    assert changed(fits, fits.members[0], last.members[0]) & {"gamma", "beta"} == set()
    assert changed(fits, fits.members[0], last.members[0]) >= kernels
    with pytest.raises(BadInput, match="180 rows with a label"):
        few(TARGET, 181)


def test_self_training_never_sees_the_labels_of_the_target(fits: Fits) -> None:
    step = SelfTraining(rounds=2, epochs=1)
    blind = step(fits, TRAINING, BLIND)
    seeing = step(fits, TRAINING, TARGET)
    for one, other in zip(blind.members, seeing.members, strict=True):
        assert all((left == right).all() for left, right in zip(one.weights, other.weights, strict=True))
        assert [epoch.number for epoch in one.epochs] == [1, 2, 3, 4, 5]
    alone = step(fits.of_seed(5), TRAINING, BLIND)
    assert all(
        (one == other).all() for one, other in zip(alone.members[0].weights, blind.members[1].weights, strict=True)
    )
    said = np.array([[0.5, 0.5], [0.2, 0.8], [0.9, 0.1], [0.55, 0.45]])
    assert pseudo_labels(said, 0.75).tolist() == [-1, 1, 0, 0]
    assert pseudo_labels(said, 1.0).tolist() == [0, 1, 0, 0]


def test_what_cannot_be_adapted_is_said(fits: Fits) -> None:
    steps: list[Any] = [AdaBn(), Tent(), FineTuning(), SelfTraining()]
    for step in steps:
        with pytest.raises(BadInput, match="target"):
            step(fits, TRAINING, None)
    with pytest.raises(BadInput, match="200 rows, batches of 512"):
        Tent(batch=512)(fits, TRAINING, TARGET)
    bare = ensemble.fit(replace(RECIPE, architecture=Traced(hidden=(4,)), epochs=1), TRAINING, seeds=(0,))
    for step in (AdaBn(), Tent()):
        with pytest.raises(BadInput, match="no normalisation to adapt"):
            step(bare, TRAINING, TARGET)
    assert isinstance(fits.model(4), keras.Model)
