"""Bodies are JSON, and NaN and Infinity; what is refused says why and where."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.status import Failure, InvalidArgument
from serving.transport.json_parsing import parse, parse_object

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(value=values, indent=st.sampled_from([None, 1]), ascii_only=st.booleans())
def test_what_the_standard_library_writes_is_read(value: Any, indent: int | None, ascii_only: bool) -> None:
    try:
        body = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    except UnicodeEncodeError:
        return  # half a surrogate pair is no text
    assert parse(body) == json.loads(body)


@given(body=st.binary(max_size=40) | st.text('[]{},:"\\u0dNIa1e.-+ ', max_size=30).map(str.encode))
def test_any_bytes_are_read_or_refused_with_a_place(body: bytes) -> None:
    error = " at offset: "
    try:
        parse(body)
    except InvalidArgument as refused:
        error = refused.message
    known = (" at offset: ", "half a surrogate pair", "JSON Parse error: The document is empty")
    assert any(text in error for text in known)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"instances = [1]", 0),
        (b"[1,]", 2),
        (b'"abc', 4),
        (b"[1e400]", 1),
        (b"[1] and more", 4),
        (b'{"instances": [NaN, 1e400]}', 15),
        (b'{"instances": [' + b"1," * (3 << 20) + b"]}", 14 + 2 * (3 << 20)),
        (b'[1, {"a": ' * 100_000, 5121),
        (b"[NaN" + b"[" * 100_000 + b"]" * 100_000, 1),
    ],
)
def test_what_is_no_json_is_refused_at_its_place(body: bytes, place: int) -> None:
    with pytest.raises(Failure, match=r"JSON Parse error: Invalid value\. ") as caught:
        parse(body)
    assert caught.value.message.endswith(f" at offset: {place}")


def test_more_brackets_than_any_tensor_has_are_as_many_as_it_might_have() -> None:
    value, depth = parse(b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")["a"], 0
    while value:
        (value,), depth = value, depth + 1
    assert depth == 299


def test_nan_and_infinity_are_numbers() -> None:
    not_a_number, infinite, less, one = parse_object(b'{"instances": [NaN, Infinity, -Infinity, 1]}')["instances"]
    assert math.isnan(not_a_number)
    assert (infinite, less, one) == (math.inf, -math.inf, 1)


def test_the_top_must_be_an_object() -> None:
    with pytest.raises(Failure) as caught:
        parse_object(b"[1.5]")
    assert caught.value.message == "JSON Value: [\n    1.5\n] Is not object"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (rb'{"instances": [NaN, "\ud800"]}', "instances[1]"),
        (
            rb'{"labels": [{"prediction_id": "\ud83d\ude00"}, {"label": {"a": ["x", "\udfff"]}}]}',
            "labels[1].label.a[1]",
        ),
        (rb'{"a": {"\ud800": 1}}', "A name in a"),
        (rb'"\ud800"', "The document"),
        (b'{"labels": ["\xed\xa0\x80", "\\ud800"]}', "labels[0]"),
    ],
)
def test_half_a_surrogate_pair_is_no_text_and_its_place_is_named(body: bytes, place: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        parse(body)
    assert caught.value.message == (
        f"JSON Parse error: Invalid value. {place} has half a surrogate pair, which is no text"
    )


def test_whole_surrogate_pairs_are_texts_beside_numbers_that_are_not_finite() -> None:
    value = parse(rb'{"instances": [Infinity, "\ud83d\ude00", "\\ud800"]}')
    assert value == {"instances": [float("inf"), "\U0001f600", "\\ud800"]}
