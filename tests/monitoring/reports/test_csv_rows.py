from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta, timezone

import pytest

from monitoring.reports.csv_rows import csv_lines


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_begins_a_formula(first: str) -> None:
    text = f'{first}HYPERLINK("http://evil.example","x")'
    rows = list(csv.reader(io.StringIO("".join(csv_lines([text], [[text]])), newline="")))
    assert rows == [[f"'{text}"], [f"'{text}"]]


def test_numbers_are_whole_and_times_in_utc() -> None:
    moment = datetime(2026, 3, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert "".join(csv_lines("abcd", [[-0.1, 7, moment, None]])) == "a,b,c,d\r\n-0.1,7,2026-03-01T00:00:00+00:00,\r\n"


def test_a_long_file_comes_in_parts() -> None:
    parts = list(csv_lines(["a"], ([place] for place in range(100_000))))
    assert len(parts) > 5
    assert "".join(parts).splitlines()[1:] == [str(place) for place in range(100_000)]
