"""Rows without dates are cut into drawn windows: each row once, groups together, the same at every reading."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.undated import FEWEST_ROWS, FEWEST_WINDOWS, MOST_WINDOWS, in_drawn_order, rows_per_window

TIME = pa.timestamp("us", tz="UTC")


def rows(count: int) -> pa.Table:
    return pa.table(
        {
            "prediction_id": [str(place) for place in range(count)],
            "event_time": pa.array([7] * count, pa.int64()).cast(TIME),
            "label": ["a" if place % 3 else None for place in range(count)],
            "label_time": pa.array([9] * count, pa.int64()).cast(TIME),
        }
    )


@given(st.integers(0, 1_000_000), st.one_of(st.none(), st.integers(1, 100_000)))
def test_windows_are_neither_too_few_nor_too_many(count: int, live: int | None) -> None:
    size = rows_per_window(count, live)
    assert size >= FEWEST_ROWS
    if count >= FEWEST_ROWS * FEWEST_WINDOWS:
        assert FEWEST_WINDOWS <= count // size <= MOST_WINDOWS
    if live is not None and live >= FEWEST_ROWS and FEWEST_WINDOWS <= count // live <= MOST_WINDOWS:
        assert size == live


def test_every_row_is_drawn_once_and_labels_are_known_at_once() -> None:
    drawn = in_drawn_order(rows(50))
    assert sorted(map(int, drawn["prediction_id"].to_pylist())) == list(range(50))
    assert drawn["prediction_id"].to_pylist() != rows(50)["prediction_id"].to_pylist()
    assert drawn["event_time"].cast(pa.int64()).to_pylist() == list(range(50))
    assert drawn["label_time"].is_null().to_pylist() == drawn["label"].is_null().to_pylist()
    assert drawn.equals(in_drawn_order(rows(50)))


def test_rows_of_a_group_stay_together_and_rows_without_one_are_alone() -> None:
    groups = [None if place % 10 == 0 else f"g{place % 7}" for place in range(70)]
    order = [int(word) for word in in_drawn_order(rows(70), pa.array(groups))["prediction_id"].to_pylist()]
    drawn = [groups[place] for place in order]
    changes = 1 + int(np.sum([a != b or a is None for a, b in pairwise(drawn)]))
    assert sorted(order) == list(range(70))
    assert changes <= 7 + 2 * groups.count(None)
    assert all(drawn[drawn.index(name) : drawn.index(name) + drawn.count(name)] == [name] * drawn.count(name)
               for name in set(drawn) - {None})  # fmt: skip
