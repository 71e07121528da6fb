"""Labels of several outputs are JSON objects, whose parts are the text that each output's own task reads."""

from __future__ import annotations

import pyarrow as pa

from monitoring.tasks.label_objects import label_object, texts_of_outputs


def test_parts_are_text_however_they_were_written() -> None:
    words = pa.chunked_array(
        [['{"a": 1, "b": true}', '{"a": 2.5, "b": "x"}', '{"a": [1], "b": " "}', "[1]", '{"a": 1e999}', None, ""]]
    )
    first, second = texts_of_outputs(words, ("a", "b"))
    assert first.to_pylist() == ["1", "2.5", None, None, None, None, None]
    assert second.to_pylist() == ["1", "x", None, None, None, None, None]


def test_an_object_is_written_with_the_parts_that_are_known() -> None:
    assert label_object({"a": 3.0, "b": "x"}) == '{"a":"3","b":"x"}'
    assert label_object({"a": 3.0, "b": None}) == '{"a":"3"}'
    assert label_object({"a": 3.0, "b": " "}) == '{"a":"3"}'
    assert label_object({"a": 3.0, "b": [1]}) is None
    assert label_object({"a": 3.0, "b": float("inf")}) is None
    assert label_object({"a": None}) is None
    assert label_object({}) is None
