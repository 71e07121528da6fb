"""The exact parser: agrees with the standard library on JSON, and with RapidJSON on everything else."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.status import Failure
from serving.transport.json_grammar import JsonSyntaxError, parse
from serving.transport.json_parsing import parse as parse_body

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(value=values, indent=st.sampled_from([None, 1]), ascii_only=st.booleans())
def test_both_parsers_read_what_the_standard_library_writes(value: Any, indent: int | None, ascii_only: bool) -> None:
    try:
        body = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    except UnicodeEncodeError:
        return  # half a surrogate pair is no text
    assert parse_body(body) == json.loads(body)
    if b"\\ud" not in body.lower():
        assert parse(body) == json.loads(body)


@given(body=st.binary(max_size=40) | st.text('[]{},:"\\u0dNIa1e.-+ ', max_size=30).map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    error = ""
    try:
        parse(body)
    except JsonSyntaxError as refused:
        error = str(refused)
    assert not error or " at offset: " in error


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "The document is empty. at offset: 0"),
        (b"  ", "The document is empty. at offset: 2"),
        (b"instances = [1]", "Invalid value. at offset: 0"),
        (b"[tru]", "Invalid value. at offset: 4"),
        (b"[1,]", "Invalid value. at offset: 3"),
        (b"[1 2]", "Missing a comma or ] after an array element. at offset: 3"),
        (b'{"a":1 "b":2}', "Missing a comma or } after an object member. at offset: 7"),
        (b'{"a":1,}', "Missing a name for object member. at offset: 7"),
        (b'{"a" 1}', "Missing a colon after a name of object member. at offset: 5"),
        (b'"abc', "Missing a closing quotation mark in string. at offset: 4"),
        (b'"\\x"', "Invalid escape character in string. at offset: 1"),
        (b'"\\u12G4"', "Incorrect hex digit after \\u escape in string. at offset: 1"),
        (b'"\\ud83d"', "The surrogate pair in string is invalid. at offset: 1"),
        (b"1.", "Miss fraction part in number. at offset: 2"),
        (b"[1e]", "Miss exponent in number. at offset: 3"),
        (b"[1e400]", "Number too big to be stored in double. at offset: 1"),
        (b"-x", "Invalid value. at offset: 1"),
    ],
)
def test_errors_are_worded_and_placed_as_by_rapidjson(body: bytes, error: str) -> None:
    with pytest.raises(JsonSyntaxError) as caught:
        parse(body)
    assert str(caught.value) == error
    if body:
        with pytest.raises(Failure) as failed:
            parse_body(body)
        assert failed.value.message == f"JSON Parse error: {error}"


def test_values_beyond_json_are_read_as_rapidjson_reads_them() -> None:
    assert parse(b'{"a": 1, "a": 2}') == {"a": 1}, "the first of two equal keys"
    assert parse(b"[-Inf, Infinity]") == [-math.inf, math.inf]
    assert math.isnan(parse(b"NaN"))
    assert parse(b"[1] and more") == [1]
    assert parse(b"\xef\xbb\xbf[1]") == [1]
    assert parse(b"[18446744073709551616]") == [2.0**64]
    assert parse(b'"\xff"').encode("utf-8", "surrogateescape") == b"\xff"
    assert parse(b'"\\ud83d\\ude00 \\u00e9"') == "😀 é"


def test_nesting_has_no_limit() -> None:
    depth = 100_000
    value = parse(b"[" * depth + b"]" * depth)
    for _ in range(depth - 1):
        (value,) = value
    assert value == []
