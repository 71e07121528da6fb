from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.timestamps import EPOCH, as_microseconds
from monitoring.traffic.tables.values import class_words, moments, numbers, words

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
        found = moments(column)
        assert found.us.tolist() == expected
        assert found.valid.all()
        assert not found.naive
    naive = moments(pa.array([time.replace(tzinfo=None) for time in utc], pa.timestamp("us")))
    assert (naive.us.tolist(), naive.naive) == (expected, True)
    assert moments(pa.array([time.replace(tzinfo=None).isoformat() for time in utc])).us.tolist() == expected


@given(st.lists(st.none() | st.text(max_size=30), max_size=20))
def test_text_that_is_no_time_is_none_and_never_fatal(texts: list[str | None]) -> None:
    try:
        column = pa.array(texts, pa.string())
    except UnicodeEncodeError:
        return
    found = moments(column)
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
    assert moments(column).valid.tolist() == valid


@given(st.lists(st.none() | st.floats() | st.integers(-(10**15), 10**15), max_size=20))
def test_numbers_are_the_same_as_text(values: list[float | None]) -> None:
    texts = [None if value is None else repr(value) for value in values]
    found, bad, problem = numbers(pa.array(texts, pa.string()), text=True)
    expected = [math.nan if value is None else float(value) for value in values]
    np.testing.assert_array_equal(np.asarray(found), np.array(expected, dtype=np.float64))
    assert (bad, problem) == (0, "")


def test_cells_that_are_no_numbers_are_counted_and_a_column_of_them_is_another_type() -> None:
    found, bad, problem = numbers(pa.array(["1", " 2.5 ", "n/a", "twelve", None, "-inf", "1e3"]), text=True)
    np.testing.assert_array_equal(np.asarray(found), [1, 2.5, np.nan, np.nan, np.nan, -np.inf, 1000])
    assert (bad, problem) == (1, "")
    assert numbers(pa.array(["a", "b"]), text=True)[1:] == (2, "type changed to text")
    assert numbers(pa.array([EPOCH]), text=False)[2].startswith("type changed to timestamp")


@given(st.lists(st.none() | st.binary(max_size=8), max_size=10))
def test_bytes_are_words_whatever_they_are(cells: list[bytes | None]) -> None:
    found = words(pa.array(cells, pa.binary())).to_pylist()
    assert found == [None if cell is None else cell.decode("utf-8", "replace") for cell in cells]


def test_labels_are_words_of_one_spelling() -> None:
    assert class_words(pa.array([1.0, None, 0.0])).to_pylist() == ["1", None, "0"]
    assert class_words(pa.array([True, False])).to_pylist() == ["true", "false"]
    assert class_words(pa.array(["True", " late ", "", "2.0", "2.5"])).to_pylist() == ["true", "late", None, "2", "2.5"]
