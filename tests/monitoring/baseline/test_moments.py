"""Moments merge in any order, and say of infinite values what they can."""

from __future__ import annotations

from itertools import pairwise
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from monitoring.baseline.moments import NO_MOMENTS, Moments

Floats = NDArray[np.float64]
values = hnp.arrays(
    np.float64, st.integers(0, 60), elements=st.floats(-1e6, 1e6) | st.sampled_from([np.inf, -np.inf, 0.0])
)


@given(values, st.lists(st.integers(0, 60), max_size=5), st.randoms(use_true_random=False))
def test_moments_merge_in_any_order_to_1e_12(found: Floats, cuts: list[int], random: object) -> None:
    ends = [0, *sorted(min(cut, found.size) for cut in cuts), found.size]
    parts = [Moments.of(found[first:last]) for first, last in pairwise(ends)]
    random.shuffle(parts)  # type: ignore[attr-defined]  # Hypothesis's random is a random.Random
    merged, whole = sum(parts, start=Moments()), Moments.of(found)
    for name in ("finite", "infinite", "zeros", "minimum", "maximum"):
        assert getattr(merged, name) == getattr(whole, name)
    finite = found[np.isfinite(found)]
    size = float(np.abs(finite).max()) if finite.size else 0.0
    assert merged.mean == pytest.approx(whole.mean, abs=1e-12 * size)
    assert merged.squares == pytest.approx(whole.squares, abs=1e-12 * size**2 * max(finite.size, 1))
    if finite.size:
        assert whole.std == pytest.approx(float(finite.std()), abs=1e-12 * size)


@given(values)
def test_moments_of_nothing_add_nothing(found: Floats) -> None:
    moments = Moments.of(found)
    assert moments + NO_MOMENTS == NO_MOMENTS + moments == moments


@given(values)
def test_counts_are_of_the_values_there_are(found: Floats) -> None:
    moments = Moments.of(found)
    assert moments.finite + moments.infinite == found.size
    assert moments.zeros == int((found == 0.0).sum())
    assert moments.minimum == (found.min() if found.size else inf)
    assert moments.maximum == (found.max() if found.size else -inf)
    assert moments.squares >= 0.0


def test_values_far_from_zero_keep_their_spread() -> None:
    far = 1e9 + np.random.default_rng(0).normal(size=10_000)
    parts = [Moments.of(part) for part in np.split(far, 10)]
    assert sum(parts, start=NO_MOMENTS).std == pytest.approx(float((far - 1e9).std()), rel=1e-6)


def test_squares_of_the_largest_floats_are_infinite_and_no_warning() -> None:
    assert Moments.of(np.array([-1.7e308, 1.7e308])).squares == inf


def test_without_finite_values_there_is_no_spread() -> None:
    assert (NO_MOMENTS.std, Moments.of(np.array([np.inf])).std) == (0.0, 0.0)
