"""A column is the array that an input takes, or it is said why not."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from serving.export.inputs.input_arrays import (
    MISSING_CATEGORY,
    column_problem,
    columns_of,
    groups_of_equal_size,
    to_array,
)
from serving.export.inputs.model_inputs import ModelInput


@pytest.mark.parametrize(
    ("column", "dtype", "shape", "problem"),
    [
        (["a"], "float32", (), "is string, and the model takes float32"),
        ([1], "string", (), "is int64, and the model takes text"),
        ([1.5], "int32", (), "has fractions, and the model takes int32"),
        ([1, None], "int32", (), "has 1 missing values"),
        ([300], "uint8", (), "has values from 300 to 300, and uint8 holds 0 to 255"),
        ([2], "bool", (), "has values from 2 to 2, and bool holds 0 to 1"),
        ([[1.0, 2.0]], "float32", (3,), r"has a list of shape \[2\] a row, and the model takes a list of shape \[3\]"),
        ([[1.0], [1.0, 2.0]], "float32", (2,), "has rows of different sizes"),
        ([[1.0, 2.0], None], "float32", (2,), "has 1 rows without a list"),
        ([1.0], "float32", (2,), "has one value a row"),
        ([[[1.0, 2.0]]], "float32", (2, 3), r"has a list of shape \[1, 2\] a row"),
    ],
)
def test_a_column_that_does_not_fit_says_why(column: Any, dtype: str, shape: tuple[int, ...], problem: str) -> None:
    assert re.match(problem, column_problem(pa.chunked_array([column]), ModelInput(name="x", dtype=dtype, shape=shape)))


@pytest.mark.parametrize(
    ("column", "dtype", "shape"),
    [
        ([2**53, 1], "int64", ()),
        ([1.0, 2.0], "int32", ()),
        ([True, False], "float32", ()),
        ([0, 1], "bool", ()),
        ([[1.0], [2.0]], "float32", ()),
        ([[1, 2, 3, 4]], "float32", (2, 2, 1)),
        ([[[1, 2], [3, 4]]], "float32", (2, 2, 1)),
        ([[[[1], [2]], [[3], [4]]]], "uint8", (-1, -1, 1)),
        ([["a", None]], "string", (2,)),
    ],
)
def test_a_column_that_fits_is_the_array(column: Any, dtype: str, shape: tuple[int, ...]) -> None:
    one = ModelInput(name="x", dtype=dtype, shape=shape)
    made = pa.chunked_array([column])
    assert column_problem(made, one) == ""
    array = to_array(made, one)
    wanted = np.array([[b"a", b""]], object) if dtype == "string" else np.array(column, dtype)
    assert array.reshape(-1).tolist() == wanted.reshape(-1).tolist()
    assert array.dtype == ("object" if dtype == "string" else dtype)


def test_a_missing_number_is_nan_and_a_dictionary_is_text() -> None:
    numbers = to_array(pa.chunked_array([[1, None]]), ModelInput(name="x", dtype="float32", shape=()))
    np.testing.assert_array_equal(numbers, [1, np.nan])
    words = pa.chunked_array([pa.array(["a", None]).dictionary_encode()])
    assert to_array(words, ModelInput(name="x", dtype="string", shape=())).tolist() == [b"a", b""]


def test_rows_of_equal_size_are_grouped_the_largest_group_first() -> None:
    table = pa.table({"a": [[1], [1, 2], [3], [4], [5, 6]], "b": [["x"]] * 4 + [["x", "y"]]})
    inputs = tuple(ModelInput(name=name, dtype=dtype, shape=(-1,)) for name, dtype in (("a", "int64"), ("b", "string")))
    groups = [group.tolist() for group in groups_of_equal_size(table, inputs)]
    assert groups[0] == [0, 2, 3]
    assert sorted(groups[1:]) == [[1], [4]]


def test_inputs_of_fixed_shapes_are_one_group() -> None:
    table = pa.table({"a": [[1], [2]], "b": [1.0, 2.0]})
    inputs = (ModelInput(name="a", dtype="int64", shape=(-1,)), ModelInput(name="b", dtype="float32", shape=()))
    assert [group.tolist() for group in groups_of_equal_size(table, inputs)] == [[0, 1]]


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
