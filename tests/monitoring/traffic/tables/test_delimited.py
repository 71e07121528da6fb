"""Delimited text is read the same whatever its encoding, compression and delimiter; bad lines are counted."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.config.table_section import TableFormat
from monitoring.traffic.tables.delimited import BLOCKS, Delimited, other_delimiter_fix, read_delimited
from monitoring.traffic.tables.table_format import AS_FILES_SHOW

TEXT = "id,city\n1,Zürich\n2,東京\n"
CELLS = {"id": [b"1", b"2"], "city": ["Zürich".encode(), "東京".encode()]}
CELL = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], include_characters='",\n'), max_size=8)


def read(folder: Path, content: bytes, name: str = "a.csv") -> dict[str, list[bytes | None]]:
    (folder / name).write_bytes(content)
    cells: dict[str, list[bytes | None]] = read_delimited(folder / name).table.to_pydict()
    return cells


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_encoding_with_a_mark_gives_the_same_cells(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, TEXT.encode(encoding)) == CELLS


def test_big_endian_utf_16_is_read_by_its_mark(tmp_path: Path) -> None:
    assert read(tmp_path, ("\ufeff" + TEXT).encode("utf-16-be")) == CELLS


def test_bytes_of_another_encoding_are_replaced_and_the_others_kept(tmp_path: Path) -> None:
    assert read(tmp_path, "id,city\n1,Zürich\n".encode("latin-1"))["city"] == ["Z\ufffdrich".encode()]


def test_compressed_text_is_the_text(tmp_path: Path) -> None:
    assert read(tmp_path, gzip.compress(TEXT.encode()), "a.csv.gz") == CELLS


def test_a_compressed_file_that_is_cut_off_is_an_error(tmp_path: Path) -> None:
    with pytest.raises((OSError, EOFError, pa.ArrowException)):
        read(tmp_path, gzip.compress(TEXT.encode())[:-10], "a.csv.gz")


def test_an_absent_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_delimited(tmp_path / "a.csv")


def parsed(folder: Path, content: bytes, form: TableFormat = AS_FILES_SHOW) -> Delimited:
    (folder / "a.csv").write_bytes(content)
    return read_delimited(folder / "a.csv", form)


@pytest.mark.parametrize("mark", [b";", b"\t", b"|"])
def test_a_separator_and_decimal_commas_are_guessed_with_a_remark(tmp_path: Path, mark: bytes) -> None:
    content = b"id;p;note\n1;0,5;a, b\n2;1.234,25;c\n3;;d\n".replace(b";", mark)
    found = parsed(tmp_path, content)
    assert found.table.to_pydict() == {
        "id": [b"1", b"2", b"3"],
        "p": [b"0.5", b"1234.25", None],
        "note": [b"a, b", b"c", b"d"],
    }
    assert found.guessed == TableFormat(separator=mark.decode(), decimal=",")  # type: ignore[arg-type]
    assert [remark.partition(" ")[0] for remark in found.remarks] == ["Fields", "Decimals"]


def test_what_is_said_of_a_file_is_not_guessed_and_not_remarked(tmp_path: Path) -> None:
    content = b"id;p\n1;0,5\n2;x\n"
    said = parsed(tmp_path, content, TableFormat(separator=";", decimal=","))
    assert (said.table["p"].to_pylist(), said.remarks) == ([b"0.5", b"x"], ())
    assert parsed(tmp_path, content).table["p"].to_pylist() == [b"0,5", b"x"]  # not every cell is a number
    plain = parsed(tmp_path, content, TableFormat(decimal="."))
    assert plain.table["p"].to_pylist() == [b"0,5", b"x"]


def test_a_word_for_a_missing_number_is_no_text_among_decimal_commas(tmp_path: Path) -> None:
    found = parsed(tmp_path, b"id;p\n1;0,5\n2;NA\n3;-Inf\n4;NaN\n")
    assert found.table["p"].to_pylist() == [b"0.5", b"NA", b"-Inf", b"NaN"]


def test_numbers_with_points_stay_where_no_cell_has_a_comma(tmp_path: Path) -> None:
    found = parsed(tmp_path, b"id;p\n1;0.125\n2;1.250\n", TableFormat(separator=";", decimal=","))
    assert found.table["p"].to_pylist() == [b"0.125", b"1.250"]


def test_a_file_with_another_separator_than_is_said_is_read_with_a_remark(tmp_path: Path) -> None:
    found = parsed(tmp_path, b"id,p\n1,0.5\n", TableFormat(separator=";", decimal=","))
    assert found.table.to_pydict() == {"id": [b"1"], "p": [b"0.5"]}
    assert found.remarks == ("Fields are separated by commas.",)


def test_commas_in_quotes_or_text_are_no_separators(tmp_path: Path) -> None:
    assert list(read(tmp_path, b'"a;b;c",d\n"1;2;3",4\n')) == ["a;b;c", "d"]
    assert list(read(tmp_path, b"a;b;c,d\n1,2\n")) == ["a;b;c", "d"]
    assert read(tmp_path, b"a\tb\n1,5\tx\n", "a.tsv") == {"a": [b"1.5"], "b": [b"x"]}


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n\n"])
def test_a_file_without_a_line_has_no_columns(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path, content) == {}


def test_a_header_alone_has_columns_and_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path, b"a,b\n") == {"a": [], "b": []}


def test_empty_cells_are_null_and_nothing_else_is(tmp_path: Path) -> None:
    assert read(tmp_path, b'a,b\n,NA\n"",null\n 1 ,nan\n') == {"a": [None, None, b" 1 "], "b": [b"NA", b"null", b"nan"]}


def test_lines_of_another_number_of_fields_are_counted_and_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,2\n3\n4,5,6\n7,8\n")
    found = read_delimited(tmp_path / "a.csv")
    assert (found.malformed, found.table.to_pydict(), found.unbalanced) == (
        2,
        {"a": [b"1", b"7"], "b": [b"2", b"8"]},
        None,
    )


def test_a_line_longer_than_a_block_is_read(tmp_path: Path) -> None:
    long = b"x" * (BLOCKS[0] + 10)
    assert read(tmp_path, b"a,b\n1," + long + b"\n2,y\n") == {"a": [b"1", b"2"], "b": [long, b"y"]}


def test_an_unbalanced_quote_is_reported_with_its_line(tmp_path: Path) -> None:
    lines = [b"a,b", *[b"%d,x" % row for row in range(10)]]
    lines[4] = b'3,"x'
    (tmp_path / "a.csv").write_bytes(b"\n".join(lines) + b"\n")
    found = read_delimited(tmp_path / "a.csv")
    assert found.unbalanced is not None
    assert (found.unbalanced.records, found.unbalanced.first_line) == (1, 5)
    assert found.unbalanced.lines >= 7
    assert found.table.num_rows <= 4


def test_text_of_several_lines_in_quotes_is_one_cell(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'a,b\n1,"one\ntwo\nthree"\n2,"say ""hi"""\n')
    found = read_delimited(tmp_path / "a.csv")
    assert found.table["b"].to_pylist() == [b"one\ntwo\nthree", b'say "hi"']
    assert found.unbalanced is None


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=8), encoding=st.sampled_from(["utf-8", "utf-16"]))
def test_what_python_writes_is_what_is_read(tmp_path: Path, rows: list[tuple[str, str]], encoding: str) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([("a", "b"), *rows])
    found = read(tmp_path, text.getvalue().encode(encoding))
    assert found["a"] == [first.encode() or None for first, _ in rows]
    assert found["b"] == [second.encode() or None for _, second in rows]


@pytest.mark.parametrize(
    ("header", "mark"),
    [(["ts;p;y"], "';'"), (["ts\tp"], r"'\t'"), (["ts|p"], "'|'"), (["ts"], ""), (["ts;p", "y"], ""), ([], "")],
)
def test_another_delimiter_is_named_where_it_made_one_field_of_the_header(header: list[str], mark: str) -> None:
    fix = other_delimiter_fix(header)
    assert (mark in fix) if mark else fix == ""
