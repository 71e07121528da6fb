from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.predictions import Predictions
from monitoring.judging.window.windowing import assign_rows, split_by_label_arrival, split_by_window
from monitoring.tasks.task import NO_LABEL
from monitoring.timestamps import as_datetime, as_microseconds, duration_microseconds
from monitoring.traffic.windows import CalendarPlan, RowPlan, Window, WindowPlan

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY = 86_400_000_000
START = datetime(2013, 4, 1, tzinfo=UTC)
ZERO = as_microseconds(START)
NEW_YORK = CalendarPlan(every="1d", timezone="America/New_York")
DAILY = CalendarPlan(every="1d")
OFFSETS = st.lists(st.integers(0, 40 * DAY), max_size=60)


def at(offsets: Iterable[int]) -> np.ndarray:
    return np.array([ZERO + offset for offset in offsets], dtype=np.int64)


def labelled(times: list[int], arrivals: list[int | None]) -> Predictions:
    return Predictions(
        ids=pa.array([str(number) for number in range(len(times))], pa.string()),
        event_times=at(times),
        features=pa.table({}),
        probabilities=np.zeros((len(times), 2)),
        labels=np.array([NO_LABEL if one is None else 0 for one in arrivals], dtype=np.int64),
        label_times=at([one or 0 for one in arrivals]),
    )


@given(OFFSETS)
def test_each_row_is_in_the_one_window_that_holds_it(offsets: list[int]) -> None:
    times = at(offsets)
    positions = []
    for window, rows in split_by_window(times, NEW_YORK):
        assert all(as_datetime(times[row]) in window for row in rows)
        positions += rows.tolist()
    assert sorted(positions) == list(range(times.size))


@given(OFFSETS)
def test_windows_come_in_order_and_without_a_hole_between_rows_that_are_close(offsets: list[int]) -> None:
    windows = [window for window, _ in split_by_window(at(offsets), DAILY)]
    assert all(before.end == after.start for before, after in itertools.pairwise(windows))


def test_windows_of_a_gap_longer_than_the_longest_are_left_out() -> None:
    hourly = CalendarPlan(every="1h")
    far = 2 * duration_microseconds(hourly.longest_gap)
    found = list(split_by_window(at([0, far, far + 1]), hourly))
    assert [rows.tolist() for _, rows in found] == [[0], [1, 2]]


@given(OFFSETS, st.integers(1, 7))
def test_windows_of_so_many_rows_hold_as_many_and_rows_left_over_are_in_none(offsets: list[int], rows: int) -> None:
    times = at(offsets)
    sizes = [positions.size for _, positions in split_by_window(times, RowPlan(rows=rows))]
    assert all(size >= rows for size in sizes)
    assert times.size - sum(sizes) < rows + max((offsets.count(one) for one in offsets), default=0)


@given(OFFSETS, st.permutations(range(5)))
def test_rows_are_assigned_to_windows_whatever_the_order_of_the_windows(offsets: list[int], order: list[int]) -> None:
    windows = [Window(start=START + timedelta(days=day), end=START + timedelta(days=day + 1)) for day in order]
    times = at(offsets)
    for window, positions in assign_rows(times, windows):
        inside = [row for row, time in enumerate(times.tolist()) if as_datetime(time) in window]
        assert sorted(positions.tolist()) == inside


def test_the_end_of_a_window_belongs_to_the_next() -> None:
    found = {window.start.day: rows.tolist() for window, rows in split_by_window(at([DAY - 1, DAY, DAY + 1]), DAILY)}
    assert found == {1: [0], 2: [1, 2]}


def test_labels_are_split_by_their_own_times_and_rows_without_one_are_in_no_window() -> None:
    rows = labelled([0, 1, 2, 3], [5, None, 2 * DAY, DAY + 1])
    found = [(window.start.day, positions.tolist()) for window, positions in split_by_label_arrival(rows, DAILY)]
    assert found == [(1, [0]), (2, [3]), (3, [2])]


def test_labels_fall_into_the_windows_of_the_answered_rows_where_those_are_of_so_many_rows() -> None:
    rows = labelled([0, 10, 20, 30], [1, 11, 11, 500])
    found = [positions.tolist() for _, positions in split_by_label_arrival(rows, RowPlan(rows=2))]
    assert found == [[0], [1, 2]]


@pytest.mark.parametrize("plan", [DAILY, RowPlan(rows=3)])
def test_no_rows_have_no_windows(plan: WindowPlan) -> None:
    assert list(split_by_window(at([]), plan)) == []
