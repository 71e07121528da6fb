"""Lists of numbers as text are read as the numbers they were, or as no label at all."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.tasks.label_codes import has_label
from monitoring.tasks.number_codes import list_items, list_lengths, number_list_codes, number_list_texts, number_lists

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1, max_size=20))
def test_numbers_survive_as_json_and_as_own_text(rows: list[list[float]]) -> None:
    values = np.array(rows)
    for texts in ([json.dumps(row) for row in rows], number_list_texts(values)):
        found = number_lists(number_list_codes(pa.chunked_array([texts]), 3))
        np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("text", ["[1, 2]", "1,2", "1 2", "1; 2", " 1|2 ", "(1.0, 2e0)", "[1.  2.]"])
def test_lists_are_read_however_people_write_them(text: str) -> None:
    assert number_lists(number_list_codes(pa.chunked_array([[text]]), 2)).tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize("text", [None, "", "[]", "[1]", "[1,2,3]", "[1,null]", "[1,NaN]", "[1,Infinity]", "[1,dear]"])
def test_anything_else_is_no_label(text: str | None) -> None:
    codes = number_list_codes(pa.chunked_array([[text, "[1,2]"]], pa.string()), 2)
    assert has_label(codes).tolist() == [False, True]


def test_lengths_and_items_are_those_of_the_text() -> None:
    texts = pa.chunked_array([["[1, a]", "2"]])
    assert list_lengths(texts).tolist() == [2, 1]
    assert list_items(texts).to_pylist() == ["1", "a", "2"]


def test_what_is_not_finite_has_no_text() -> None:
    assert number_list_texts(np.array([[np.inf, 1.0], [0.1, -0.0]])) == [None, "[0.1,-0.0]"]
