"""A Parquet file holds the table that was written last, whole."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.traffic.format.parquet_file import ROWS_PER_GROUP, parquet_bytes, write_parquet


@pytest.mark.parametrize("durable", [True, False])
def test_a_table_comes_back_with_its_metadata_and_replaces_the_one_before(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "a.parquet"
    for metadata in ({b"pitfalls.model": b"a"}, {b"pitfalls.model": b"b"}):
        table = pa.table({"x": [1, None], "y": ["a", "b"]}).replace_schema_metadata(metadata)
        write_parquet(path, table, durable=durable)
        read = pq.read_table(path)
        assert read.equals(table, check_metadata=True)
    assert [each.name for each in tmp_path.iterdir()] == ["a.parquet"]


def test_many_rows_are_in_groups_that_can_be_read_one_by_one(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", pa.table({"x": range(ROWS_PER_GROUP + 1)}))
    with pq.ParquetFile(tmp_path / "a.parquet") as file:
        assert [file.metadata.row_group(place).num_rows for place in range(2)] == [ROWS_PER_GROUP, 1]


def test_a_table_that_parquet_cannot_hold_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_parquet(path, pa.table({"x": [1]}))
    union = pa.UnionArray.from_dense(pa.array([0], pa.int8()), pa.array([0], pa.int32()), [pa.array([1])])
    with pytest.raises(pa.ArrowNotImplementedError):
        write_parquet(path, pa.table({"x": union}))
    assert pq.read_table(path).to_pydict() == {"x": [1]}
    assert [each.name for each in tmp_path.iterdir()] == ["a.parquet"]


def test_a_disk_that_fails_is_an_os_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_parquet(tmp_path / "a.parquet", pa.table({"x": [1]}))
    assert list(tmp_path.iterdir()) == []


def test_the_bytes_alone_are_those_of_the_file(tmp_path: Path) -> None:
    table = pa.table({"x": range(10)}).replace_schema_metadata({"own": "metadata"})
    write_parquet(tmp_path / "a.parquet", table)
    assert parquet_bytes(table) == (tmp_path / "a.parquet").read_bytes()
