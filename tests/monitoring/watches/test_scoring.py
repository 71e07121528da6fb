"""Sums of scores in fixed point: exact, whatever the order, the cuts and the encoding."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from monitoring.baseline import binning
from monitoring.records import SCORE_ONE
from monitoring.watches.scoring import EXACT_ROWS, fixed_point, fixed_point_floats, fixed_point_sum, slice_codes

Floats = NDArray[np.float64]
scores = hnp.arrays(np.float64, st.integers(1, 200), elements=st.floats(0, 1))


@given(scores)
def test_sums_do_not_depend_on_order_or_cuts_to_the_last_bit(values: Floats) -> None:
    shuffled = np.random.default_rng(1).permutation(values)
    cut = values.size // 3
    assert sum(map(fixed_point_sum, (shuffled[cut:], shuffled[:cut]))) == fixed_point_sum(values)


@given(hnp.arrays(np.float64, st.integers(0, 50), elements=st.floats(-2.0, 3.0)))
def test_scores_outside_are_clipped_and_rounding_is_below_two_to_the_minus_33(values: Floats) -> None:
    units = fixed_point(values)
    assert units.dtype == np.int64
    assert ((units >= 0) & (units <= SCORE_ONE)).all()
    assert (np.abs(units / SCORE_ONE - np.clip(values, 0.0, 1.0)) <= 2.0**-33).all()
    np.testing.assert_array_equal(fixed_point_floats(values), units)


@given(hnp.arrays(np.float64, st.integers(0, 200), elements=st.floats(0, 1) | st.floats(allow_nan=False)))
def test_a_sum_is_that_of_the_integers_in_c_and_by_numpy(values: Floats) -> None:
    assert fixed_point_sum(values) == sum(fixed_point(values).tolist())
    assert fixed_point_sum(np.repeat(values, 2)[::2]) == fixed_point_sum(values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(binning, "compiled_sum", None)
        assert fixed_point_sum(values) == sum(fixed_point(values).tolist())


def test_a_sum_of_more_rows_than_floats_hold_exactly_is_exact_too() -> None:
    values = np.full(EXACT_ROWS + 3, 1.0 / 3.0)
    assert fixed_point_sum(values) == int(fixed_point(values[:1])[0]) * values.size


@given(st.lists(st.none() | st.sampled_from(["a", "b", "ü", "", "other"]), max_size=30))
def test_a_slice_code_does_not_depend_on_the_encoding(words: list[str | None]) -> None:
    values = ("ü", "a", "")
    column = pa.array(words, pa.string())
    expected = [values.index(word) if word in values else 3 for word in words]
    assert slice_codes(column, values).tolist() == expected
    assert slice_codes(column.dictionary_encode(), values).tolist() == expected
    assert slice_codes(pa.chunked_array([column, column]), values).tolist() == expected * 2
