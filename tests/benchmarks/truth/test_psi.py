from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.truth.psi import psi


def test_equal_shares_have_an_index_of_zero_whatever_the_size() -> None:
    assert psi(np.array([10.0, 30.0]), np.array([1.0, 3.0])) == pytest.approx(0)


def test_the_index_is_that_of_the_formula() -> None:
    assert psi(np.array([60.0, 40.0]), np.array([40.0, 60.0])) == pytest.approx(2 * 0.2 * math.log(1.5))


def test_an_empty_bin_is_no_infinity_and_an_empty_window_has_no_index() -> None:
    assert 0 < psi(np.array([1.0, 1.0]), np.array([0.0, 2.0])) < 10
    assert math.isnan(psi(np.array([1.0, 1.0]), np.array([0.0, 0.0])))
