"""Self-training uses the network's own confident predictions, and never the labels of the target."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from monitoring.errors import BadInput
from pitfalls_tf.remedies.adaptation.self_training import SelfTraining, pseudo_labels, with_pseudo_labels
from tests.pitfalls_tf.remedies.adaptation.fitted_seeds import BLIND, TARGET, TRAINING, fitted


def test_self_training_never_sees_the_labels_of_the_target() -> None:
    fits = fitted()
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
    probabilities = np.array([[0.5, 0.5], [0.2, 0.8], [0.9, 0.1], [0.55, 0.45]])
    assert pseudo_labels(probabilities, 0.75).tolist() == [-1, 1, 0, 0]
    assert pseudo_labels(probabilities, 1.0).tolist() == [0, 1, 0, 0]


@given(
    confidence=hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 1), unique=True), share=st.floats(0, 1)
)
def test_the_most_confident_share_gets_its_likeliest_class(confidence: np.ndarray, share: float) -> None:
    probabilities = np.column_stack([confidence, 1 - confidence])
    labels = pseudo_labels(probabilities, share)
    given_label = labels >= 0
    assert given_label.sum() == round(share * len(confidence))
    assert (labels[given_label] == probabilities[given_label].argmax(axis=1)).all()
    if given_label.any() and not given_label.all():
        assert probabilities[given_label].max(axis=1).min() >= probabilities[~given_label].max(axis=1).max()


def test_target_rows_follow_the_training_rows_with_their_pseudo_labels() -> None:
    labels = np.arange(len(TARGET)) % 3 - 1
    both = with_pseudo_labels(TRAINING, TARGET, labels)
    assert len(both) == len(TRAINING) + len(TARGET)
    assert (both.targets[len(TRAINING) :] == labels).all()
    assert (both.inputs[len(TRAINING) :] == TARGET.inputs).all()


def test_without_a_target_it_is_refused() -> None:
    with pytest.raises(BadInput, match="needs a target"):
        SelfTraining()(fitted(), TRAINING, None)
