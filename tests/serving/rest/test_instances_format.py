"""Rows of numbers make the tensors that nested lists make."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import orjson
from hypothesis import given
from hypothesis import strategies as st

from serving.models.signatures import ELEMENT_TYPES_BY_NAME, Signature, TensorSpec
from serving.rest.instances import read_rows
from serving.rest.instances_format import INSTANCES_FORMAT
from serving.rest.number_rows import read_number_rows
from serving.status import Failure
from tests.serving.rest.number_rows_strategy import regular


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
