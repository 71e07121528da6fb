from __future__ import annotations

import numpy as np
import pyarrow as pa

from monitoring.inspection.live_rows import most_typical, typicality


def test_the_middle_of_numbers_and_the_most_frequent_words_are_typical() -> None:
    rows = pa.table({"n": [1.0, 2.0, 3.0, 4.0, 100.0], "w": ["a", "b", "a", "a", None]})
    assert most_typical(rows, 2).tolist() == [2, 3]
    assert typicality(rows)[4] == typicality(rows).min()


def test_missing_values_are_not_typical() -> None:
    assert typicality(pa.table({"n": [np.nan, 5.0, 5.0]})).tolist() == [0.0, 1.0, 1.0]
    assert typicality(pa.table({"w": pa.nulls(2, pa.string())})).tolist() == [0.0, 0.0]


def test_without_rows_or_inputs_there_is_nothing_to_choose_by() -> None:
    assert most_typical(pa.table({"n": pa.array([], pa.float64())}), 3).tolist() == []
    assert typicality(pa.table({})).tolist() == []
