from __future__ import annotations

import gc
import weakref

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.predictions import Predictions
from monitoring.judging.window.pending_rows import PendingRows
from monitoring.tasks.task import NO_LABEL

#: A label for one row: the row's number and the class index.
LABELS = st.tuples(st.integers(0, 9), st.integers(0, 1))


def rows_of(labels: list[int]) -> Predictions:
    count = len(labels)
    return Predictions(
        ids=pa.array([str(number) for number in range(count)], pa.string()),
        event_times=np.arange(count, dtype=np.int64),
        features=pa.table({"x": np.arange(count, dtype=np.float64)}),
        probabilities=np.full((count, 2), 0.5),
        labels=np.array(labels, dtype=np.int64),
        label_times=np.zeros(count, dtype=np.int64),
    )


def pending(labels: list[int]) -> PendingRows:
    return PendingRows(rows_of(labels), start=0, newest=9)


def positions(rows: PendingRows, numbers: list[int]) -> np.ndarray:
    ids = rows.ids.to_pylist()
    return np.array([ids.index(str(number)) for number in numbers], dtype=np.int64)


@given(
    st.lists(st.sampled_from([NO_LABEL, NO_LABEL, 0, 1]), min_size=10, max_size=10),
    st.lists(st.lists(LABELS, max_size=8)),
)
def test_each_row_gets_its_first_label_and_of_one_window_the_last(
    inline: list[int], windows: list[list[tuple[int, int]]]
) -> None:
    rows = pending(inline)
    truth = dict(enumerate(inline))
    for window, labels in enumerate(windows):
        numbers, codes = [number for number, _ in labels], np.array([code for _, code in labels], dtype=np.int64)
        at, times = positions(rows, numbers), np.full(len(labels), 100 + window)
        expected = sum(truth[number] not in (NO_LABEL, code) for number, code in labels)
        assert rows.conflicts(at, codes) == expected
        given_now = {number: code for number, code in labels if truth[number] == NO_LABEL}
        found = rows.consume(at, codes, times)
        assert dict(zip(map(int, found.ids.to_pylist()), found.labels.tolist(), strict=True)) == given_now
        assert found.features["x"].to_pylist() == [float(id_) for id_ in found.ids.to_pylist()]
        assert set(found.label_times.tolist()) <= {100 + window}
        truth |= given_now
    assert sorted(rows.ids.to_pylist()) == sorted(str(number) for number in range(10))


def test_labelled_rows_are_dropped_once_they_are_half_and_their_ids_stay() -> None:
    source = rows_of([NO_LABEL] * 4)
    kept = weakref.ref(source.features)
    rows = PendingRows(source, start=7, newest=3)
    del source
    rows.consume(positions(rows, [2]), np.array([1]), np.array([5]))
    gc.collect()
    assert kept() is not None
    rows.consume(positions(rows, [0]), np.array([0]), np.array([6]))
    gc.collect()
    assert kept() is None
    assert (len(rows), rows.start, rows.newest) == (4, 7, 3)
    assert rows.conflicts(positions(rows, [0, 2, 1]), np.array([1, 1, 1])) == 1


def test_rows_with_inline_labels_only_never_keep_their_inputs() -> None:
    source = rows_of([0, 1, 0])
    kept = weakref.ref(source.features)
    rows = PendingRows(source, start=0, newest=2)
    del source
    gc.collect()
    assert kept() is None
    assert rows.conflicts(np.array([0, 1, 2]), np.array([1, 1, 1])) == 2
    assert len(rows.consume(np.array([0]), np.array([1]), np.array([9]))) == 0


def test_a_window_without_rows_waits_for_nothing() -> None:
    rows = pending([])
    assert len(rows) == 0
    assert len(rows.consume(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))) == 0
