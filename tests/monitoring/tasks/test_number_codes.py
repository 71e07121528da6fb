"""Numbers as label codes: every finite float64 comes back to the last bit, and nothing else is a label."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from monitoring.tasks.number_codes import number_codes, numbers
from monitoring.tasks.task import NO_LABEL


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=30))
def test_numbers_come_back_to_the_last_bit(values: list[float]) -> None:
    words = pa.chunked_array([pa.array(values, pa.float64()).cast(pa.string())], pa.string())
    codes = number_codes(words)
    assert (codes != NO_LABEL).all()
    assert numbers(codes).tolist() == [value + 0.0 for value in values]


def test_anything_else_is_no_label() -> None:
    words = pa.chunked_array([[None, "", "nan", "inf", "-inf", "12 EUR", "1,5", "0x10", "true"]], pa.string())
    assert number_codes(words).tolist() == [NO_LABEL] * 9


def test_zero_has_one_code() -> None:
    assert len(set(number_codes(pa.chunked_array([["0", "-0.0", "0.00", "0e5"]])).tolist())) == 1


def test_without_a_label_there_is_no_number() -> None:
    assert np.isnan(numbers(np.array([NO_LABEL]))).all()
