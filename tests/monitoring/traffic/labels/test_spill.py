"""Labels on disk are read by their places and in order of their time as if they were in memory."""

from __future__ import annotations

import tempfile
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import CannotRun
from monitoring.traffic.labels import spill
from monitoring.traffic.labels.spill import LabelsInOrder, StoredRows

SCHEMA = pa.schema([("prediction_id", pa.string()), ("label_time", pa.timestamp("us", "UTC"))])
PARTS = st.lists(st.lists(st.integers(0, 9), max_size=9), max_size=6)


def labels(hours: list[int], first: int) -> pa.Table:
    ids = [str(first + place) for place in range(len(hours))]
    return pa.table([pa.array(ids, pa.string()), pa.array(hours, pa.int64()).cast(SCHEMA.types[1])], SCHEMA)


def in_parts(parts: list[list[int]]) -> list[pa.Table]:
    firsts = np.cumsum([0, *map(len, parts)]).tolist()
    return [labels(part, first) for part, first in zip(parts, firsts[:-1], strict=True)]


@given(PARTS, st.integers(1, 5))
def test_labels_are_in_order_of_time_and_of_one_time_as_they_came(parts: list[list[int]], at_once: int) -> None:
    with patch.object(spill, "AT_ONCE", at_once):
        in_order = LabelsInOrder(SCHEMA)
        for part in in_parts(parts):
            in_order.add(part)
        found = [row["prediction_id"] for some in in_order for row in some.to_pylist()]
        assert all(some.num_rows <= at_once for some in in_order)
    hours = [hour for part in parts for hour in part]
    assert found == [str(place) for place in sorted(range(len(hours)), key=hours.__getitem__)]


@given(PARTS, st.integers(1, 5), st.data())
def test_rows_are_read_by_their_places(parts: list[list[int]], at_once: int, data: st.DataObject) -> None:
    with patch.object(spill, "AT_ONCE", at_once):
        stored = StoredRows(SCHEMA)
        for part in in_parts(parts):
            stored.append(part)
        whole = pa.concat_tables([SCHEMA.empty_table(), *in_parts(parts)])
        places = data.draw(st.lists(st.integers(0, whole.num_rows - 1))) if whole.num_rows else []
        assert stored.take(np.array(places, np.int64)).equals(whole.take(pa.array(places, pa.int64())))
        assert pa.concat_tables(stored).equals(whole)


def test_without_room_for_temporary_files_one_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "AT_ONCE", 2)
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with pytest.raises(CannotRun, match="cannot be put in order"):
        StoredRows(SCHEMA).append(labels([1, 2], 0))
