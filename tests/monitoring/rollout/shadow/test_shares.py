"""Shares of a shadow: hash and time decide, and a shadow that cannot keep up lowers its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from monitoring.rollout.shadow.shares import Pace, Shares
from monitoring.timestamps import as_microseconds

START = datetime(2026, 3, 1, tzinfo=UTC)
IDS = pa.array([f"r{place}:0" for place in range(500)])


def at(moment: datetime) -> np.ndarray:
    return np.full(len(IDS), as_microseconds(moment))


def test_rows_before_the_first_step_are_not_chosen() -> None:
    shares = Shares(salt="a", steps=((START, 1.0),))
    assert not shares(IDS, at(START) - 1).any()
    assert shares(IDS, at(START)).all()


def test_a_lower_share_holds_from_the_next_minute_on() -> None:
    shares = Shares(salt="a", steps=((START, 0.8),)).lowered(START + timedelta(seconds=90))
    before, after = shares(IDS, at(START + timedelta(seconds=119))), shares(IDS, at(START + timedelta(seconds=120)))
    assert 350 < before.sum() < 450
    assert 150 < after.sum() < 250
    assert not (after & ~before).any()
    assert (shares.planned, shares.now) == (0.8, 0.4)


@given(st.lists(st.booleans(), max_size=40))
def test_shares_stay_between_a_64th_of_the_planned_one_and_it(turns: list[bool]) -> None:
    shares = Shares(salt="a", steps=((START, 0.5),))
    for minute, down in enumerate(turns):
        now = START + timedelta(minutes=minute)
        shares = shares.lowered(now) if down else shares.raised(now)
        assert 0.5 / 64 <= shares.now <= 0.5
        assert list(shares.steps) == sorted(shares.steps)


def test_two_changes_in_one_minute_are_one_step() -> None:
    shares = Shares(salt="a", steps=((START, 1.0),)).lowered(START).lowered(START)
    assert [share for _, share in shares.steps] == [1.0, 0.25]


def test_a_pace_is_slow_after_three_passes_that_took_longer_than_what_they_covered() -> None:
    pace = Pace()
    assert [pace.passed(10.0, 10.0) for _ in range(4)] == [0, 0, -1, 0]


def test_one_good_pass_in_between_starts_anew() -> None:
    pace = Pace()
    assert [pace.passed(took, 10.0) for took in (10.0, 10.0, 5.0, 10.0, 10.0, 10.0)] == [0, 0, 0, 0, 0, -1]


def test_a_share_is_raised_more_slowly_than_it_is_lowered() -> None:
    pace = Pace()
    turns = [pace.passed(1.0, 10.0) for _ in range(12)]
    assert turns == [0] * 11 + [1]
