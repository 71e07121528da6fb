"""Fitted seeds: what they predict, their history, and what becomes of diverged ones."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from monitoring.errors import BadInput
from pitfalls_tf.fitting import ensemble
from pitfalls_tf.fitting.fits import Epoch, Fits, softmax
from tests.pitfalls_tf.small_examples import RECIPE, rows

TRAINING, VALIDATION = rows(300, seed=1), rows(100, seed=2)


@cache
def fitted() -> Fits:
    return ensemble.fit(RECIPE, TRAINING, seeds=(0, 1, 2))


def with_diverged() -> Fits:
    """The same, the second of which diverged in its last epoch."""
    first, second, third = fitted().members
    lost = Epoch(number=3, loss=float("nan"), gradient_norm=float("inf"))
    spoilt = tuple(weight * np.float32("nan") for weight in second.weights)
    return replace(fitted(), members=(first, replace(second, weights=spoilt, epochs=(*second.epochs[:2], lost)), third))


def test_a_model_of_one_seed_says_what_the_fits_say() -> None:
    fits = fitted()
    probabilities = fits.predict(VALIDATION.inputs)
    assert probabilities.shape == (3, 100, 2)
    assert probabilities.sum(axis=-1) == pytest.approx(1)
    model = fits.model(2)
    said = model(VALIDATION.inputs)
    assert said["logits"].numpy() == pytest.approx(fits.logits(VALIDATION.inputs)[2], abs=1e-5)
    assert said["embedding"].numpy() == pytest.approx(fits.embedding(VALIDATION.inputs)[2], abs=1e-5)
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    assert any(type(layer) is keras.layers.Dropout for layer in model.layers)
    with pytest.raises(BadInput, match="not fitted"):
        fits.model(9)


def test_a_history_has_a_row_for_each_seed_and_epoch_and_nulls_without_validation() -> None:
    history = fitted().history()
    assert history["seed"].to_pylist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert history["epoch"].to_pylist() == [1, 2, 3] * 3
    assert history["validation_brier"].null_count == 9
    assert (history["gradient_norm"].to_numpy() > 0).all()


def test_diverged_seeds_stay_until_they_are_left_out() -> None:
    fits = with_diverged()
    assert fits.diverged == (1,)
    assert len(fits) == 3
    assert fits.healthy.seeds == (0, 2)
    assert np.isnan(fits.predict(VALIDATION.inputs)[1]).all()
    assert np.isfinite(fits.healthy.predict(VALIDATION.inputs)).all()


def test_members_are_changed_but_for_diverged_ones() -> None:
    fits = with_diverged()
    changed = fits.map_members(lambda member: replace(member, weights=tuple(0 * weight for weight in member.weights)))
    assert not changed.members[0].weights[0].any()
    assert changed.members[1] is fits.members[1]
    assert fits.members[0].weights[0].any()


def test_one_seed_is_its_own_fits() -> None:
    fits = fitted()
    alone = fits.of_seed(2)
    assert alone.seeds == (2,)
    assert (alone.predict(VALIDATION.inputs)[0] == fits.predict(VALIDATION.inputs)[2]).all()
    assert alone.shape == TRAINING.shape


logits = hnp.arrays(np.float32, (3, 4), elements=st.floats(-50, 50, width=32))


@given(logits=logits, shift=st.floats(-50, 50))
def test_softmax_gives_shares_that_no_common_shift_changes(logits: np.ndarray, shift: float) -> None:
    shares = softmax(logits)
    assert shares.sum(axis=-1) == pytest.approx(1.0)
    assert shares == pytest.approx(softmax((logits.astype(np.float64) + shift).astype(np.float32)), abs=1e-4)
    assert (np.take_along_axis(shares, logits.argmax(axis=-1)[:, None], -1)[:, 0] == shares.max(axis=-1)).all()


def test_softmax_of_extreme_logits_is_finite() -> None:
    assert softmax(np.array([[1e38, -1e38]], dtype=np.float32)).tolist() == [[1.0, 0.0]]
