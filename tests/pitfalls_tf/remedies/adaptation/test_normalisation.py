"""AdaBN and TENT change normalisation layers and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.fitting import ensemble
from pitfalls_tf.remedies.adaptation.normalisation import AdaBn, Tent
from tests.pitfalls_tf.remedies.adaptation.fitted_seeds import BLIND, TARGET, TRAINING, changed, fitted
from tests.pitfalls_tf.small_examples import RECIPE, Traced

if TYPE_CHECKING:
    from pitfalls_tf.fitting.fits import Fits


def entropy(fits: Fits) -> Any:
    said = fits.predict(TARGET.inputs)
    return -(said * np.log(said)).sum(axis=-1).mean(axis=1)


def test_adabn_holds_the_statistics_of_the_target_layer_after_layer() -> None:
    fits = fitted()
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
def test_tent_touches_nothing_but_normalisation(norm: Any) -> None:
    fits = fitted()
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


@pytest.mark.parametrize("step", [AdaBn(), Tent()])
def test_what_cannot_be_adapted_is_refused(step: Any) -> None:
    with pytest.raises(BadInput, match="target"):
        step(fitted(), TRAINING, None)
    bare = ensemble.fit(replace(RECIPE, architecture=Traced(hidden=(4,)), epochs=1), TRAINING, seeds=(0,))
    with pytest.raises(BadInput, match="no normalisation to adapt"):
        step(bare, TRAINING, TARGET)


def test_tent_needs_a_full_batch_and_adabn_batch_normalisation() -> None:
    with pytest.raises(BadInput, match="200 rows, batches of 512"):
        Tent(batch=512)(fitted(), TRAINING, TARGET)
    recipe = replace(RECIPE, architecture=Traced(hidden=(4,), norm="layer"), epochs=1)
    with pytest.raises(BadInput, match="batch normalisation"):
        AdaBn()(ensemble.fit(recipe, TRAINING, seeds=(0,)), TRAINING, TARGET)
