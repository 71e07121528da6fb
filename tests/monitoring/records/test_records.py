"""Small files of monitoring.records, each test named after what it is about."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.records import (
    Backfill,
    CauseDetail,
    Condition,
    IncidentAction,
    LossSplit,
    MetricCode,
    RunRecord,
    SlicePart,
    Subgroup,
    WindowAttempt,
)

DAY = datetime(2026, 4, 5, tzinfo=UTC)


def test_an_attempt_is_unfinished_until_the_window_is_judged() -> None:
    begun = WindowAttempt(start=DAY, end=DAY + timedelta(days=1), attempts=2, started_at=DAY)
    assert [one.unfinished for one in (begun, replace(begun, error="gone"), replace(begun, judged_at=DAY))] == [
        True,
        True,
        False,
    ]


def test_a_backfill_has_judged_nothing_by_itself() -> None:
    made = Backfill(start=DAY, end=DAY, until=DAY, by="ada", at=DAY)
    assert (made.only, made.revised, made.ended_at, made.number) == (None, 0, None, 0)


NUMBERS = st.floats(-1, 1)


@given(NUMBERS, NUMBERS)
def test_the_change_of_a_loss_is_its_expected_part_and_its_surprise(difficulty: float, surprise: float) -> None:
    assert LossSplit(metric="brier", difficulty=difficulty, surprise=surprise).change == difficulty + surprise


@given(NUMBERS, NUMBERS)
def test_a_slice_s_part_is_that_of_its_share_and_that_of_its_loss(mix: float, loss: float) -> None:
    part = SlicePart(metric="brier", column="origin", slice="origin=EWR", mix=mix, loss=loss)
    assert part.total == pytest.approx(mix + loss)


def test_the_keys_of_a_stored_cause_are_those_of_earlier_versions() -> None:
    assert set(asdict(CauseDetail())) == {"split", "parts", "inputs", "rows", "subgroup", "relation"}
    assert set(asdict(LossSplit(metric="brier", difficulty=0.0, surprise=0.0))) == {"metric", "difficulty", "surprise"}


def test_an_empty_cause_equals_another() -> None:
    assert CauseDetail() == CauseDetail(split=None, parts=(), inputs=(), rows=())


def test_an_action_has_a_time_a_person_and_a_kind_and_the_rest_is_optional() -> None:
    action = IncidentAction(at=datetime(2013, 4, 1, tzinfo=UTC), by="operator", kind="reopen")
    assert (action.text, action.until, action.until_worse) == ("", None, False)


def test_codes_differ_by_their_files() -> None:
    one = MetricCode(name="missed", function="own:missed", digest="a")
    assert one == replace(one)
    assert one != replace(one, digest="b")
    with pytest.raises(FrozenInstanceError):
        one.digest = "b"  # type: ignore[misc]


def test_a_run_that_has_not_ended_has_no_length() -> None:
    run = RunRecord(started_at=datetime(2013, 4, 1, tzinfo=UTC))
    assert run.seconds is None
    assert replace(run, ended_at=run.started_at + timedelta(minutes=2)).seconds == 120.0


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
