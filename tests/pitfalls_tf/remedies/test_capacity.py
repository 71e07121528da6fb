"""Capacities: the same family from a quarter to eight times as wide or as deep."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pitfalls_tf.remedies.capacity import CAPACITIES, FACTORS, factor_name, scaled
from pitfalls_tf.remedies.catalogue import find
from tests.pitfalls_tf.small_examples import RECIPE, Traced, rows

TRAINING = rows(200, seed=1)
BARE = replace(RECIPE, architecture=Traced(hidden=(8, 4)))


@pytest.mark.parametrize(
    ("name", "hidden"),
    [("depth_4", (8,) * 4 + (4,) * 4), ("depth_half", (8,)), ("width_quarter", (2, 1)), ("width_8", (64, 32))],
)
def test_a_capacity_scales_one_direction(name: str, hidden: tuple[int, ...]) -> None:
    assert find(name).apply(BARE, TRAINING) == replace(BARE, architecture=Traced(hidden=hidden))


def test_both_directions_scale_at_once_and_a_factor_of_one_is_no_remedy() -> None:
    assert scaled(BARE, width=2, depth=2).architecture == Traced(hidden=(16, 16, 8, 8))
    assert scaled(BARE) == BARE
    assert {remedy.name for remedy in CAPACITIES} == {
        f"{direction}_{factor_name(factor)}" for direction in ("width", "depth") for factor in FACTORS if factor != 1
    }
