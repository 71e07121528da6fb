"""Times are the same in every form and zone, and what is not a time is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.timestamps import as_microseconds
from serving.inference.timestamps import parse_time_us

# Hypothesis wants bounds without a zone.
FIRST, LAST = (datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (2, 9998))


@given(time=st.datetimes(min_value=FIRST, max_value=LAST), offset=st.integers(-14 * 60, 14 * 60))
def test_a_time_is_the_same_in_every_zone_and_as_seconds(time: datetime, offset: int) -> None:
    aware = time.replace(tzinfo=UTC)
    microseconds = as_microseconds(aware)
    assert parse_time_us(aware.isoformat()) == microseconds
    elsewhere = aware.astimezone(timezone(timedelta(minutes=offset)))
    assert parse_time_us(elsewhere.isoformat()) == microseconds
    sign = "-" if microseconds < 0 else ""
    assert parse_time_us(f"{sign}{abs(microseconds) // 10**6}.{abs(microseconds) % 10**6:06}") == microseconds


NO_MOMENTS = ["", "now", "2013-04-01", "2013-04-01T05:15:00", "1364807700000", "1e9", "NaN", "9999-12-31T00:00:00Z"]


@pytest.mark.parametrize("text", NO_MOMENTS)
def test_other_texts_are_not_times(text: str) -> None:
    assert parse_time_us(text) is None
