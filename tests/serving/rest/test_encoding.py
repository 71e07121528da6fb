"""Responses byte for byte as RapidJSON's pretty printer lays them out, and readable as JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from serving.rest.encoding import write_columns, write_rows
from serving.status import Failure

Array = np.ndarray[Any, Any]
arrays = st.sampled_from(["float32", "float64", "int8", "int64", "uint64", "bool"]).flatmap(
    lambda dtype: st_numpy.arrays(
        dtype,
        st_numpy.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3),
        elements={"allow_nan": False, "allow_infinity": False} if dtype.startswith("float") else None,
    )
)

trees = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(value=arrays)
def test_both_forms_read_back_as_the_tensor(value: Array) -> None:
    rows = json.loads(write_rows({"y": value}))["predictions"]
    columns = json.loads(write_columns({"y": value}))["outputs"]
    assert rows == columns
    read_back = np.array(columns, value.dtype)
    assert (read_back.shape, read_back.tolist()) == (value.shape, value.tolist()) or not value.size


@given(value=arrays)
def test_several_outputs_are_objects_by_name(value: Array) -> None:
    outputs = {"y": value, 'z"': value}
    (alone,) = json.loads(write_columns({"y": value})).values()
    assert json.loads(write_columns(outputs))["outputs"] == {"y": alone, 'z"': alone}
    assert json.loads(write_rows(outputs))["predictions"] == [{"y": row, 'z"': row} for row in alone]


def test_the_layout_of_rows() -> None:
    pairs = np.array([[1, 2], [3, 4]], np.float32)
    assert write_rows({"y": pairs}) == b'{\n    "predictions": [[1.0, 2.0], [3.0, 4.0]\n    ]\n}'
    assert write_rows({"a": np.array([1, 2]), "b": pairs}) == (
        b'{\n    "predictions": [\n        {\n            "a": 1,\n            "b": [1.0, 2.0]\n        },'
        b'\n        {\n            "a": 2,\n            "b": [3.0, 4.0]\n        }\n    ]\n}'
    )


def test_the_layout_of_columns() -> None:
    assert write_columns({"a": np.array([1]), "b": np.array([[True]])}) == (
        b'{\n    "outputs": {\n        "a": [\n            1\n        ],'
        b'\n        "b": [\n            [\n                true\n            ]\n        ]\n    }\n}'
    )
    assert write_columns({"y": np.array(2.5)}) == b'{\n    "outputs": 2.5\n}'


def test_bytes_are_base64_by_name_or_where_they_are_not_utf_8() -> None:
    texts = np.array([b"plain", "é\n".encode(), b"\xff"], object)
    assert json.loads(write_rows({"s": texts}))["predictions"] == ["plain", "é\n", {"b64": "/w=="}]
    assert json.loads(write_columns({"s_bytes": texts[:1]}))["outputs"] == [{"b64": "cGxhaW4="}]
    assert write_rows({"s_bytes": texts[:1]}) == (
        b'{\n    "predictions": [{\n            "b64": "cGxhaW4="\n        }\n    ]\n}'
    )


@pytest.mark.parametrize(
    ("outputs", "error"),
    [
        ({"total": np.array(1.0)}, "Tensor name: total has no shape information "),
        ({"a": np.zeros(2), "b": np.zeros(3)}, "Tensor name: b has inconsistent batch size: 3 expecting: 2"),
        ({"h": np.zeros(1, np.float16)}, "Failed to write JSON value for tensor type: half"),
        ({"c": np.zeros(1, np.complex64)}, "Failed to write JSON value for tensor type: complex64"),
    ],
)
def test_outputs_that_json_cannot_hold_are_refused(outputs: dict[str, Array], error: str) -> None:
    with pytest.raises(Failure) as caught:
        write_rows(outputs)
    assert caught.value.message == error
