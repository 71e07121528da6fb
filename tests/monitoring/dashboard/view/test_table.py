from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta, timezone

import pytest

from monitoring.dashboard.view.table import TableView, cell, csv_text
from monitoring.reports.results_table import Value


def read(value: Value) -> str:
    table = TableView(name="t", title="T", columns=("value",), rows=((cell("text", value),),))
    return list(csv.reader(io.StringIO(csv_text(table))))[1][0]


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_spreadsheet_sees_no_formula(formula: str) -> None:
    assert read(formula) == f"'{formula}"


def test_numbers_are_written_in_full_and_times_in_utc() -> None:
    assert float(read(0.1 + 0.2)) == 0.1 + 0.2
    assert read(-0.5) == "-0.5"
    east = timezone(timedelta(hours=2))
    assert read(datetime(2013, 4, 1, 2, tzinfo=east)) == "2013-04-01T00:00:00+00:00"


def test_a_cell_without_a_value_has_its_text() -> None:
    assert read(None) == "text"


def test_commas_and_quotes_come_back() -> None:
    assert read('a,"b"\nc') == 'a,"b"\nc'
