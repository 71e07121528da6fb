"""Answers that are probabilities of classes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from monitoring.tasks.probabilities import ROUNDING, are_probabilities


@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 8), st.integers(2, 5)), elements=st.floats(0, 1)))
def test_normalised_rows_are_probabilities_and_scaled_ones_are_not(weights: np.ndarray) -> None:
    values = (weights + 0.01) / (weights + 0.01).sum(axis=1, keepdims=True)
    assert are_probabilities(values).all()
    assert not are_probabilities(values * (1 + 2 * ROUNDING)).any()
    assert not are_probabilities(-values).any()


def test_of_rows_with_several_classes_each_number_counts_by_itself() -> None:
    values = np.array([[0.9, 0.8], [0.9, 1.1], [np.nan, 0.5]])
    assert are_probabilities(values, exclusive=False).tolist() == [True, False, False]
