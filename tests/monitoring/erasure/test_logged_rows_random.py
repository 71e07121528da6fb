"""Whatever rows a log has, and in whichever files: an erasure takes those that are wanted, and no other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.erasure.logged_rows import ids_where, part_changes
from monitoring.erasure.wanted_rows import ColumnValue, WantedRows
from monitoring.timestamps import as_microseconds
from monitoring.traffic.erased_ids import ErasedIds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter

NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)
DAY_US = 86_400_000_000
NAMES = ("ada", "bob", "é", "", "zoë")
rows_of_a_log = st.lists(
    st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 3), st.integers(-2, 9)), min_size=1, max_size=5),
    min_size=1,
    max_size=6,
)


def write(root: Path, requests: list[list[tuple[str, int, int]]], segment_bytes: int) -> None:
    """Each request's rows: a name, the day of the event, a number."""
    writer = TrafficWriter(root, clock=lambda: NOON, segment_bytes=segment_bytes)
    for place, rows in enumerate(requests):
        count = len(rows)
        days = np.array([day for _, day, _ in rows], np.int64)
        writer.append(
            AnsweredRows(
                model="m/1",
                version=place % 2,
                signature="s",
                request_ids=[f"r{place}"] * count,
                rows=np.arange(count, dtype=np.int32),
                event_times_us=as_microseconds(NOON) + days * DAY_US,
                answered_at_us=0,
                latencies_us=np.zeros(count, np.int64),
                inputs={
                    "name": np.array([name.encode() for name, _, _ in rows], dtype=object),
                    "number": np.array([number for _, _, number in rows], np.float32),
                },
                outputs={"y": np.zeros((count, 2), np.float32)},
            )
        )
    writer.close()


def found_in(root: Path) -> dict[str, tuple[str, float]]:
    """Name and number of each row, by its id."""
    table = TrafficLog(root).read(model="m/1")
    if not table.num_rows:
        return {}
    names, numbers = table["input:name"].to_pylist(), table["input:number"].to_pylist()
    cells = zip(table["prediction_id"].to_pylist(), names, numbers, strict=True)
    return {one: (name[0].decode(), number[0]) for one, name, number in cells}


@settings(max_examples=10, deadline=None)
@given(requests=rows_of_a_log, name=st.sampled_from(NAMES[:3]), number=st.integers(-2, 9), small=st.booleans())
def test_wanted_rows_go_and_no_other(
    tmp_path_factory: pytest.TempPathFactory,
    requests: list[list[tuple[str, int, int]]],
    name: str,
    number: int,
    small: bool,
) -> None:
    root = tmp_path_factory.mktemp("log")
    write(root, requests, 2_000 if small else 1 << 20)
    before = found_in(root)
    by_name = ids_where(root, ColumnValue(column="name", value=name))
    assert set(by_name) == {one for one, cells in before.items() if cells[0] == name}
    by_number = ids_where(root, ColumnValue(column="number", value=str(number)))
    assert set(by_number) == {one for one, cells in before.items() if cells[1] == number}
    erased = ErasedIds(key=b"0" * 32)
    pending = replace(erased, hashes=frozenset(erased.hashed(list(by_number))))
    for change in part_changes(root, WantedRows(ids=by_name, pending=pending)):
        change.apply()
    gone = {*by_name, *by_number}
    assert found_in(root) == {one: cells for one, cells in before.items() if one not in gone}
    assert not list(part_changes(root, WantedRows(ids=tuple(sorted(gone)))))
    positions = [pq.read_table(path)["position"].to_pylist() for path in root.rglob("*.parquet")]
    assert all(one == sorted(one) for one in positions)


def test_row_groups_whose_bounds_exclude_a_value_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, [[("ada", 0, 1)], [("bob", 1, 1)], [("cyd", 2, 2)], [("dan", 3, 2)]], 1 << 20)
    read: list[list[int]] = []
    whole = pq.ParquetFile.read_row_groups

    def read_row_groups(self: pq.ParquetFile, groups: list[int], **options: object) -> pa.Table:
        read.append(groups)
        return whole(self, groups, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", read_row_groups)
    assert ids_where(tmp_path, ColumnValue(column="name", value="cyd")) == ("r2:0",)
    assert len(read) == 1
    assert ids_where(tmp_path, ColumnValue(column="row", value="1")) == ()
    assert len(read) == 1
    assert ids_where(tmp_path, ColumnValue(column="request_id", value="r3")) == ("r3:0",)
    assert len(read) == 2
