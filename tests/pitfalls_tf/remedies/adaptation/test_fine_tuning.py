"""Fine-tuning learns from a few labelled target rows, and from no others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from pitfalls_tf.fitting.recipe import EarlyStopping
from pitfalls_tf.remedies.adaptation.fine_tuning import FineTuning, continue_fits, draw_labelled, second_fit_recipe
from pitfalls_tf.remedies.adaptation.methods import Coral
from tests.pitfalls_tf.fitting.made_up_remedies import Halved, Turns, Zeroed
from tests.pitfalls_tf.remedies.adaptation.fitted_seeds import TARGET, TRAINING, changed, fitted
from tests.pitfalls_tf.small_examples import RECIPE


def test_fine_tuning_learns_from_few_rows_and_no_others() -> None:
    fits = fitted()
    chosen = draw_labelled(TARGET, 40)
    assert len(set(chosen.tolist())) == 40
    assert TARGET.labelled[chosen].all()
    assert np.bincount(TARGET.targets[chosen]).tolist() == [20, 20]
    step = FineTuning(rows=40, epochs=3)
    tuned = step(fits, TRAINING, TARGET)
    assert [epoch.number for epoch in tuned.members[0].epochs] == [1, 2, 3, 4, 5, 6]
    assert tuned.members[0].weights_epoch == 6
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
        draw_labelled(TARGET, 181)


@given(rows=st.integers(1, 180), seed=st.integers(0, 5))
def test_drawn_rows_are_labelled_distinct_and_as_balanced_as_they_can_be(rows: int, seed: int) -> None:
    chosen = draw_labelled(TARGET, rows, seed=seed)
    assert len(set(chosen.tolist())) == rows
    assert (np.diff(chosen) > 0).all()
    assert TARGET.labelled[chosen].all()
    available = np.bincount(TARGET.targets[TARGET.labelled], minlength=2)
    drawn = np.bincount(TARGET.targets[chosen], minlength=2)
    assert abs(drawn[0] - drawn[1]) <= 1 or (drawn == available).any()


def test_what_cannot_be_tuned_on_is_refused() -> None:
    with pytest.raises(BadInput, match="needs a target"):
        FineTuning()(fitted(), TRAINING, None)
    with pytest.raises(BadInput, match="180 rows with a label"):
        draw_labelled(TARGET, 181)


def test_a_second_fit_has_no_remedy_of_the_first() -> None:
    first = replace(
        RECIPE,
        penalties=(Coral(),),
        transforms=(Halved(),),
        weighting=Turns(),
        post_fit=(Zeroed(),),
        stopping=EarlyStopping(patience=1),
        optimiser=replace(RECIPE.optimiser, warm_up=0.1, schedule="cosine", average=0.9),
    )
    second = second_fit_recipe(first, epochs=7, slower=0.5)
    assert second == replace(RECIPE, epochs=7, optimiser=replace(RECIPE.optimiser, learning_rate=0.005))


def test_continued_fits_keep_their_program_and_number_their_epochs_on() -> None:
    fits = fitted()
    again = continue_fits(
        fits, replace(second_fit_recipe(fits.recipe, epochs=2, slower=0.1), trained="logits"), TRAINING
    )
    assert again.program is fits.program
    assert [epoch.number for epoch in again.members[0].epochs] == [1, 2, 3, 4, 5]
    assert again.members[0].weights_epoch == 5
