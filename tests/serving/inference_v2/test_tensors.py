"""Tensors of every type survive both encodings."""

from __future__ import annotations

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from serving.inference_v2.tensors import ELEMENTS, datatype_of, read_binary, read_json, write_binary, write_json
from serving.models.signatures import numpy_type
from serving.transport.json_parsing import parse

SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
PLAIN = [element for element in ELEMENTS.values() if element not in {"string", "bfloat16"}]


@st.composite
def tensors(draw: st.DrawFn) -> tuple[str, np.ndarray]:
    element = draw(st.sampled_from(PLAIN))
    return element, draw(hnp.arrays(numpy_type(element), SHAPES))


def same(left: np.ndarray, right: np.ndarray) -> bool:
    return (
        left.dtype == right.dtype
        and left.shape == right.shape
        and np.array_equal(left, right, equal_nan=left.dtype.kind == "f")
    )


@given(tensors())
def test_numbers_survive(drawn: tuple[str, np.ndarray]) -> None:
    element, value = drawn
    assert same(read_binary(memoryview(write_binary(value)), value.shape, element, "x"), value)
    written = orjson.dumps(write_json(value, "x"), option=orjson.OPT_SERIALIZE_NUMPY)
    assert same(read_json(parse(written), value.shape, element, "x"), value)


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_strings_survive(values: list[bytes]) -> None:
    strings = np.empty(len(values), object)
    strings[:] = values
    assert read_binary(memoryview(write_binary(strings)), strings.shape, "string", "x").tolist() == values


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_texts_survive(values: list[str]) -> None:
    strings = np.empty(len(values), object)
    strings[:] = [value.encode() for value in values]
    written = orjson.dumps(write_json(strings, "x"))
    assert read_json(parse(written), strings.shape, "string", "x").tolist() == strings.tolist()


@given(st.lists(st.integers(0, 2**16 - 1), max_size=20))
def test_brain_floats_survive(bits: list[int]) -> None:
    value = np.array(bits, np.uint16).view(numpy_type("bfloat16"))
    read = read_binary(memoryview(write_binary(value)), value.shape, "bfloat16", "x")
    assert read.view(np.uint16).tolist() == bits
    written = orjson.dumps(write_json(value, "x"), option=orjson.OPT_SERIALIZE_NUMPY)
    again = read_json(parse(written), value.shape, "bfloat16", "x").astype(np.float32)
    assert np.array_equal(again, value.astype(np.float32), equal_nan=True)


@pytest.mark.parametrize(("datatype", "element"), ELEMENTS.items())
def test_datatypes_have_one_name(datatype: str, element: str) -> None:
    assert datatype_of(element) == datatype
