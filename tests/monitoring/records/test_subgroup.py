"""A subgroup by its conditions."""

from __future__ import annotations

from monitoring.records import Condition, Subgroup

EVENING = Condition(input="hour", sign="≥", value=18.0)
NORTH = Condition(input="shop", sign="=", value="north")


def subgroup(*conditions: Condition) -> Subgroup:
    return Subgroup(conditions=conditions, rows=9, rise=0.5, others=0.125, error=0.1, p_value=0.01)


def test_more_conditions_are_within_fewer() -> None:
    assert subgroup(EVENING, NORTH).is_within(subgroup(NORTH))
    assert not subgroup(NORTH).is_within(subgroup(EVENING, NORTH))
    assert not subgroup(NORTH).is_within(subgroup(EVENING))


def test_the_excess_is_what_its_rows_rose_more_than_the_others() -> None:
    assert subgroup(NORTH).excess == 0.375
