"""Row operations that are numpy's, to the bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given

from monitoring.tasks.row_operations import row_choices, row_maxima, row_sums
from tests.monitoring.watches.labelled_rows import Sample, samples


@given(samples())
def test_row_operations_are_numpys_to_the_bit(sample: Sample) -> None:
    values, _ = sample
    np.testing.assert_array_equal(row_sums(values), values.sum(axis=1))
    np.testing.assert_array_equal(row_maxima(values), values.max(axis=1))
    np.testing.assert_array_equal(row_choices(values), values.argmax(axis=1))


def test_many_columns_are_added_as_numpy_adds_them_and_none_are_zero() -> None:
    values = np.random.default_rng(0).random((100, 40))
    np.testing.assert_array_equal(row_sums(values), values.sum(axis=1))
    assert row_sums(np.zeros((3, 0))).tolist() == [0.0, 0.0, 0.0]
