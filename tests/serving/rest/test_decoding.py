"""The fast path gives the tensor that the element reader gives, or leaves the value to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.models.signatures import ELEMENT_TYPES_BY_NAME, TensorSpec
from serving.rest.decoding import decode, decode_regular, make_array
from serving.rest.element_reader import read_elements
from serving.status import Code, Failure

NAMES = ["float", "double", "int32", "int8", "int64", "uint32", "uint64", "bool", "string"]
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**65)
    | st.integers(-300, 300)
    | st.floats()
    | st.text(max_size=3)
)
trees = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3), max_leaves=12)


def rectangles(leaf: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    shapes = st.lists(st.integers(1, 3), max_size=3)
    return shapes.flatmap(lambda shape: filled(leaf, shape))


def filled(leaf: st.SearchStrategy[Any], shape: list[int]) -> st.SearchStrategy[Any]:
    for size in reversed(shape):
        leaf = st.lists(leaf, min_size=size, max_size=size)
    return leaf


regular = st.one_of(
    rectangles(st.integers(-300, 300) | st.floats(width=32)),
    rectangles(st.booleans()),
    rectangles(st.integers(0, 2**32 - 1)),
    rectangles(st.text(max_size=3)),
)


def spec(name: str) -> TensorSpec:
    return TensorSpec(name="x", graph_name="x:0", element=ELEMENT_TYPES_BY_NAME[name], shape=None)


@given(value=regular | trees, name=st.sampled_from(NAMES))
def test_the_fast_path_agrees_with_the_element_reader(value: Any, name: str) -> None:
    fast = decode_regular(value, spec(name))
    if fast is None:
        return
    slow = make_array(*read_elements(value, spec(name).element), name)
    assert (fast.dtype, fast.shape) == (slow.dtype, slow.shape)
    np.testing.assert_array_equal(fast, slow)


@given(value=trees, name=st.sampled_from(NAMES))
def test_every_value_is_a_tensor_or_a_wrong_argument(value: Any, name: str) -> None:
    code = kind = None
    try:
        kind = decode(value, spec(name)).dtype
    except Failure as failure:
        code = failure.code
    assert code is Code.INVALID_ARGUMENT or kind == spec(name).element.numpy


def test_numbers_beyond_their_type() -> None:
    assert decode([300, -1], spec("int8")).tolist() == [44, -1], "int32's range, then wrapped round"
    assert decode([1e39, -1e39, 1e-50], spec("float")).tolist() == [np.inf, -np.inf, 0.0]
    with pytest.raises(Failure, match="Number too big"):
        decode([10**400], spec("float"))


def test_scalars_and_empty_lists() -> None:
    assert decode(3, spec("float")).shape == ()
    assert decode([], spec("float")).shape == (0,)
    assert decode([[], []], spec("int64")).shape == (2, 0)


def test_types_that_json_cannot_carry() -> None:
    with pytest.raises(Failure, match="Conversion of JSON Value: 1 to type: half") as caught:
        decode([1], spec("half"))
    assert caught.value.code is Code.UNIMPLEMENTED
