"""Columns as the bodies of requests, in both forms, and the columns that do not fit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.replay.columns import FeatureColumns, InputSpec, read_specs

if TYPE_CHECKING:
    pass

TABLE = pa.table(
    {
        "temp": pa.array([39.5, None, 0.1], pa.float64()),
        "wind": pa.array([1, 2, None], pa.int64()),
        "gust": pa.array([np.inf, -np.inf, 2.0], pa.float32()),
        "carrier": pa.array(["UA", None, 'é"'], pa.string()),
        "flight": pa.array([1, 2, 3], pa.int32()),
        "night": pa.array([True, False, True]),
        "picture": pa.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
    }
)


def spec(name: str, dtype: str, rank: int | None = 1) -> InputSpec:
    return InputSpec(name=name, dtype=dtype, rank=rank)


SPECS = [
    spec("temp", "DT_FLOAT"),
    spec("wind", "DT_FLOAT", None),
    spec("gust", "DT_FLOAT"),
    spec("carrier", "DT_STRING", 2),
    spec("flight", "DT_INT64", 2),
    spec("night", "DT_BOOL"),
    spec("picture", "DT_FLOAT", 2),
]


def test_both_forms_hold_the_same_values() -> None:
    columns = FeatureColumns(TABLE, SPECS)
    by_column = json.loads(columns.body(0, 3, "columns"))["inputs"]
    by_row = json.loads(columns.body(0, 3, "rows"))["instances"]
    for name, column in by_column.items():
        # One form writes the shortest digits of a float32, the other those of a double: the same float32.
        kind = np.float32 if isinstance(column[0], float) else object
        np.testing.assert_array_equal(np.array([row[name] for row in by_row], kind), np.array(column, kind))
    assert np.isnan(by_column["temp"][1])
    assert np.isnan(by_column["wind"][2])
    assert by_column["gust"][:2] == [np.inf, -np.inf]
    assert by_column["carrier"] == [["UA"], [""], ['é"']]
    assert by_column["flight"] == [[1], [2], [3]]
    assert by_column["night"] == [True, False, True]
    assert by_column["picture"][1] == [3.0, 4.0]


def test_a_slice_is_a_slice() -> None:
    columns = FeatureColumns(TABLE, [spec("flight", "DT_INT64")])
    assert json.loads(columns.body(1, 3, "columns")) == {"inputs": {"flight": [2, 3]}}
    assert json.loads(columns.body(1, 2, "rows")) == {"instances": [{"flight": 2}]}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (spec("humidity", "DT_FLOAT"), "The table lacks a column that the model needs: humidity"),
        (spec("carrier", "DT_FLOAT"), "Column 'carrier' does not fit"),
        (spec("wind", "DT_INT64"), r"Column 'wind' does not fit the model's input. Got 1 nulls"),
        (spec("temp", "DT_INT64"), "Column 'temp' does not fit"),
        (spec("flight", "DT_HALF"), "DT_HALF, which JSON cannot carry"),
    ],
)
def test_columns_that_do_not_fit(wrong: InputSpec, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        FeatureColumns(TABLE, [wrong])


def metadata(signatures: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"signature_def": {"signature_def": signatures}}}


def test_inputs_are_read_from_the_servers_metadata() -> None:
    inputs = {
        "b": {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": "-1"}], "unknown_rank": False}},
        "a": {"dtype": "DT_STRING", "tensor_shape": {"unknown_rank": True}},
    }
    found = read_specs(metadata({"serving_default": {"inputs": inputs}}))
    assert found == (spec("a", "DT_STRING", None), spec("b", "DT_FLOAT"))
    with pytest.raises(BadInput, match="no default signature"):
        read_specs(metadata({"other": {}}))
