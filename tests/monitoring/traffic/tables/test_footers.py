"""Footers are read once for as long as a file stays, whatever takes its name, and say what the files say."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput
from monitoring.traffic.file_limits import check_parquet
from monitoring.traffic.tables import footers
from monitoring.traffic.tables.footers import FOOTERS, Footer, Footers, GroupTimes
from monitoring.traffic.tables.parquet_files import parquet_metadata

UTC_US = pa.timestamp("us", "UTC")


def untidy(rows: int, first: int = 0) -> pa.Table:
    """Cells of many types, with gaps, out of order in time."""
    us = np.random.default_rng(rows).permutation(rows) + first
    return pa.table(
        {
            "ts": pa.array(us, type=UTC_US),
            "ns": pa.array(us * 1_000, type=pa.timestamp("ns")),
            "city": pa.array([None if row % 3 == 0 else "Delft" for row in range(rows)]).dictionary_encode(),
            "note": pa.array(["é"] * rows, type=pa.large_string()),
            "amount": pa.array([row / 3 for row in range(rows)], type=pa.float32()),
            "list": pa.array([[row] for row in range(rows)]),
        },
        metadata={"pandas": '{"index_columns": ["ts"]}', "pitfalls.remark": "sheet 1 of 2"},
    )


class Counted:
    """Reads footers, and says how often."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, path: Path | str) -> pq.FileMetaData:
        self.read.append(Path(path).name)
        return parquet_metadata(path)


def test_a_footer_says_what_the_file_says(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(untidy(10, first=5), path, row_group_size=4)
    footer = Footer.of(parquet_metadata(path))
    with pq.ParquetFile(path) as file:
        assert footer.schema.equals(file.schema_arrow, check_metadata=True)
    assert (footer.group_rows, footer.remark) == ((4, 4, 2), "sheet 1 of 2")
    us = pq.read_table(path)["ts"].cast(pa.int64()).to_numpy()
    for group, rows in enumerate((slice(0, 4), slice(4, 8), slice(8, 10))):
        expected = GroupTimes(first=us[rows].min(), last=us[rows].max(), rows=us[rows].size, naive=False)
        assert FOOTERS.times(path, group, "ts", UTC_US) == expected
        naive = FOOTERS.times(path, group, "ns", pa.timestamp("us"))
        assert naive == GroupTimes(first=us[rows].min(), last=us[rows].max(), rows=us[rows].size, naive=True)
    assert FOOTERS.times(path, 0, "absent", UTC_US) is None
    assert FOOTERS.times(path, 3, "ts", UTC_US) is None


def test_a_footer_is_read_once_and_anew_where_another_file_has_the_name(tmp_path: Path) -> None:
    path, read = tmp_path / "a.parquet", Counted()
    kept = Footers(read)
    pq.write_table(untidy(10), path, compression="none")
    status = path.stat()
    assert [kept.of(path).group_rows for _ in range(3)] == [(10,)] * 3
    assert [kept.times(path, 0, "ts", UTC_US) for _ in range(3)] == [
        GroupTimes(first=0, last=9, rows=10, naive=False)
    ] * 3
    assert read.read == ["a.parquet"] * 2
    pq.write_table(
        untidy(10, first=7), tmp_path / "b.parquet", compression="none"
    )  # of the same size, with the same time of change
    os.utime(tmp_path / "b.parquet", ns=(status.st_atime_ns, status.st_mtime_ns))
    (tmp_path / "b.parquet").replace(path)
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert kept.times(path, 0, "ts", UTC_US) == GroupTimes(first=7, last=16, rows=10, naive=False)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        kept.of(path)


def test_footers_beyond_the_limit_are_dropped_those_first_that_were_asked_for_the_longest_ago(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Counted()
    kept = Footers(read)
    for name in "abc":
        pq.write_table(untidy(3), tmp_path / name)
    monkeypatch.setattr(footers, "KEPT_COLUMNS", 2 * (6 + 2))
    for name in "ababcab":
        assert kept.of(tmp_path / name).group_rows == (3,)
    assert read.read == [*"abcab"]
    monkeypatch.setattr(footers, "KEPT_COLUMNS", 1)
    assert kept.of(tmp_path / "c").group_rows == kept.of(tmp_path / "c").group_rows == (3,)
    assert read.read == [*"abcabc"]


def test_a_file_of_too_many_rows_for_its_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.parquet"
    pq.write_table(pa.table({"a": pa.nulls(20_000_000, pa.int8())}), path)
    for _ in range(2):
        with pytest.raises(BadInput, match="is not read"):
            FOOTERS.of(path)
    with pytest.raises(BadInput, match="is not read"):
        check_parquet(path)
