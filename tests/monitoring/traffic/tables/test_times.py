"""Cells of any type as times: the same time however it is written, and never an error."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.timestamps import as_datetime, as_microseconds
from monitoring.traffic.tables.times import ORDER_UNKNOWN, ParsedTimes, local_to_utc, parse_times

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


RECENT = [datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (1990, 2030)]
ZONE_NAMES = st.sampled_from(["America/New_York", "Europe/Zurich", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])


@given(st.lists(st.datetimes(*RECENT), min_size=1, max_size=10), ZONE_NAMES)
def test_local_times_are_those_of_the_zones_calendar(times: list[datetime], zone: str) -> None:
    local = np.array([as_microseconds(time.replace(tzinfo=UTC)) for time in times], dtype=np.int64)
    found, ambiguous = local_to_utc(local, zone)
    where = ZoneInfo(zone)
    assert found.tolist() == [as_microseconds(time.replace(tzinfo=where)) for time in times]
    offsets = [[time.replace(tzinfo=where, fold=fold).utcoffset() for fold in (0, 1)] for time in times]
    assert ambiguous.tolist() == [
        first > second for first, second in offsets if first is not None and second is not None
    ]


@given(st.lists(aware.filter(lambda time: time.year > 1990), min_size=1, max_size=10), ZONE_NAMES)
def test_a_time_with_a_zone_does_not_depend_on_the_zone_of_the_others(times: list[datetime], zone: str) -> None:
    texts = pa.array([time.isoformat() for time in times])
    assert parse_times(texts, zone).us.tolist() == parse_times(texts).us.tolist()
    assert not parse_times(texts, zone).naive


def test_only_cells_without_a_zone_are_shifted() -> None:
    found = parse_times(pa.array(["2024-07-01T12:00", "2024-07-01T12:00Z", None, "soon"]), "America/New_York")
    noon = as_microseconds(datetime(2024, 7, 1, 12, tzinfo=UTC))
    assert found.us.tolist() == [noon + 4 * 3_600_000_000, noon, 0, 0]
    assert found.valid.tolist() == [True, True, False, False]
    assert found.naive
    assert not found.ambiguous.any()


def test_the_repeated_hour_is_ambiguous_and_the_skipped_one_is_not() -> None:
    found = parse_times(pa.array(["2013-11-03T01:30", "2013-11-03T02:30", "2013-03-10T02:30"]), "America/New_York")
    assert found.ambiguous.tolist() == [True, False, False]
    assert parse_times(pa.array(["2013-11-03T01:30"])).ambiguous.size == 0


@pytest.mark.parametrize(
    ("texts", "day_first", "expected"),
    [
        (["01/02/2024", "31/12/2024 17:30"], None, ["2024-02-01T00:00:00", "2024-12-31T17:30:00"]),
        (["01/02/2024", "12/31/2024 7:30:05.5"], None, ["2024-01-02T00:00:00", "2024-12-31T07:30:05.500"]),
        (["1.2.2024"], None, ["2024-02-01T00:00:00"]),
        (["01/02/2024"], True, ["2024-02-01T00:00:00"]),
        (["01/02/2024", "2024-05-06"], False, ["2024-01-02T00:00:00", "2024-05-06T00:00:00"]),
        (["31/01/2024", "01/31/2024"], True, ["2024-01-31T00:00:00", None]),
    ],
)
def test_dates_with_the_day_or_the_month_first_are_read_as_is_said_or_shows(
    texts: list[str], day_first: bool | None, expected: list[str | None]
) -> None:
    found = parse_times(pa.array(texts), day_first=day_first)
    assert found.valid.tolist() == [text is not None for text in expected]
    times = [as_datetime(us) for us, valid in zip(found.us.tolist(), found.valid.tolist(), strict=True) if valid]
    assert times == [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in expected if text is not None]


@pytest.mark.parametrize("texts", [["01/02/2024"], ["31/01/2024", "01/31/2024"]])
def test_dates_that_do_not_show_what_comes_first_are_no_times(texts: list[str]) -> None:
    found = parse_times(pa.array(texts))
    assert (bool(found.valid.any()), found.problem) == (False, ORDER_UNKNOWN)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_of_every_unit_are_microseconds(unit: str) -> None:
    second = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[unit]
    found = parse_times(pa.array([second, None, -second]).cast(pa.timestamp(unit, "UTC")))
    assert found.us.tolist() == [1_000_000, 0, -1_000_000]
    assert found.valid.tolist() == [True, False, True]


@pytest.mark.parametrize(
    "text", ["2024-01-01T10:00:00,5Z", "2024-01-01 10:00:00.5+00:00", " 2024-01-01T11:00:00.5+01 "]
)
def test_spellings_of_one_time_are_that_time(text: str) -> None:
    expected = as_microseconds(datetime(2024, 1, 1, 10, 0, 0, 500_000, tzinfo=UTC))
    assert parse_times(pa.array([text])).us.tolist() == [expected]


@pytest.mark.parametrize("text", ["10:00", "2024-1-1", "2024-01-01T25:00", "20240101", "1704067200", ""])
def test_other_text_is_no_time(text: str) -> None:
    found = parse_times(pa.array([text]))
    assert (found.valid.tolist(), found.problem) == ([False], "no times, but text")


def test_the_problem_of_a_column_is_named() -> None:
    assert parse_times(pa.array([5])).problem == "type changed to int64"
    assert parse_times(pa.nulls(2)).problem == ""
    none = ParsedTimes.none(2, "absent")
    assert (none.us.tolist(), none.valid.tolist(), none.problem) == ([0, 0], [False, False], "absent")
