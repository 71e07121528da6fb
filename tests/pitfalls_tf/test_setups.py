"""Setups by name, and what they must never be given."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from monitoring.errors import BadInput
from pitfalls_tf.training.named_setups import SETUPS, find


def test_an_unknown_setup_is_answered_with_the_nearest() -> None:
    with pytest.raises(BadInput, match=r"'fligths'; expected one of: flights\. Did you mean flights\?"):
        find("fligths")
    with pytest.raises(BadInput, match="Choose one of those"):
        find("zebra")


@pytest.mark.parametrize("name", SETUPS)
def test_a_setup_is_data_that_a_manifest_can_hold(name: str) -> None:
    setup = find(name)
    assert setup.name == name
    assert json.loads(json.dumps(asdict(setup), default=str))["optimisation"]["epochs"] > 0


def test_flights_are_those_of_january_to_march_by_new_yorks_calendar() -> None:
    table = find("flights").load()
    assert len(table) == 80_789
    assert {day.month for day in table.days.unique().to_pylist()} == {1, 2, 3}
    assert len(table.days.unique()) == 90
