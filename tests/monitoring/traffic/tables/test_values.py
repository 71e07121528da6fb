"""Cells as numbers, text and class names, whatever their type."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from monitoring.timestamps import EPOCH
from monitoring.traffic.tables.values import as_strings, class_names, parse_numbers


@given(st.lists(st.none() | st.floats() | st.integers(-(10**15), 10**15), max_size=20))
def test_numbers_are_the_same_as_text(values: list[float | None]) -> None:
    texts = [None if value is None else repr(value) for value in values]
    found, bad, problem = parse_numbers(pa.array(texts, pa.string()), text=True)
    expected = [math.nan if value is None else float(value) for value in values]
    np.testing.assert_array_equal(np.asarray(found), np.array(expected, dtype=np.float64))
    assert (bad, problem) == (0, "")


def test_cells_that_are_no_numbers_are_counted_and_a_column_of_them_is_another_type() -> None:
    found, bad, problem = parse_numbers(pa.array(["1", " 2.5 ", "n/a", "twelve", None, "-inf", "1e3"]), text=True)
    np.testing.assert_array_equal(np.asarray(found), [1, 2.5, np.nan, np.nan, np.nan, -np.inf, 1000])
    assert (bad, problem) == (1, "")
    assert parse_numbers(pa.array(["a", "b"]), text=True)[1:] == (2, "type changed to text")
    assert parse_numbers(pa.array([EPOCH]), text=False)[2].startswith("type changed to timestamp")


@given(st.lists(st.none() | st.binary(max_size=8), max_size=10))
def test_bytes_are_words_whatever_they_are(cells: list[bytes | None]) -> None:
    found = as_strings(pa.array(cells, pa.binary())).to_pylist()
    assert found == [None if cell is None else cell.decode("utf-8", "replace") for cell in cells]


def test_labels_are_words_of_one_spelling() -> None:
    assert class_names(pa.array([1.0, None, 0.0])).to_pylist() == ["1", None, "0"]
    assert class_names(pa.array([True, False])).to_pylist() == ["true", "false"]
    assert class_names(pa.array(["True", " late ", "", "2.0", "2.5"])).to_pylist() == ["true", "late", None, "2", "2.5"]
