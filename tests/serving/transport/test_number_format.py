"""The number writer against the rule of the contract, written down a second time and plainly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.transport.number_format import format_float, format_floats


def rule(value: np.floating[Any]) -> str:
    """Six digits if they read back as the same number of that type, else 9 or 17; `.0` on what looks whole."""
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    text = f"{float(value):.6g}"
    if type(value)(text) != value:
        text = f"{float(value):.{9 if value.dtype == np.float32 else 17}g}"
    return text if "." in text or "e" in text else text + ".0"


singles = st.floats(width=32, allow_nan=True, allow_infinity=True)
doubles = st.floats(allow_nan=True, allow_infinity=True)
decimals = st.integers(-(10**6), 10**6).map(lambda whole: whole / 1000)


@given(values=st.lists(singles | decimals, max_size=8))
def test_float32_follows_the_rule(values: list[float]) -> None:
    array = np.array(values, np.float32)
    texts = format_floats(array)
    assert texts == [rule(value) for value in array]
    read_back = np.array([float(text) for text in texts]).astype(np.float32)
    np.testing.assert_array_equal(read_back, array)


@given(values=st.lists(doubles | decimals, max_size=8))
def test_float64_follows_the_rule(values: list[float]) -> None:
    array = np.array(values, np.float64)
    assert format_floats(array) == [rule(value) for value in array]
    assert [format_float(value) for value in values] == [rule(value) for value in np.array(values, np.float64)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.2, "0.2"),
        (1 / 3, "0.333333343"),
        (9_000_000, "9e+06"),
        (0.00003, "3e-05"),
        (123456, "123456.0"),
        (1234567, "1234567.0"),
        (-0.0, "-0.0"),
        (3.4028235e38, "3.40282347e+38"),
        (1e-45, "1.4013e-45"),
    ],
)
def test_known_numbers(value: float, text: str) -> None:
    assert format_floats(np.array([value], np.float32)) == [text]
