"""A table of one's own as a source: what is inferred, and every way in which it will not do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.sources.table import TableFile

ROWS: dict[str, list[Any]] = {
    "machine": ["b", "a", "a", None],
    "when": ["2020-03-02T10:00:00Z", "2020-03-01T23:30:00Z", "2020-03-01T23:30:00Z", "2020-03-03T00:00:00Z"],
    "broken": [1, 0, 0, None],
    "heat": [20.5, None, 22.0, 23.0],
    "shift": [1, 2, 1, 3],
    "checked": ["2020-03-05T00:00:00Z"] * 4,
}


def written(path: Path, **changes: list[Any]) -> TableFile:
    """The table as CSV, with the columns changed, and what its columns are."""
    pa_csv.write_csv(pa.table({**ROWS, "machine": ["b", "a", "a", "c"], **changes}), path / "own.csv")
    return TableFile(path=path / "own.csv", label="broken", time="when", domain="machine", label_time="checked")


def test_a_csv_becomes_a_table_in_time_order(tmp_path: Path) -> None:
    own = replace(written(tmp_path), timezone="Europe/Berlin", categories=("shift",))
    table = own.load()
    assert table.source == "table"
    assert table.classes == ("0", "1")
    assert [(feature.name, feature.kind) for feature in table.features] == [("heat", "number"), ("shift", "category")]
    assert table.rows["row_id"].to_pylist() == [1, 2, 0, 3]
    assert table.rows["shift"].to_pylist() == ["2", "1", "1", "3"]
    assert table.rows["label"].to_pylist() == ["0", "0", "1", None]
    assert table.rows["label_time"].null_count == 1
    assert table.targets().tolist() == [0, 0, 1, -1]
    assert table.domains.to_pylist() == ["a", "a", "b", "c"]
    # half past eleven at night in UTC is the next day in Berlin
    assert [day.isoformat() for day in table.days.to_pylist()] == ["2020-03-02"] * 3 + ["2020-03-03"]
    heat = table.rows["heat"]
    assert heat.type == pa.float32()
    assert heat.null_count == 0
    assert str(heat[0].as_py()) == "nan"


def test_parquet_with_types_of_its_own_reads_alike(tmp_path: Path) -> None:
    csv = written(tmp_path)
    typed = pa_csv.read_csv(csv.path)
    typed = typed.set_column(0, "machine", typed["machine"].dictionary_encode())
    typed = typed.set_column(3, "heat", typed["heat"].cast(pa.float32()))
    pq.write_table(typed, tmp_path / "own.parquet")
    assert replace(csv, path=tmp_path / "own.parquet").load().digest() == csv.load().digest()


def test_wall_clock_times_are_of_the_zone_and_dates_its_midnights(tmp_path: Path) -> None:
    own = replace(written(tmp_path, when=["2020-07-01", "2020-01-01", "2020-01-01", "2020-08-01"]), label_time=None)
    own = replace(own, ignored=("checked",))
    table = replace(own, timezone="America/New_York").load()
    assert table.rows["event_time"][0].as_py().isoformat() == "2020-01-01T05:00:00+00:00"
    assert table.rows["event_time"][2].as_py().isoformat() == "2020-07-01T04:00:00+00:00"
    assert table.days[2].as_py().isoformat() == "2020-07-01"
    assert table.rows["label_time"][2] == table.rows["event_time"][2]
    twice = replace(own, path=written(tmp_path, when=["2020-11-01 01:30:00"] * 4).path, timezone="America/New_York")
    with pytest.raises(BadInput, match="does not exist in the time zone, or exists twice"):
        twice.load()


def test_without_a_domain_there_is_one(tmp_path: Path) -> None:
    table = replace(written(tmp_path), domain=None, ignored=("machine",)).load()
    assert set(table.domains.to_pylist()) == {"all"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"label": "gone"}, "lacks columns"),
        ({"label": "when"}, "two roles"),
        ({"time": "heat", "ignored": ("when",)}, "does not hold times"),
        ({"label": "heat"}, "a number, not a class"),
        ({"features": ("heat", "broken")}, "cannot be an input"),
        ({"ignored": ("heat", "shift")}, "no inputs"),
        ({"timezone": "Mars/Olympus"}, "No such time zone"),
        ({"label_time": None}, "type that cannot be used"),
    ],
)
def test_a_configuration_that_will_not_do_is_refused(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=said):
        replace(written(tmp_path), **changes).load()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"broken": [1, 1, 1, None]}, "fewer than two classes"),
        ({"machine": ["a", "a", None, "b"]}, "Rows without a domain"),
        ({"when": ["2020-03-02", None, "2020-03-02", "2020-03-02"]}, "Rows without a time"),
        ({"heat": [None] * 4}, "has no values"),
        ({"heat": [1.0, float("inf"), 1.0, 1.0]}, "infinity in heat"),
        ({"heat": [1.0, -3e30, None, 1.0]}, "3e.30 in heat"),
        ({"label": [1, 2, 3, 4]}, "names are reserved"),
    ],
)
def test_rows_that_will_not_do_are_refused(changes: dict[str, list[Any]], said: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=said):
        written(tmp_path, **changes).load()


def test_a_column_that_names_rows_is_no_category(tmp_path: Path) -> None:
    many: dict[str, list[Any]] = {name: values * 10 for name, values in ROWS.items()}
    many |= {"machine": ["a"] * 40, "serial": [f"s{row}" for row in range(40)]}
    own = written(tmp_path, **many)
    with pytest.raises(BadInput, match="nearly as many values"):
        own.load()
    assert len(replace(own, ignored=("serial",)).load()) == 40


def test_no_file_and_no_rows_are_said(tmp_path: Path) -> None:
    own = written(tmp_path)
    with pytest.raises(BadInput, match="cannot be read"):
        replace(own, path=tmp_path / "none.csv").load()
    own.path.write_text(own.path.read_text().splitlines()[0] + "\n")
    with pytest.raises(BadInput, match="no rows"):
        own.load()
