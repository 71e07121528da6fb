"""Columns become arrays of numbers and byte strings; what is missing keeps its place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from serving.export.inputs.feature_columns import MISSING_CATEGORY, columns_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@given(st.lists(st.floats(width=32) | st.none()), st.lists(TEXT | st.none()))
def test_values_come_back_and_nulls_are_nan_and_the_empty_string(
    numbers: list[float | None], texts: list[str | None]
) -> None:
    table = pa.table({"x": pa.array(numbers, pa.float32())})
    found = columns_of(table, {"x": "number"})["x"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.array([np.nan if one is None else one for one in numbers], np.float32))
    categories = columns_of(pa.table({"c": pa.array(texts, pa.string())}), {"c": "category"})["c"]
    assert categories.tolist() == [(MISSING_CATEGORY if one is None else one).encode() for one in texts]


@pytest.mark.parametrize(
    "column", [[1, None], [True, None], pa.array([1, None], pa.uint8()), pa.array([1.0, None], pa.float16())], ids=str
)
def test_any_kind_of_number_is_a_float(column: Any) -> None:
    found = columns_of(pa.table({"x": column}), {"x": "number"})["x"]
    np.testing.assert_array_equal(found, np.array([1.0, np.nan], np.float32))


def test_a_dictionary_is_text_and_only_what_is_asked_for_is_converted() -> None:
    table = pa.table({"c": pa.array(["a", None]).dictionary_encode(), "other": [object.__name__] * 2})
    assert {name: one.tolist() for name, one in columns_of(table, {"c": "category"}).items()} == {"c": [b"a", b""]}


def test_missing_columns_and_text_for_numbers_are_named() -> None:
    table = pa.table({"temp": ["warm"]})
    with pytest.raises(BadInput, match=r"Got no column wind, gust; expected the columns temp, wind, gust"):
        columns_of(table, {"temp": "category", "wind": "number", "gust": "number"})
    with pytest.raises(BadInput, match=r"Input temp of the model is a number\. Got a column of string"):
        columns_of(table, {"temp": "number"})
