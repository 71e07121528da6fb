"""Rows and columns of a document become tensors, and errors come in TensorFlow Serving's words and order."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.models.named_tensors import types_of
from serving.models.signatures import ELEMENT_TYPES_BY_NAME, Signature, TensorSpec
from serving.rest.instances import (
    INSTANCES_FORMAT,
    expected_types,
    read_columns,
    read_instances,
    read_regular_rows,
    read_rows,
    read_signature_name,
)
from serving.rest.number_rows import read_number_rows
from serving.status import Failure
from tests.serving.rest.number_rows_strategy import regular


def specs(**elements: str) -> dict[str, TensorSpec]:
    return {
        name: TensorSpec(name=name, graph_name="", element=ELEMENT_TYPES_BY_NAME[element], shape=None)
        for name, element in elements.items()
    }


ONE, TWO = specs(x="float"), specs(a="float", b="string")


def message(*arguments: Any) -> str:
    read, *rest = arguments
    with pytest.raises(Failure) as caught:
        read(*rest)
    return caught.value.message


def test_the_signature_has_a_name_or_none() -> None:
    assert read_signature_name({}) == ""
    assert read_signature_name({"signature_name": "s"}) == "s"
    assert message(read_signature_name, {"signature_name": 1}).endswith("'signature_name' key must be a string value.")


def test_a_document_has_rows_or_columns() -> None:
    assert read_instances({"instances": [1]}) == [1]
    assert read_instances({"inputs": [1]}) is None
    assert message(read_instances, {}) == "Missing 'inputs' or 'instances' key"
    assert "expecting only one of 'inputs' or 'instances'" in message(read_instances, {"instances": [], "inputs": []})
    assert message(read_instances, {"instances": {}}).endswith("Expecting 'instances' to be an list/array")
    assert message(read_instances, {"instances": []}).endswith("No values in 'instances' array")


def test_columns_are_a_value_or_an_object_of_values() -> None:
    assert read_columns([1, 2], ONE)["x"].tolist() == [1.0, 2.0]
    assert read_columns({"x": 1, "ignored": None}, ONE)["x"].tolist() == 1.0
    assert read_columns({"b64": "YQ=="}, specs(s="string"))["s"].tolist() == b"a", "bytes, and not an object of inputs"
    assert message(read_columns, {"a": 1}, TWO) == "Missing named input: b in 'inputs' object."
    assert message(read_columns, [1], TWO).startswith("inputs is a plain value/list, but expecting an object")


def test_rows_are_values_or_objects() -> None:
    assert read_rows([1, 2], ONE)["x"].tolist() == [1.0, 2.0]
    assert read_rows([{"x": 1}, {"x": 2}], ONE)["x"].tolist() == [1.0, 2.0]
    rows = read_rows([{"a": [1], "b": "s"}, {"b": {"b64": "/w=="}, "a": [2]}], TWO)
    assert (rows["a"].tolist(), rows["b"].tolist()) == ([[1.0], [2.0]], [b"s", b"\xff"])
    assert read_rows([math.nan], ONE)["x"].tolist() == pytest.approx([math.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("rows", "known", "error"),
    [
        ([1], TWO, "instances is a plain list, but expecting list of objects"),
        ([{"x": 1}, 2], ONE, "Expecting object but got list at item 1 of input list"),
        ([1, {"x": 2}], ONE, "Expecting value/list but got object at item 1 of input list"),
        ([{"y": 1}], ONE, "Failed to process element: 0 key: y of 'instances' list. Error: INVALID_ARGUMENT: "),
        ([{"a": 1}], TWO, "Failed to process element: 0 of 'instances' list. JSON object: {"),
        ([1, "x"], ONE, "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: "),
        ([[1], [1, 2]], ONE, "Failed to process element: 1 of 'instances' list."),
        ([[[1]], [1]], ONE, "Expecting shape [1,1] but got: [1]"),
        ([[1, 2], [1]], ONE, "Expecting tensor size: 2 but got: 1"),
    ],
)
def test_the_first_row_that_does_not_fit_is_named(rows: list[Any], known: dict[str, TensorSpec], error: str) -> None:
    assert read_regular_rows(rows, known) is None
    assert error in message(read_rows, rows, known)


@given(st.lists(st.lists(st.integers(-9, 9), min_size=2, max_size=2), min_size=1, max_size=4), st.booleans())
def test_the_types_expected_of_the_first_row_are_those_of_regular_rows(rows: list[Any], in_objects: bool) -> None:
    instances = [{"x": row} for row in rows] if in_objects else rows
    found = read_regular_rows(instances, ONE)
    assert found is not None
    assert expected_types(instances[0], ONE) == types_of(found) == (("x", np.dtype("float32"), (2,)),)


def signature(element: str) -> Signature:
    def spec(name: str) -> TensorSpec:
        return TensorSpec(name=name, graph_name="", element=ELEMENT_TYPES_BY_NAME[element], shape=(-1, -1))

    return Signature(name="s", method="", inputs={"x": spec("x")}, outputs={"y": spec("y")})


@given(
    st.lists(regular(), min_size=1, max_size=3),
    st.sampled_from(["float", "double", "int32", "uint8", "bool", "string"]),
)
def test_tensors_are_those_of_the_lists(sent: list[list[Any]], element: str) -> None:
    known = signature(element)
    read = [one for rows in sent if (one := read_number_rows(json.dumps({"instances": rows}).encode()))]
    assert len(read) == len(sent)
    joined = [row for rows in sent for row in orjson.loads(json.dumps(rows))]
    try:
        expected = read_rows(joined, known.inputs)["x"]
    except Failure:
        assert INSTANCES_FORMAT.read_regular(read, known) is None
        return
    found = INSTANCES_FORMAT.read_regular(read, known)
    assert found is not None
    assert found["x"].dtype == expected.dtype
    np.testing.assert_array_equal(found["x"], expected)
