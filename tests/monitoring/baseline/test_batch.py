"""Batches of rows: cut, joined and selected without changing a row."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline import batch as module
from monitoring.baseline.batch import Batch, final, in_batches, joined
from monitoring.baseline.predictions import Predictions, predictions_from
from tests.monitoring.baseline.reference_tables import SPEC, reference

WHOLE = predictions_from(reference(23), SPEC)


def as_predictions(batch: Batch) -> Predictions:
    return batch.take(np.arange(len(batch)))


@pytest.mark.parametrize("rows", [1, 5, 23, 100])
def test_batches_joined_are_the_whole(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", rows)
    batches = tuple(in_batches(WHOLE))
    assert [len(batch) for batch in batches[:-1]] == [rows] * (len(batches) - 1)
    assert sum(map(len, batches)) == len(WHOLE)
    assert np.isnan(np.asarray(WHOLE.features["x"])).any(), "missing values compare by place"
    whole = as_predictions(Batch.joined(batches))
    assert whole.features["c"].to_pylist() == WHOLE.features["c"].to_pylist()
    np.testing.assert_array_equal(np.asarray(whole.features["x"]), np.asarray(WHOLE.features["x"]))
    assert whole.ids.equals(WHOLE.ids)


@given(st.lists(st.integers(0, 22), max_size=30))
def test_selected_rows_are_those_taken(places: list[int]) -> None:
    indices = np.array(places, dtype=np.int64)
    batch = Batch.of(WHOLE)
    selected, taken = as_predictions(batch.select(indices)), batch.take(indices)
    assert selected.ids.equals(taken.ids)
    assert selected.features["c"].to_pylist() == taken.features["c"].to_pylist()
    assert selected.labels.tolist() == WHOLE.labels[indices].tolist()


def test_a_selection_of_a_selection_is_of_its_own_rows() -> None:
    part = Batch.of(WHOLE).select(np.array([3, 7, 9]))
    assert part.select(np.array([2, 0])).ids(np.array([0, 1])).to_pylist() == [
        WHOLE.ids[9].as_py(),
        WHOLE.ids[3].as_py(),
    ]


def test_one_batch_joined_is_itself() -> None:
    batch = Batch.of(WHOLE)
    assert Batch.joined((batch,)) is batch
    assert joined([WHOLE]) is WHOLE


@given(st.lists(st.integers(0, 23), max_size=4))
def test_predictions_joined_are_the_whole(cuts: list[int]) -> None:
    ends = [0, *sorted(cuts), len(WHOLE)]
    parts = [WHOLE.take(np.arange(first, last)) for first, last in pairwise(ends)]
    found = joined(part for part in parts)
    assert found.ids.equals(WHOLE.ids)
    assert found.features["c"].to_pylist() == WHOLE.features["c"].to_pylist()
    np.testing.assert_array_equal(found.event_times, WHOLE.event_times)


def test_columns_of_a_file_become_those_of_predictions() -> None:
    columns = pa.table(
        {
            "whole": pa.array([1, None], pa.int16()),
            "single": pa.array([1.5, None], pa.float32()),
            "coded": pa.array(["p", None]).dictionary_encode(),
            "plain": pa.array(["q", None]),
        }
    )
    found = final(columns)
    assert found.schema.types == [pa.float64(), pa.float64(), pa.string(), pa.string()]
    assert np.isnan(np.asarray(found["whole"])[1])
    assert found["coded"].to_pylist() == ["p", None]
