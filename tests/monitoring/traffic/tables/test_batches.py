"""Batches have an order of their own, and each the time at which it was first seen, for good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput, CannotRun
from monitoring.timestamps import as_microseconds
from monitoring.traffic.tables.batches import SEEN, SeenBatches, names_of, times_after
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.table_format import BatchKey
from tests.monitoring.traffic.tables.table_files import parquet

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2025, 1, 1, tzinfo=UTC)
NAMES = st.lists(st.text(max_size=3), max_size=8, unique=True)


@given(first=NAMES, more=NAMES, seconds=st.integers(-10, 100))
def test_a_batch_keeps_its_time_and_new_ones_come_after_all_others(
    first: list[str], more: list[str], seconds: int
) -> None:
    before = times_after(first, {}, NOW)
    later = NOW + timedelta(seconds=seconds)
    after = times_after([*first, *(name for name in more if name not in first)], before, later)
    assert before.items() <= after.items()
    order = [*first, *(name for name in more if name not in first)]
    times = [after[name] for name in order]
    assert times == sorted(set(times))
    assert set(after) == {*first, *more}
    assert all(us < as_microseconds(NOW) for us in before.values())  # so that its window is over


def test_batches_of_a_column_are_in_natural_order_and_those_of_files_too(tmp_path: Path) -> None:
    parquet(tmp_path, pa.table({"week": ["w10", "w9", None, "w9"]}))
    assert names_of(pieces_of(tmp_path), BatchKey(column="week")) == ("w9", "w10")
    assert names_of(pieces_of(tmp_path), BatchKey()) == ("0.parquet",)
    with pytest.raises(BadInput, match="no column month"):
        names_of(pieces_of(tmp_path), BatchKey(column="month"))


def test_times_are_kept_in_a_file_and_a_damaged_file_stops_the_run(tmp_path: Path) -> None:
    (tmp_path / "table").mkdir()
    parquet(tmp_path / "table", pa.table({"week": [2, 1]}))
    pieces, key, seen = pieces_of(tmp_path / "table"), BatchKey(column="week"), SeenBatches(tmp_path / "state")
    times = seen.see(pieces, key, NOW)
    assert list(times) == ["1", "2"]
    assert seen.see(pieces, key, NOW + timedelta(days=1)) == times == seen.read()
    for text in ("[]", "{", '{"a": "b"}'):
        (tmp_path / "state" / SEEN).write_text(text)
        with pytest.raises(CannotRun, match="batches"):
            seen.see(pieces, key, NOW)
