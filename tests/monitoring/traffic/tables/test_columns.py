"""What each column of a table means, and which columns are a data frame's index."""

from __future__ import annotations

import json

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.traffic.tables.columns import TableColumns, index_columns


def schema(*names: str, metadata: bytes | None = None) -> pa.Schema:
    found = pa.schema([(name, pa.int64()) for name in names])
    return found if metadata is None else found.with_metadata({b"pandas": metadata})


def test_scores_are_the_answer_unless_a_predicted_class_is() -> None:
    assert TableColumns(scores=("a", "b")).answer == ("a", "b")
    assert TableColumns(scores=("a", "b"), predicted="class").answer == ("class",)


def test_every_column_with_a_role_is_mapped_and_no_input_is() -> None:
    columns = TableColumns(event_time="ts", predicted="class", inputs={"age": "number"})
    assert columns.mapped == ("ts", "prediction_id", "label", "label_time", "class")


def test_columns_of_several_outputs_are_those_of_each_side_by_side() -> None:
    kind = TableColumns(scores=("a", "b", "c"), classes=("a", "b", "c"), label="was_kind")
    late = TableColumns(scores=("p",), classes=("no", "yes"), label="was_late")
    price = TableColumns(predicted="price", label="paid")
    columns = TableColumns(event_time="ts", outputs={"kind": kind, "late": late, "price": price})
    assert columns.width == 3 + 2 + 1
    assert columns.answer == ("a", "b", "c", "p", "price")
    assert columns.label_cells == ("was_kind", "was_late", "paid")
    assert sorted(columns.mapped) == sorted(
        ("ts", "prediction_id", *columns.label_cells, "label_time", *columns.answer)
    )
    assert not columns.lists_labels


@pytest.mark.parametrize(
    "name", ["__index_level_0__", "__index_level_12__", "Unnamed: 0", "Unnamed: 0.1", "Unnamed: 0.1.1", ""]
)
def test_names_that_pandas_gives_an_index_are_recognised(name: str) -> None:
    assert index_columns(schema(name, "age")) == {name}


@pytest.mark.parametrize("name", ["index", "__index_level__", "__index_level_0__x", "Unnamed: 1", "Unnamed"])
def test_other_names_are_columns(name: str) -> None:
    assert index_columns(schema(name)) == frozenset()


@pytest.mark.parametrize("index", [None, "row", "age"])
def test_an_index_that_pandas_declares_is_recognised_by_its_metadata(index: str | None) -> None:
    frame = pd.DataFrame({"age": [1, 2]}, index=pd.Index([5, 7], name=None if index is None else f"{index}_index"))
    found = index_columns(pa.Table.from_pandas(frame).schema)
    assert found == {"__index_level_0__" if index is None else f"{index}_index"}


def test_a_range_index_is_no_column() -> None:
    assert index_columns(pa.Table.from_pandas(pd.DataFrame({"age": [1, 2]})).schema) == frozenset()


def test_a_declared_index_that_the_file_does_not_have_is_ignored() -> None:
    assert index_columns(schema("age", metadata=b'{"index_columns": ["gone", "age"]}')) == {"age"}


@given(
    st.binary(max_size=30)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda v: st.lists(v) | st.dictionaries(st.text(), v),
        max_leaves=6,
    ).map(lambda value: json.dumps({"index_columns": value}).encode())
)
def test_metadata_of_any_shape_is_never_fatal(metadata: bytes) -> None:
    assert index_columns(schema("age", metadata=metadata)) <= {"age"}


def test_metadata_nested_too_deeply_is_ignored() -> None:
    assert index_columns(schema("age", metadata=b"[" * 200_000)) == frozenset()
