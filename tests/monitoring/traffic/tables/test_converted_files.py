"""JSON Lines and Excel files are read as tables, and what they are not is an error that names the fix."""

from __future__ import annotations

import gzip
import json
import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import openpyxl
import pyarrow as pa
import pytest

from monitoring.config.table_section import TableFormat
from monitoring.errors import BadInput
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.raw_rows import RawRows

if TYPE_CHECKING:
    from pathlib import Path

MOMENT = datetime(2025, 1, 2, 3, 4, 5)  # noqa: DTZ001 - as a sheet has it


def lines(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def workbook(path: Path, **sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def read(path: Path, form: TableFormat | None = None) -> RawRows:
    (piece,) = pieces_of(path, TableFormat() if form is None else form)
    return piece.read()


def test_records_are_rows_and_objects_in_them_are_columns(tmp_path: Path) -> None:
    found = read(
        lines(
            tmp_path / "a.jsonl",
            {"id": "a", "inputs": {"age": 3, "where": {"city": "x"}}, "scores": [0.25, 0.75]},
            {"id": "b", "inputs": {"age": 4.5}, "extra": True},
        )
    )
    assert found.table.to_pydict() == {
        "id": ["a", "b"],
        "inputs.age": [3.0, 4.5],
        "inputs.where.city": ["x", None],
        "scores": [[0.25, 0.75], None],
        "extra": [None, True],
    }


def test_compressed_lines_are_read_and_a_changed_file_is_read_again(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.ndjson.gz", "wt") as file:
        file.write('{"p": 0.5}\n')
    assert read(tmp_path / "a.ndjson.gz").table.to_pydict() == {"p": [0.5]}
    lines(tmp_path / "b.jsonl", {"p": 1})
    assert read(tmp_path / "b.jsonl").table.num_rows == 1
    lines(tmp_path / "b.jsonl", {"p": 1}, {"p": 2})
    assert read(tmp_path / "b.jsonl").table.num_rows == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"a": 1}]', "one array.*jq -c"),
        ('{"a": 1}\n{"a": "x"}\n', "not JSON Lines.*one kind"),
        ('{"a": 1}\nnonsense\n', "not JSON Lines"),
    ],
)
def test_what_is_no_json_lines_is_bad_input(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.jsonl").write_text(content)
    with pytest.raises(BadInput, match=message):
        pieces_of(tmp_path / "a.jsonl")


def test_cells_of_a_sheet_have_the_type_of_their_column(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        [None, None, None, None, None],
        ["id", "when", "p", "late", "note"],
        [1, MOMENT, 1, True, "x"],
        [2, date(2025, 1, 3), 0.5, False, 7],
        [3, None, None, None, None],
    ]
    found = read(workbook(tmp_path / "a.xlsx", Data=rows)).table
    assert found.to_pydict() == {
        "id": [1, 2, 3],
        "when": [MOMENT, datetime(2025, 1, 3), None],  # noqa: DTZ001 - as above
        "p": [1.0, 0.5, None],
        "late": [True, False, None],
        "note": ["x", "7", None],
    }


def test_the_first_of_several_sheets_is_read_with_a_remark_and_another_by_its_name(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Live=[["p"], [0.5]], Notes=[["q"], [1]])
    assert (read(path).table.column_names, read(path).remarks) == (["p"], ("The first of 2 sheets is read: Live.",))
    named = read(path, TableFormat(sheet="Notes"))
    assert (named.table.column_names, named.remarks) == (["q"], ())
    with pytest.raises(BadInput, match=r"'Note' of .*expected Live, Notes"):
        pieces_of(path, TableFormat(sheet="Note"))


@pytest.mark.parametrize("rows", [[], [["p", None, "q"], [1, 2, 3]]])
def test_a_sheet_without_names_is_bad_input(tmp_path: Path, rows: list[list[Any]]) -> None:
    with pytest.raises(BadInput, match="names of its columns"):
        pieces_of(workbook(tmp_path / "a.xlsx", Data=rows))


def test_a_file_that_is_no_workbook_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_text("p\n0.5\n")
    with pytest.raises(BadInput, match="not an Excel workbook"):
        pieces_of(tmp_path / "a.xlsx")


def test_without_openpyxl_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "a.xlsx", Data=[["p"], [0.5]])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(BadInput, match=r"openpyxl.*pitfalls-tf-monitor\[excel\]"):
        pieces_of(path)


def test_times_of_json_are_microseconds(tmp_path: Path) -> None:
    found = read(lines(tmp_path / "a.jsonl", {"ts": "2025-01-02 03:04:05"})).table
    assert found["ts"].to_pylist()[0].replace(tzinfo=UTC) == MOMENT.replace(tzinfo=UTC)


def test_dates_of_json_are_the_text_that_they_are(tmp_path: Path) -> None:
    found = read(lines(tmp_path / "a.jsonl", {"cohort": "2024-03-04"}, {"cohort": None}, {"cohort": "2024-03-05"}))
    assert found.table.to_pydict() == {"cohort": ["2024-03-04", None, "2024-03-05"]}


@pytest.mark.parametrize("content", [b"", b"\n", b" \n\n"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_lines_without_a_record_are_no_rows(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert pieces_of(tmp_path / name) == ()


def test_a_sheets_column_without_a_cell_has_no_type(tmp_path: Path) -> None:
    found = read(workbook(tmp_path / "a.xlsx", rows=[["id", "note"], ["a", None], ["b", None]]))
    assert found.table.schema.field("note").type == pa.null()
