"""Scales on which estimates are about normal."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pitfalls_tf.experiments.scale import distance, inverse, transform


@given(st.sampled_from(["identity", "log", "fisher"]), st.floats(0.01, 0.99))
def test_the_inverse_undoes_the_transform(name: str, value: float) -> None:
    assert inverse(name, transform(name, value)) == pytest.approx(value)  # type: ignore[arg-type]


def test_what_a_scale_does_not_have_is_unknown() -> None:
    assert math.isnan(transform("log", 0.0))
    assert math.isnan(transform("log", -1.0))
    assert transform("fisher", 1.0) > 5


def test_a_distance_is_that_to_the_nearer_side() -> None:
    assert distance("fisher", 0.5, 0.2) == pytest.approx(math.atanh(0.5) - math.atanh(0.3))
    assert distance("log", 7.0, 1.5) == pytest.approx(math.log(1.5))
