"""Tensors by name: their types, their rows, and when they can be concatenated."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from serving.models.named_tensors import concatenate, have_rows, shared_rows, types_of

Tensors = dict[str, np.ndarray[Any, Any]]


@st.composite
def parts(draw: st.DrawFn) -> list[Tensors]:
    """One to four parts of equal types; within a part all tensors have the same rows."""
    types = draw(
        st.dictionaries(
            st.sampled_from("abc"),
            st.tuples(st.sampled_from(["float32", "int64", "bool"]), st_numpy.array_shapes(min_dims=0, max_dims=2)),
            min_size=1,
        )
    )
    counts = draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    return [
        {name: draw(st_numpy.arrays(dtype, (count, *inner))) for name, (dtype, inner) in types.items()}
        for count in counts
    ]


@given(parts())
def test_concatenated_parts_can_be_told_apart_again(parts: list[Tensors]) -> None:
    whole = concatenate(parts)
    assert whole is not None
    rows = [shared_rows(one) for one in parts]
    assert shared_rows(whole) == sum(one or 0 for one in rows)
    assert types_of(whole) == types_of(parts[0])
    begin = 0
    for part, count in zip(parts, rows, strict=True):
        end = begin + (count or 0)
        for name, value in part.items():
            np.testing.assert_array_equal(whole[name][begin:end], value)
        begin = end


def test_parts_of_other_types_are_not_concatenated() -> None:
    one: Tensors = {"x": np.zeros((1, 2), np.float32)}
    others: list[Tensors] = [
        {"x": np.zeros((1, 3), np.float32)},
        {"x": np.zeros((1, 2), np.float64)},
        {"y": np.zeros((1, 2), np.float32)},
        {"x": np.zeros((1, 2), np.float32), "y": np.zeros(1)},
    ]
    for other in others:
        assert concatenate([one, other]) is None


def test_a_single_part_is_itself() -> None:
    one = {"x": np.zeros(3)}
    assert concatenate([one]) is one


def test_rows_are_shared_only_if_every_tensor_has_them() -> None:
    assert shared_rows({"x": np.zeros((3, 2)), "y": np.zeros(3)}) == 3
    assert shared_rows({"x": np.zeros((3, 2)), "y": np.zeros(2)}) is None
    assert shared_rows({"x": np.zeros(3), "y": np.zeros(())}) is None
    assert shared_rows({}) is None


def test_every_tensor_of_every_group_must_have_the_rows() -> None:
    three, scalar = {"x": np.zeros((3, 2))}, {"y": np.zeros(())}
    assert have_rows(3, three, three)
    assert not have_rows(2, three)
    assert not have_rows(3, three, scalar)
    assert not have_rows(3, three, {})
