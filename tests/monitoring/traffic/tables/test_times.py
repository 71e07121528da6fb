"""Cells of any type as times: the same time however it is written, and never an error."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.timestamps import as_microseconds
from monitoring.traffic.tables.times import parse_times

ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))])
# Hypothesis takes bounds without a zone, and adds one.
FIRST, LAST = (datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (1800, 2500))
aware = st.datetimes(FIRST, LAST, timezones=ZONES)


@given(st.lists(aware, min_size=1, max_size=20))
def test_times_are_the_same_however_they_are_written(times: list[datetime]) -> None:
    expected = [as_microseconds(time) for time in times]
    texts = [time.isoformat() for time in times]
    utc = [time.astimezone(UTC) for time in times]
    for column in (
        pa.array(texts),
        pa.array([text.replace("T", " ") for text in texts], pa.large_string()),
        pa.array([text.encode() for text in texts], pa.binary()),
        pa.array(utc, pa.timestamp("us", "UTC")),
        pa.array(utc, pa.timestamp("us", "America/New_York")),
    ):
        found = parse_times(column)
        assert found.us.tolist() == expected
        assert found.valid.all()
        assert not found.naive
    naive = parse_times(pa.array([time.replace(tzinfo=None) for time in utc], pa.timestamp("us")))
    assert (naive.us.tolist(), naive.naive) == (expected, True)
    assert parse_times(pa.array([time.replace(tzinfo=None).isoformat() for time in utc])).us.tolist() == expected


@given(st.lists(st.none() | st.text(max_size=30), max_size=20))
def test_text_that_is_no_time_is_none_and_never_fatal(texts: list[str | None]) -> None:
    try:
        column = pa.array(texts, pa.string())
    except UnicodeEncodeError:
        return
    found = parse_times(column)
    assert len(found.us) == len(found.valid) == len(texts)
    assert not [text for text, valid in zip(texts, found.valid, strict=True) if text is None and valid]


@pytest.mark.parametrize(
    ("column", "valid"),
    [
        (
            pa.array(["2013-02-30", "2013-02-28", "2013-13-01T00:00", "0001-01-01", None]),
            [False, True, False, False, False],
        ),
        (pa.array([2**62, 0, -(2**62)]).cast(pa.timestamp("s")), [False, True, False]),
        (pa.array([2**62, 0]).cast(pa.timestamp("ns")), [True, True]),
        (pa.array([date(2013, 1, 1), None]), [True, False]),
        (pa.nulls(2), [False, False]),
        (pa.array([1_357_000_000, 5]), [False, False]),
    ],
)
def test_what_no_calendar_has_is_no_time(column: pa.Array, valid: list[bool]) -> None:
    assert parse_times(column).valid.tolist() == valid
