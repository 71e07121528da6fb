"""Rows of numbers by their brackets alone: the same as the ordinary parsers read, or left to them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.rest.number_rows import has_many_lists, read_number_rows
from serving.transport.json_parsing import parse_object
from tests.serving.rest.number_rows_strategy import regular

if TYPE_CHECKING:
    from tests.serving.conftest import Website


@given(regular(), st.sampled_from([None, 1]), st.booleans())
def test_regular_numbers_are_read_as_the_parser_reads_them(rows: list[Any], indent: int | None, is_named: bool) -> None:
    document = ({"signature_name": "s_1"} if is_named else {}) | {"instances": rows}
    body = json.dumps(document, indent=indent).encode()
    found = read_number_rows(body)
    assert found is not None
    assert (found.as_lists(), found.signature) == (parse_object(body)["instances"], document.get("signature_name", ""))
    assert found.shape == np.shape(rows)
    assert found.numbers == list(np.array(orjson.loads(body)["instances"], object).reshape(-1))
    assert len(found) == len(rows)


@given(regular(), st.data())
def test_a_damaged_body_is_read_as_the_parser_reads_it_or_left_to_it(rows: list[Any], data: st.DataObject) -> None:
    """One character changed, dropped or put in: what is read at all is JSON, of the same numbers and shape."""
    body = json.dumps({"instances": rows}).encode()
    at = data.draw(st.integers(0, len(body) - 1))
    put = data.draw(st.text('[],0123456789.eE+- \n{}"ntd', max_size=2)).encode()
    damaged = body[:at] + put + body[at + data.draw(st.integers(0, 1)) :]
    found = read_number_rows(damaged)
    if found is not None:
        instances = orjson.loads(damaged)["instances"]
        assert found.as_lists() == instances
        assert (found.shape, found.numbers) == (np.shape(instances), list(np.array(instances, object).reshape(-1)))


@pytest.mark.parametrize(
    "instances",
    [
        "[1[],[3]]", "[[]1,[3]]", "[[1,],[3]]", "[[1],,[3]]", "[[1][3]]", "[[1 2],[3]]", "[[1]2,[3]]", "[1[2],[3]]",
        "[]", "[[]]", "[[1],[2,3]]", "[[1],2]", "[1,[2]]", "[[1],[2]", "[1]]", "[1]}", "1", "[true]", '["1"]',
        "[NaN]", "[[1],null]", "[d]", "[01]", "[1.]", "[+1]", "[--1]", "[1], \"inputs\": [2]",
        "[" * 33 + "1" + "]" * 33, "[[[1],[2]],[[3,4]]]", "[[1,2],[3],[4,5,6]]",
    ],
)  # fmt: skip
def test_irregular_bodies_are_left_to_the_parser(instances: str) -> None:
    assert read_number_rows(b'{"instances": %b}' % instances.encode()) is None


@pytest.mark.parametrize(
    "head", ['{"inputs":', '{"instances"', '{"a": 1, "instances":', '{"signature_name": 3, "instances":', ""]
)
def test_other_members_are_left_to_the_parser(head: str) -> None:
    assert read_number_rows(f"{head} [1]}}".encode()) is None


def test_errors_are_those_of_the_lists(website: Website) -> None:
    """The error has the same text, whichever parser reads the numbers."""
    lists = [[[[1], [2], [3], [4]], [[5], [6], [7], [1.5]]]]
    texts = []
    for more in ({}, {"other": 1}):
        body = json.dumps({"instances": lists} | more).encode()
        assert has_many_lists(body)
        assert (read_number_rows(body) is None) == bool(more)
        reply = website.send("POST", "/v1/models/typed:predict", body)
        assert reply.status == 400
        texts.append(reply.error)
    assert texts[0] == texts[1]
    assert "JSON Value: 1.5 Type: Number is not of expected type: int64" in texts[0]
