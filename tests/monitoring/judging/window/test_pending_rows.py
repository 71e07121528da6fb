from __future__ import annotations

import gc
import weakref
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.predictions import Predictions
from monitoring.judging.window.pending_rows import PendingRows
from monitoring.tasks.label_codes import label_digests
from monitoring.tasks.task import NO_LABEL
from monitoring.traffic.id_keys import id_keys

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
    return np.array([rows.keys.tolist().index(key) for key in keys(numbers)], dtype=np.int64)


def keys(numbers: Iterable[int]) -> list[int]:
    found: list[int] = id_keys(pa.array([str(number) for number in numbers], pa.string())).tolist()
    return found


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
        given_now = {number: code for number, code in labels if truth[number] == NO_LABEL}
        counted = {**truth, **given_now}
        assert rows.conflicts(at, codes) == sum(counted[number] != code for number, code in labels)
        found = rows.consume(at, codes, times)
        assert dict(zip(map(int, found.ids.to_pylist()), found.labels.tolist(), strict=True)) == given_now
        assert found.features["x"].to_pylist() == [float(id_) for id_ in found.ids.to_pylist()]
        assert set(found.label_times.tolist()) <= {100 + window}
        truth |= given_now
    assert sorted(rows.keys.tolist()) == sorted(keys(range(10)))


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


#: Labels of two parts for ten rows: those of a row never differ, and grow.
PARTS = st.tuples(st.integers(0, 9), st.sampled_from([(True, False), (False, True), (True, True)]))


@given(st.lists(st.lists(PARTS, max_size=8, unique_by=lambda one: one[0])))
def test_each_part_of_a_label_counts_once_when_it_comes_with_those_before(
    windows: list[list[tuple[int, tuple[bool, bool]]]],
) -> None:
    rows = PendingRows(rows_of([NO_LABEL] * 10), start=0, newest=9, in_parts=True)
    known = dict.fromkeys(range(10), (False, False))
    for window, labels in enumerate(windows):
        numbers = [number for number, _ in labels]
        codes = np.array([[10 * n if a else NO_LABEL, n if b else NO_LABEL] for n, (a, b) in labels], dtype=np.int64)
        codes, at = codes.reshape(-1, 2), positions(rows, numbers)
        grown = {n: has for n, has in labels if all(now >= before for now, before in zip(has, known[n], strict=True))}
        assert rows.conflicts(at, codes) == len(labels) - len(grown)
        times = np.full(len(labels), window)
        further, first = rows.extend(at, codes, times), rows.consume(at, codes, times)
        given_now = {}
        for part in (further, first):
            for id_, label in zip(part.ids.to_pylist(), part.labels.tolist(), strict=True):
                given_now[int(id_)] = tuple(code != NO_LABEL for code in label)
        assert given_now == {
            n: tuple(now and not before for now, before in zip(has, known[n], strict=True))
            for n, has in grown.items()
            if has != known[n]
        }
        assert all(any(known[int(id_)]) for id_ in further.ids.to_pylist())
        known |= grown


def test_rows_that_came_with_the_digest_of_some_parts_get_the_others() -> None:
    digests = label_digests(np.array([[5, NO_LABEL], [5, 6], [NO_LABEL, NO_LABEL]]))
    rows = PendingRows(rows_of(digests.tolist()), start=0, newest=9, in_parts=True)
    at, codes = positions(rows, [0, 1, 2]), np.array([[5, 6], [5, 6], [5, 6]])
    assert rows.conflicts(at, codes) == 0
    assert rows.extend(at, codes, np.zeros(3, np.int64)).labels.tolist() == [[NO_LABEL, 6]]
    assert rows.consume(at, codes, np.zeros(3, np.int64)).labels.tolist() == [[5, 6]]
    assert rows.conflicts(at, codes + 1) == 3
