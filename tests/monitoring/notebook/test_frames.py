"""Frames in memory as Parquet files: every column, every cell, and ids that stay with their rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.notebook.frames import stored

FIRST = pd.Timestamp("2013-04-01T00:00:00Z")


def written(source: Any, folder: Path) -> pa.Table:
    return pq.read_table(stored(source, folder / "made" / "frame.parquet", event_time="ts", ids="id"))


def frame(minutes: list[int]) -> pd.DataFrame:
    times = [FIRST + pd.Timedelta(minutes=minute) for minute in minutes]
    return pd.DataFrame({"ts": pd.Series(times, dtype="datetime64[ns, UTC]"), "x": range(len(minutes))})


def test_a_path_is_the_table_itself_and_nothing_is_written(tmp_path: Path) -> None:
    place = tmp_path / "made" / "frame.parquet"
    assert stored("rows/*.csv", place, event_time="ts", ids="id") == Path("rows/*.csv")
    assert not place.parent.exists()


@pytest.mark.parametrize("kind", ["pandas", "table", "batch"])
def test_every_kind_of_frame_has_the_same_rows(tmp_path: Path, kind: str) -> None:
    rows = frame([0, 1, 1])
    table = pa.Table.from_pandas(rows, preserve_index=False)
    found = written({"pandas": rows, "table": table, "batch": table.to_batches()[0]}[kind], tmp_path)
    first = FIRST.value // 1000
    assert found["x"].to_pylist() == [0, 1, 2]
    assert found["id"].to_pylist() == [f"{first}:0", f"{first + 60_000_000}:0", f"{first + 60_000_000}:1"]


def test_ids_that_are_there_are_kept(tmp_path: Path) -> None:
    assert written(frame([0, 1]).assign(id=["a", "b"]), tmp_path)["id"].to_pylist() == ["a", "b"]


def test_a_frame_without_event_times_gets_no_ids(tmp_path: Path) -> None:
    assert written(pd.DataFrame({"x": [1.0]}), tmp_path).column_names == ["x"]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.lists(st.integers(0, 5), max_size=5))
def test_ids_differ_and_stay_when_the_frame_grows(
    tmp_path_factory: pytest.TempPathFactory, minutes: list[int], more: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("frames")
    before = written(frame(minutes), folder)["id"].to_pylist()
    after = written(frame(minutes + more), folder)["id"].to_pylist()
    assert len(set(after)) == len(after)
    assert after[: len(before)] == before


def test_cells_of_several_types_become_text_and_missing_ones_stay_missing(tmp_path: Path) -> None:
    rows = frame([0, 1, 2]).assign(mixed=pd.Series(["a", 1, None], dtype=object))
    assert written(rows, tmp_path)["mixed"].to_pylist() == ["a", "1", None]


@pytest.mark.parametrize("source", [[{"ts": 1}], {"ts": [1]}, None, 7])
def test_what_is_no_table_is_refused_with_its_type(tmp_path: Path, source: Any) -> None:
    with pytest.raises(BadInput, match="Not a table") as caught:
        written(source, tmp_path)
    assert type(source).__name__ in caught.value.got
    assert not (tmp_path / "made").exists()
