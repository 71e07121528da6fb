from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.window_speed import DAY, FIRST, rows_of


def test_a_day_has_32_columns_of_inputs_and_outcomes_within_its_times() -> None:
    table = rows_of(500, 3)
    assert table.num_columns == 33
    times = table["ts"].cast(pa.int64()).to_numpy()
    assert (times >= FIRST + 3 * DAY).all()
    assert (times < FIRST + 4 * DAY).all()
    assert table["f0"].null_count == 0
    assert pc.count_distinct(table["s0"]).as_py() == 10


def test_the_same_day_and_seed_are_the_same_rows() -> None:
    assert rows_of(50, 3).equals(rows_of(50, 3))
    assert not rows_of(50, 3).equals(rows_of(50, 3, seed=1))
