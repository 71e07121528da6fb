"""Objects of one shape are read in bulk as they are read one by one; others are left to the slow reader."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.models.signatures import ELEMENT_TYPES_BY_NAME, TensorSpec
from serving.rest.decoding import decode
from serving.rest.instances import read_regular_objects

LEAVES = {
    "float": st.integers(-(2**40), 2**40) | st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
    "string": st.text(max_size=3),
}


def specs(elements: dict[str, str]) -> dict[str, TensorSpec]:
    return {
        name: TensorSpec(name=name, graph_name="", element=ELEMENT_TYPES_BY_NAME[element], shape=(-1,))
        for name, element in elements.items()
    }


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """The element type of each input, and rows that have a value or a pair of values for each."""
    elements = draw(st.dictionaries(st.sampled_from("abcd"), st.sampled_from(list(LEAVES)), min_size=1))
    values = {
        name: draw(st.sampled_from([LEAVES[element], st.lists(LEAVES[element], min_size=2, max_size=2)]))
        for name, element in elements.items()
    }
    rows = draw(st.lists(st.fixed_dictionaries(values), min_size=1, max_size=5))
    return elements, rows


@given(tables())
def test_every_column_is_what_its_values_are_by_themselves(table: tuple[dict[str, str], list[dict[str, Any]]]) -> None:
    elements, rows = table
    known = specs(elements)
    found = read_regular_objects(rows, known)
    assert found is not None
    assert list(found) == list(known)
    for name, spec in known.items():
        expected = decode([row[name] for row in rows], spec)
        assert (found[name].dtype, found[name].shape) == (expected.dtype, expected.shape)
        np.testing.assert_array_equal(found[name], expected)


@pytest.mark.parametrize(
    "rows",
    [
        [{"a": 1, "b": 2}, {"a": 1}],
        [{"a": 1, "b": 2}, {"a": 1, "c": 2}],
        [{"a": 1, "b": 2, "c": 3}],
        [{"a": 1, "b": 2}, [1, 2]],
        [{"a": 1, "b": 2}, {"a": 1, "b": "x"}],
        [{"a": 1, "b": 2}, {"a": 1, "b": True}],
        [{"a": 1, "b": 2}, {"a": 1, "b": [2]}],
        [{"a": [1, 2], "b": 2}, {"a": [1], "b": 2}],
        [{"a": 1, "b": 10**400}],
        [{"a": None, "b": 1}],
    ],
    ids=range(10),
)
def test_other_rows_are_left_to_the_slow_reader(rows: list[Any]) -> None:
    assert read_regular_objects(rows, specs({"a": "float", "b": "float"})) is None
