"""Facts are of whole windows: no cut of their rows into row groups and files changes what is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.records import Finding
from monitoring.sentences.finding_text import finding_text
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.table import Table
from monitoring.traffic.windows import Window
from tests.monitoring.traffic.tables.table_files import COLUMNS, at, rows_at

WINDOW = Window(start=at(0), end=at(100))


def found(folder: Path, columns: TableColumns = COLUMNS) -> tuple[tuple[Finding, ...], tuple[tuple[str, str], ...]]:
    scan = Table.of(pieces_of(folder), columns).window(WINDOW)
    for _ in scan.parts():
        pass
    return scan.findings(), scan.sums.input_problems()


@pytest.mark.parametrize("group", [1, 5, 20])
def test_answers_that_are_gone_from_some_rows_are_no_fact_in_any_row_groups(tmp_path: Path, group: int) -> None:
    rows = rows_at([*range(20)])
    answers = np.asarray(rows["p"], dtype=np.float64).copy()
    answers[-5:] = np.nan
    pq.write_table(rows.set_column(1, "p", pa.array(answers)), tmp_path / "a.parquet", row_group_size=group)
    findings, _ = found(tmp_path)
    assert [(one.kind, one.fact) for one in findings] == [("unusable answers", False)]
    assert finding_text(findings[0]).startswith("5 of 20 rows")


@pytest.mark.parametrize("group", [1, 20])
def test_answers_that_are_gone_from_every_row_are_a_fact(tmp_path: Path, group: int) -> None:
    rows = rows_at([*range(20)]).set_column(1, "p", pa.array([None] * 20, pa.float64()))
    pq.write_table(rows, tmp_path / "a.parquet", row_group_size=group)
    findings, _ = found(tmp_path)
    assert [(one.kind, one.fact) for one in findings] == [("no answers", True), ("unusable answers", False)]
    assert "in none of 20 rows" in finding_text(findings[0])


@pytest.mark.parametrize("name", ["p", "city", "age"])
def test_a_column_that_one_of_two_files_lacks_is_no_fact(tmp_path: Path, name: str) -> None:
    pq.write_table(rows_at([*range(4)]), tmp_path / "a.parquet")
    pq.write_table(rows_at([*range(4, 8)]).drop_columns([name]), tmp_path / "b.parquet")
    findings, problems = found(tmp_path)
    assert problems == ()
    gone = next(one for one in findings if one.kind == "column gone")
    assert (gone.feature, gone.fact) == (name, False)
    assert finding_text(gone) == f"The column {name} is absent in 4 of 8 rows."
    (tmp_path / "a.parquet").unlink()
    findings, problems = found(tmp_path)
    assert problems == (() if name == "p" else ((name, "absent"),))
    assert [one.fact for one in findings if one.kind == "column gone"] == ([True] if name == "p" else [])


def test_text_in_place_of_numbers_is_decided_on_the_window_whatever_the_files(tmp_path: Path) -> None:
    lines = ["2024-01-01,0.5,x,a", "2024-01-01,0.5,y,a", "2024-01-01,0.5,3,a"]
    columns = COLUMNS
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder, parts in ((whole, [lines]), (cut, [lines[:2], lines[2:]])):
        folder.mkdir()
        for number, part in enumerate(parts):
            (folder / f"{number}.csv").write_text("\n".join(["ts,p,age,city", *part]) + "\n")
    both = [scan_of(folder, columns) for folder in (whole, cut)]
    assert both[0] == both[1]
    assert [one.kind for one in both[0][0]] == ["not a number"]
    assert both[0][1] == ()
    (cut / "1.csv").unlink()
    assert scan_of(cut, columns)[1] == (("age", "type changed to text"),)


def scan_of(folder: Path, columns: TableColumns) -> tuple[tuple[Finding, ...], tuple[tuple[str, str], ...]]:
    table = Table.of(pieces_of(folder), columns)
    scan = table.window(Window(start=at(-100), end=at(100)))
    assert sum(len(part.batch) for part in scan.parts()) == sum(extent.rows for extent in table.extents)
    return scan.findings(), scan.sums.input_problems()
