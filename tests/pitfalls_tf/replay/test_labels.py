"""Labels are replayed by the words that export takes: a column, several, or one for each output."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.replay.labels import label_texts
from serving.export.export import Reference

TABLE = pa.table(
    {
        "sev": ["low", None, "high"],
        "vehage": [3.0, 4.5, None],
        "both": pa.array([{"sev": "low", "age": 3}, None, {"sev": None, "age": None}]),
        "a": [0, 1, 1],
        "b": [1, 0, 1],
        "x": [0.5, 1.5, 2.5],
        "y": [1.0, 2.0, 3.0],
        "tags": [["p", "q"], [], None],
        "x=y": ["odd", "odd", "odd"],
    }
)


@pytest.mark.parametrize(
    ("label", "texts"),
    [
        ("sev", ["low", None, "high"]),
        ("vehage", ["3", "4.5", None]),
        ("sev=sev,vehage=vehage", [{"sev": "low", "vehage": "3"}, {"vehage": "4.5"}, {"sev": "high"}]),
        ("one=vehage", [{"one": "3"}, {"one": "4.5"}, None]),
        ("both", [{"sev": "low", "age": "3"}, None, None]),
        ("a,b", ["[0,1]", "[1,0]", "[1,1]"]),
        ("x=y", ["odd", "odd", "odd"]),
    ],
)
def test_each_form_is_read(label: str, texts: list[Any]) -> None:
    read = [json.loads(text) if text and text.startswith("{") else text for text in label_texts(TABLE, label)]
    assert read == texts


def test_numbers_of_several_columns_are_those_of_an_export() -> None:
    exported = Reference(table=TABLE, label_columns=("x", "y")).with_lists()
    assert exported.table is not None
    assert label_texts(TABLE, "x,y") == exported.table["label"].to_pylist()


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("none", "The table has no column 'none'"),
        ("sev=none,vehage=vehage", "The table has no such label column.*no column none"),
        ("sev=sev,vehage", "Several outputs with a label each are all named"),
        ("a,none", "The table has no column 'none'"),
        ("maps", r"Column 'maps' has no labels\. Got map<string, int64>"),
    ],
)
def test_what_is_no_label_is_refused(label: str, reason: str) -> None:
    maps = pa.array([[("k", 1)], [], []], pa.map_(pa.string(), pa.int64()))
    with pytest.raises(BadInput, match=reason):
        label_texts(TABLE.append_column("maps", maps), label)
