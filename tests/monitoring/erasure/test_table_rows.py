"""Tables lose their wanted rows, and no other byte."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.erasure.table_rows import check_table, table_change
from monitoring.erasure.wanted_rows import ColumnValue, WantedRows
from monitoring.errors import BadInput
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.tf_prediction_log.prediction_log import export_log
from tests.monitoring.erasure.small_log import write_log

BY_ID = WantedRows(ids=("a:0", "b:1"))
BY_VALUE = WantedRows(ids=("a:0",), where=ColumnValue(column="email", value="bob@example.org"))
CSV = '\ufeffprediction_id,email\r\na:0,"ada, or\nso"\r\na:1,bob@example.org\r\nb:1,  cyd \r\nc:0,x'


def erase(path: Path, wanted: WantedRows) -> tuple[int, int] | None:
    """Rows before and removed; None without any."""
    change = table_change(path, wanted)
    if change is None:
        return None
    change.apply()
    return change.erased.rows, change.erased.removed


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_the_other_lines_of_a_csv_file_stay_byte_for_byte(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    data = CSV.encode() + b"\xff"
    path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert erase(path, BY_ID) == (4, 2)
    after = path.read_bytes()
    left = gzip.decompress(after) if name.endswith("gz") else after
    assert left == "\ufeffprediction_id,email\r\na:1,bob@example.org\r\nc:0,x".encode() + b"\xff"
    assert erase(path, BY_ID) is None


def test_rows_go_by_a_columns_value_too(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(CSV, "utf-8")
    assert erase(path, BY_VALUE) == (4, 2)
    path.write_text("email\tn\nbob@example.org\t1\nx\t2\n", "utf-8")
    assert erase(path.rename(tmp_path / "t.tsv"), BY_VALUE) == (2, 1)


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(
        '{"prediction_id": "a:0"}\n\n{"email":"bob@example.org"}\n{"prediction_id":"z","email":7}\n', "utf-8"
    )
    assert erase(path, BY_VALUE) == (4, 2)
    assert path.read_text("utf-8") == '\n{"prediction_id":"z","email":7}\n'


def test_a_table_whose_ids_have_another_name_is_found_by_it(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": ["a:0", "a:1", "b:1"], "n": [1, 2, 3]}), path)
    with pytest.raises(BadInput, match="a column prediction_id"):
        check_table(path, BY_ID)
    check_table(path, BY_ID, "id")
    change = table_change(path, BY_ID, "id")
    assert change is not None
    change.apply()
    assert pq.read_table(path)["id"].to_pylist() == ["a:1"]


def test_a_parquet_file_keeps_its_schema_groups_and_compression(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table = pa.table(
        {"prediction_id": ["a:0", "a:1", "b:1", None], "email": [[b"x"], [b"bob@example.org"], [b"y"], None]}
    )
    table = table.replace_schema_metadata({"own": "metadata"})
    pq.write_table(table, path, row_group_size=2, compression="snappy")
    schema = pq.read_schema(path)
    assert erase(path, BY_ID) == (4, 2)
    with pq.ParquetFile(path) as file:
        assert file.schema_arrow.equals(schema, check_metadata=True)
        assert [file.metadata.row_group(group).num_rows for group in range(2)] == [1, 1]
        assert file.metadata.row_group(0).column(0).compression == "SNAPPY"
        assert file.read()["prediction_id"].to_pylist() == ["a:1", None]
    assert erase(path, BY_VALUE) == (2, 1)


@pytest.mark.parametrize(
    ("name", "text", "got"),
    [
        ("t.csv", "id,mail\n1,x\n", "id, mail"),
        ("t.html", "<table>", "ends in .html"),
        ("t.jsonl", "[1]\n", "not an object"),
        ("t.jsonl", "{\n", "cannot be read"),
        ("t.parquet", "PAR1 but no more", "cannot be read"),
    ],
)
def test_other_files_are_refused_beforehand(tmp_path: Path, name: str, text: str, got: str) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with pytest.raises(BadInput, match=got):
        check_table(path, BY_VALUE)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        check_table(tmp_path / "t.csv", BY_ID)
    with pytest.raises(BadInput, match="a folder"):
        check_table(tmp_path, BY_ID)


def test_an_empty_table_is_one_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("", "utf-8")
    check_table(path, BY_ID)
    assert erase(path, BY_ID) is None


def test_a_report_and_the_rows_of_a_baseline_are_refused_with_what_to_do(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    report.write_text("<html>", "utf-8")
    with pytest.raises(BadInput, match="pitfalls monitor report"):
        check_table(report, BY_VALUE)
    pq.write_table(pa.table({"email": ["x"]}), tmp_path / "reference.parquet")
    check_table(tmp_path / "reference.parquet", BY_VALUE)
    (tmp_path / "baseline.json").write_text("{}", "utf-8")
    with pytest.raises(BadInput, match=r"the rows of a baseline.*anew from a reference without the rows"):
        check_table(tmp_path / "reference.parquet", BY_VALUE)


def test_rows_of_a_prediction_log_go_by_id_and_by_the_value_of_an_input(
    tmp_path: Path, answer: Callable[..., AnsweredRows]
) -> None:
    write_log(tmp_path / "log", answer)
    path = tmp_path / "log.tfrecord"
    with path.open("wb") as file:
        export_log(tmp_path / "log", file)
    wanted = WantedRows(ids=("r0:0",), where=ColumnValue(column="email", value="bob@example.org"))
    check_table(path, wanted)
    assert erase(path, wanted) == (12, 5)
    assert b"bob@example.org" not in path.read_bytes()
    assert erase(path, WantedRows(ids=(), where=ColumnValue(column="customer", value="nobody"))) is None
