"""Rows are wanted by id, by hash, or by the value of a column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.erasure.wanted_rows import ColumnValue, WantedRows, group_bounds
from monitoring.errors import BadInput
from monitoring.traffic.erased_ids import ErasedIds


def cells(values: list[object], kind: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, kind)])


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        (cells(["a", "b", None]), "b", [False, True, False]),
        (cells([b"a", b"b"]), "b", [False, True]),
        (cells([[b"a"], [b"a", b"b"], []]), "b", [False, True, False]),
        (cells([1, 2, None]), "2", [False, True, False]),
        (cells([0.1, 0.2], pa.float32()), "0.1", [True, False]),
        (cells([1, 2]), "two", [False, False]),
        (cells([1, 2], pa.int8()), "1000", [False, False]),
        (cells([True, False]), "true", [True, False]),
        (cells(["a", "b"]).dictionary_encode(), "a", [True, False]),
        (cells([[["a"]], [["b"]]]), "a", [False, False]),
    ],
)
def test_cells_have_a_value_as_text_bytes_or_number(column: pa.ChunkedArray, value: str, expected: list[bool]) -> None:
    assert ColumnValue(column="c", value=value).matches(column).tolist() == expected


def test_a_column_goes_by_its_own_name_or_as_an_input_or_output() -> None:
    where = ColumnValue.of("email=a=b")
    assert where == ColumnValue(column="email", value="a=b")
    assert where.column_in(["input:email", "output:email"]) == "input:email"
    assert where.column_in(["output:email"]) == "output:email"
    assert where.column_in(["input:email", "email"]) == "email"
    assert where.column_in(["mail"]) is None


@pytest.mark.parametrize("text", ["email", "=x", "email=", ""])
def test_anything_but_a_column_and_a_value_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(BadInput, match="COLUMN=VALUE"):
        ColumnValue.of(text)


def test_ids_are_wanted_by_themselves_or_by_their_hashes() -> None:
    key = b"k" * 32
    pending = ErasedIds(key=key, hashes=frozenset(ErasedIds(key=key).hashed(["b:0"])))
    wanted = WantedRows(ids=("a:0",), pending=pending)
    assert wanted.of_ids(pa.array(["a:0", "b:0", "c:0", None])).tolist() == [True, True, False, False]
    rows = pa.table({"request_id": ["a", "b", "b"], "row": [0, 0, 1]})
    assert wanted.of_rows(rows).tolist() == [True, True, False]


def part(path: Path) -> pq.ParquetFile:
    """Four row groups, whose request ids ascend."""
    names = [f"r{number:03}" for number in range(40)]
    table = pa.table({"request_id": names, "row": np.zeros(40, np.int32), "email": [[one.encode()] for one in names]})
    pq.write_table(table, path, row_group_size=10)
    return pq.ParquetFile(path)


def test_row_groups_that_cannot_have_an_id_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[list[int]] = []
    with part(tmp_path / "p.parquet") as file:
        whole = pq.ParquetFile.read_row_groups

        def read_row_groups(self: pq.ParquetFile, groups: list[int], **options: object) -> pa.Table:
            read.append(groups)
            return whole(self, groups, **options)

        monkeypatch.setattr(pq.ParquetFile, "read_row_groups", read_row_groups)
        assert WantedRows(ids=("r011:0", "r012:1", "r035:0")).count(file) == 2
        assert WantedRows(ids=("q:0", "z:0")).count(file) == 0
        assert WantedRows(ids=()).count(file) == 0
        pending = ErasedIds(key=b"k" * 32, hashes=frozenset({"0"}))
        assert WantedRows(ids=(), pending=pending).count(file) == 0
    assert read == [[1, 3], [0, 1, 2, 3]]


def test_the_bounds_of_a_list_column_are_those_of_its_elements(tmp_path: Path) -> None:
    with part(tmp_path / "p.parquet") as file:
        assert group_bounds(file, 1, "email") == (b"r010", b"r019")
        assert group_bounds(file, 1, "request_id") == ("r010", "r019")
        assert group_bounds(file, 1, "mail") is None
