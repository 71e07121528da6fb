"""Keys of rows by what they hold."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from monitoring.traffic.row_keys import row_keys

CELLS = st.lists(st.tuples(st.none() | st.integers(-9, 9), st.none() | st.sampled_from(["a", "b", ""])), max_size=20)


def keys(**columns: object) -> list[int]:
    table = pa.table(columns)
    return row_keys(table, np.zeros((table.num_rows, 1))).tolist()


@given(CELLS)
def test_equal_rows_have_equal_keys_and_others_others(cells: list[tuple[int | None, str | None]]) -> None:
    found = keys(
        x=pa.array([number for number, _ in cells], pa.int64()), c=pa.array([word for _, word in cells], pa.string())
    )
    assert len(set(zip(cells, found, strict=True))) == len(set(cells)) == len(set(found))


def test_a_key_is_the_same_whatever_types_the_cells_have() -> None:
    words = pa.array(["a", None, "b"])
    first = keys(x=pa.array([1, 2, None]), c=words)
    assert keys(c=words.dictionary_encode(), x=pa.array([1.0, 2.0, float("nan")])) == first
    assert keys(x=pa.array([Decimal("1.00"), Decimal("2.00"), None]), c=words.cast(pa.large_string())) == first
    assert keys(x=pa.array([1.0, 2.0, None], pa.float32()), c=words) == first
    assert keys(x=pa.array([0.0])) == keys(x=pa.array([-0.0]))


def test_answers_count_by_their_place() -> None:
    features = pa.table({"x": [1.0, 1.0]})
    one, other = row_keys(features, np.array([[0.25, 0.75], [0.75, 0.25]])).tolist()
    assert one != other
