"""Reading element by element: base64, and the first error in TensorFlow Serving's words."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.models.signatures import ELEMENT_TYPES_BY_NAME, TensorSpec
from serving.rest.decoding import decode
from serving.status import Failure


def spec(name: str) -> TensorSpec:
    return TensorSpec(name="x", graph_name="x:0", element=ELEMENT_TYPES_BY_NAME[name], shape=None)


@given(content=st.binary(max_size=20), padded=st.booleans())
def test_base64_is_bytes_with_or_without_padding(content: bytes, padded: bool) -> None:
    text = base64.b64encode(content).decode()
    array = decode([{"b64": text if padded else text.rstrip("=")}, "plain"], spec("string"))
    assert array.tolist() == [content, b"plain"]


@pytest.mark.parametrize(
    ("value", "name", "error"),
    [
        ([[1, 2], [3]], "float", "Encountered list at unexpected size: 1 at level: 1 expected size: 2"),
        ([1, [2]], "float", "Encountered list at unexpected level: 1 expected < 1"),
        ([[1], 2], "float", "JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2"),
        (["x"], "float", 'JSON Value: "x" Type: String is not of expected type: float'),
        ([True], "int32", "JSON Value: true Type: True is not of expected type: int32"),
        ([1], "bool", "JSON Value: 1 Type: Number is not of expected type: bool"),
        ([2**31], "int8", "JSON Value: 2147483648 Type: Number is not of expected type: int8"),
        ([-1], "uint64", "JSON Value: -1 Type: Number is not of expected type: uint64"),
        ([{"b64": "????"}], "string", "Unable to base64 decode"),
        ([{"b64": "a"}], "string", "Unable to base64 decode"),
        ([{"b65": ""}], "string", 'JSON Value: {\n    "b65": ""\n} not formatted correctly for base64 data'),
        ([{"a": 1}], "float", 'JSON Value: {\n    "a": 1\n} Type: Object is not of expected type: float'),
    ],
)
def test_errors_in_the_words_of_the_contract(value: Any, name: str, error: str) -> None:
    with pytest.raises(Failure) as caught:
        decode(value, spec(name))
    assert caught.value.message == error
