from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.timestamps import (
    EPOCH,
    as_datetime,
    as_microseconds,
    duration_microseconds,
    parse_moment,
    require_everywhere,
)

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.integers(as_microseconds(FIRST), as_microseconds(LAST)))
def test_every_microsecond_of_the_calendar_comes_back(us: int) -> None:
    moment = as_datetime(us)
    assert moment.tzinfo is UTC
    assert as_microseconds(moment) == us


@given(st.datetimes(timezones=OFFSETS))
def test_every_time_of_any_zone_comes_back_as_the_same_instant(moment: datetime) -> None:
    assert as_datetime(as_microseconds(moment)) == moment


@given(st.datetimes(timezones=st.just(UTC)), st.timedeltas(timedelta(0), timedelta(days=400)))
def test_a_duration_is_the_difference_of_its_ends(start: datetime, length: timedelta) -> None:
    if start > LAST - length:
        start -= length
    assert as_microseconds(start + length) - as_microseconds(start) == duration_microseconds(length)


def test_the_last_microsecond_is_not_rounded_as_a_float_would_round_it() -> None:
    assert as_datetime(253_402_300_799_999_999) == LAST
    assert as_microseconds(LAST) == 253_402_300_799_999_999


def test_numbers_of_an_array_are_converted() -> None:
    assert as_datetime(np.int64(-1)) == EPOCH - timedelta(microseconds=1)


def test_a_time_without_a_zone_is_an_error() -> None:
    with pytest.raises(TypeError):
        as_microseconds(datetime(2013, 4, 1))  # noqa: DTZ001 - the error under test


@pytest.mark.parametrize("us", [as_microseconds(LAST) + 1, as_microseconds(FIRST) - 1])
def test_a_time_outside_the_calendar_is_an_error(us: int) -> None:
    with pytest.raises(OverflowError):
        as_datetime(us)


@pytest.mark.parametrize(
    "text",
    ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00", "9999-01-01T00:00:00Z", "2026-03-01", "", "x" * 9_999],
)
def test_what_is_no_time_in_every_zone_is_none(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of datetime, or of this function
        parse_moment(text)


def test_a_time_without_an_offset_is_one_of_its_zone() -> None:
    assert parse_moment("2026-03-01T02:00", timezone(timedelta(hours=2))) == datetime(2026, 3, 1, tzinfo=UTC)
    assert require_everywhere(datetime(2026, 3, 1, tzinfo=UTC)) == datetime(2026, 3, 1, tzinfo=UTC)
