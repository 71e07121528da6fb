"""The files of a table are found by path, folder and pattern, and read piece by piece."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.tables.files import is_table, pattern_below, pieces_of
from monitoring.traffic.tables.pieces import ParquetPiece, TextPiece, unreadable_file
from monitoring.traffic.tables.raw_rows import RawRows
from tests.monitoring.traffic.tables.table_files import parquet, rows_at

ROWS = pa.table({"a": [1, 2, 3], "b": ["x", "y", "z"]})


def text(path: Path, content: str = "a,b\n1,x\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def names(place: Path | str) -> list[str]:
    return [piece.name for piece in pieces_of(place)]


def test_a_folder_holds_all_tables_below_it_by_name(tmp_path: Path) -> None:
    for name in ("b.csv", "a.tsv", "sub/c.csv", "readme.md", ".hidden.csv", "_tmp/d.csv", "sub/.e.csv"):
        text(tmp_path / name)
    assert names(tmp_path) == ["a.tsv", "b.csv", "sub/c.csv"]


def test_a_pattern_picks_files_and_names_them_from_its_fixed_part(tmp_path: Path) -> None:
    for name in ("x/1.csv", "x/2.csv", "y/1.csv"):
        text(tmp_path / name)
    assert names(tmp_path / "x" / "*.csv") == ["1.csv", "2.csv"]
    assert names(tmp_path / "*" / "1.csv") == ["x/1.csv", "y/1.csv"]
    assert names(tmp_path / "**") == ["x/1.csv", "x/2.csv", "y/1.csv"]


def test_a_file_is_named_by_its_last_part(tmp_path: Path) -> None:
    assert names(text(tmp_path / "deep" / "a.csv")) == ["a.csv"]


@pytest.mark.parametrize("place", ["absent.csv", "absent", "*.csv", "empty"])
def test_a_place_without_a_table_is_bad_input(tmp_path: Path, place: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="There is no such table") as raised:
        pieces_of(tmp_path / place)
    assert place in raised.value.got


def test_a_file_of_another_kind_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Not a table"):
        pieces_of(text(tmp_path / "a.docx"))


def test_a_file_of_no_bytes_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    assert pieces_of(tmp_path) == ()
    (tmp_path / "b.parquet").touch()  # which is none: one of Parquet without rows has its columns
    with pytest.raises(CannotRun, match="Parquet file size is 0 bytes"):
        pieces_of(tmp_path)


def test_a_parquet_file_has_a_piece_for_each_row_group(tmp_path: Path) -> None:
    pieces = parquet(tmp_path, ROWS, rows=2)
    assert [(piece.name, piece.first_row) for piece in pieces] == [("0.parquet", 0), ("0.parquet", 2)]
    assert [piece.read(["b"]).table.to_pydict() for piece in pieces] == [{"b": ["x", "y"]}, {"b": ["z"]}]
    assert pieces[1].read().table.to_pydict() == {"a": [3], "b": ["z"]}


def test_a_text_file_is_one_piece_of_text(tmp_path: Path) -> None:
    (piece,) = pieces_of(text(tmp_path / "a.csv", "a,b,a\n1,,3\n4\n"))
    found = piece.read(["a", "absent"])
    assert isinstance(piece, TextPiece)
    assert (found.text, found.malformed, found.duplicates) == (True, 1, ("a",))
    assert found.table.to_pydict() == {"a": [b"1"]}
    assert piece.read().table.to_pydict() == {"a": [b"1"], "b": [None]}


def test_a_text_file_of_which_no_line_fits_is_bad_input(tmp_path: Path) -> None:
    (piece,) = pieces_of(text(tmp_path / "a.csv", "report of May\na,b\n1,2\n"))
    with pytest.raises(BadInput, match=r"No line of a\.csv") as raised:
        piece.read()
    assert "2 lines" in raised.value.got
    assert "Leave out what stands before" in raised.value.fix


def test_other_kinds_beside_tables_are_no_part_of_a_folder(tmp_path: Path) -> None:
    text(tmp_path / "a.jsonl", '{"a": 1}\n')
    assert names(tmp_path) == ["a.jsonl"]
    text(tmp_path / "b.csv")
    assert names(tmp_path) == ["b.csv"]


def test_an_unbalanced_quote_is_the_fix_that_is_named(tmp_path: Path) -> None:
    lost = 'a,b\n"1,2\n' + "3,4\n" * 200
    (piece,) = pieces_of(text(tmp_path / "a.csv", lost))
    with pytest.raises(BadInput, match="Balance the quotes"):
        piece.read()


@pytest.mark.parametrize("content", [b"PAR1", b"not parquet", b"PAR1" + b"\0" * 64 + b"PAR1"])
def test_a_damaged_parquet_file_stops_the_run_and_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(CannotRun, match=r"a\.parquet"):
        pieces_of(tmp_path)


def test_a_file_that_disappears_before_it_is_read_stops_the_run(tmp_path: Path) -> None:
    (piece,) = parquet(tmp_path, ROWS)
    (tmp_path / "0.parquet").unlink()
    with pytest.raises(CannotRun):
        piece.read()
    (piece,) = pieces_of(text(tmp_path / "a.csv"))
    (tmp_path / "a.csv").unlink()
    with pytest.raises(CannotRun):
        piece.read()


def test_bytes_that_are_overwritten_in_a_parquet_file_stop_the_run(tmp_path: Path) -> None:
    (piece,) = parquet(tmp_path, ROWS)
    path = tmp_path / "0.parquet"
    content = bytearray(path.read_bytes())
    content[4:60] = b"\xff" * 56
    path.write_bytes(content)
    with pytest.raises(CannotRun, match="cannot be read"):
        piece.read()


def test_the_first_column_of_a_name_counts_and_the_others_are_reported() -> None:
    table = pa.Table.from_arrays([pa.array([n]) for n in range(5)], names=["a", "b", "a", "c", "a"])
    found = RawRows.of(table)
    assert found.table.to_pydict() == {"a": [0], "b": [1], "c": [3]}
    assert found.duplicates == ("a",)
    assert RawRows.of(table, ["c"]).table.column_names == ["c"]
    assert list(found.columns()) == ["a", "b", "c"]


def test_a_log_is_no_table_and_a_folder_of_files_is(tmp_path: Path) -> None:
    text(tmp_path / "tables" / "a.csv")
    text(tmp_path / "log" / "a.csv")
    (tmp_path / "log" / "model=m").mkdir()
    (tmp_path / "other").mkdir()
    assert is_table(tmp_path / "tables")
    assert is_table(tmp_path / "tables" / "a.csv")
    assert not is_table(tmp_path / "log")
    assert not is_table(tmp_path / "other")


@pytest.mark.parametrize(
    ("place", "table"),
    [
        ("absent.parquet", True),
        ("absent", False),
        ("x/*.csv", True),
        ("https://host/a.csv", True),
        ("b.tfrecord", True),
    ],
)
def test_a_place_that_is_not_there_is_a_table_by_its_name(tmp_path: Path, place: str, table: bool) -> None:
    assert is_table(place if "://" in place else tmp_path / place) is table


def test_the_pattern_below_a_folder_is_of_the_first_kind_that_is_found(tmp_path: Path) -> None:
    assert pattern_below(tmp_path) is None
    text(tmp_path / ".cache" / "a.csv")
    text(tmp_path / "notes.txt")
    assert pattern_below(tmp_path) is None
    text(tmp_path / "2024" / "a.csv")
    pattern = pattern_below(tmp_path)
    assert pattern == f"{tmp_path}/**/*.csv"
    assert names(pattern) == ["2024/a.csv"]


def test_an_unreadable_file_says_its_path_and_the_first_line_of_the_reason() -> None:
    error = unreadable_file(Path("a.csv"), "bad magic\nmore")
    assert error.got == "a.csv: bad magic"
    assert unreadable_file(Path("a.csv"), "").got == "a.csv: no reason given"


def test_pieces_are_equal_when_they_mean_the_same_rows(tmp_path: Path) -> None:
    assert parquet(tmp_path, rows_at([1, 2])) == pieces_of(tmp_path)
    assert ParquetPiece(name="a", path=tmp_path, group=0, first_row=0) != ParquetPiece(
        name="a", path=tmp_path, group=1, first_row=0
    )
