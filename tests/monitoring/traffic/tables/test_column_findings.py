"""Columns that are new, doubled, gone or of another type than their role needs are reported."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from monitoring.traffic.descriptors.encoded_image import EncodedImageDescriptors
from monitoring.traffic.descriptors.sequence import SequenceDescriptors
from monitoring.traffic.tables.column_findings import column_findings, new_name, unreadable_cells
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.raw_rows import RawRows
from tests.monitoring.traffic.tables.table_files import COLUMNS, UTC_TIME, rows_at

KNOWN = COLUMNS.replaced(
    reference_types={
        "ts": "timestamp[us, tz=UTC]",
        "p": "double",
        "age": "int64",
        "city": "string",
        "id": "string",
        "y": "string",
        "known_at": "timestamp[us, tz=UTC]",
    }
)
FULL = rows_at([1, 2], ids=["a", "b"], labels=["no", "yes"], known=[3, 4])


def found(table: pa.Table, columns: TableColumns = KNOWN, **more: object) -> list[tuple[str, str]]:
    return [(each.kind, each.feature) for each in column_findings(RawRows(table=table, **more), columns)]  # type: ignore[arg-type]


def message(table: pa.Table, columns: TableColumns = KNOWN, *, text: bool = False) -> str:
    (one,) = column_findings(RawRows.of(table, text=text), columns)
    return one.message


def test_the_columns_of_the_reference_give_no_finding() -> None:
    assert found(FULL) == []
    assert found(FULL.slice(0, 0)) == []


def test_a_new_column_is_reported_and_never_for_the_reference_itself() -> None:
    table = FULL.append_column("extra", pa.array([1, 2]))
    assert found(table) == [("new column", "extra")]
    assert found(table, COLUMNS) == []


def test_an_index_of_pandas_is_no_new_column() -> None:
    frame = FULL.to_pandas().set_index(pd.Index([7, 9], name="row"))
    assert found(pa.Table.from_pandas(frame)) == []
    assert found(FULL.append_column("Unnamed: 0", pa.array([0, 1]))) == []
    assert found(FULL.append_column("", pa.array([0, 1]))) == []


def test_a_renamed_input_is_proposed_where_it_is_the_only_one_of_its_type() -> None:
    renamed = FULL.rename_columns(["town" if name == "city" else name for name in FULL.column_names])
    assert message(renamed).endswith("It may be city under another name.")
    number = FULL.drop_columns(["city"]).append_column("weight", pa.array([1.5, 2.5]))
    assert "another name" not in message(number)
    assert "another name" in message(number, text=True)


def test_a_new_column_is_no_renamed_one_where_several_inputs_are_gone() -> None:
    table = FULL.drop_columns(["city", "age"]).append_column("town", pa.array(["a", "b"]))
    assert "another name" not in message(table)


def test_absent_ids_are_reported_where_the_reference_had_them_or_an_option_names_them() -> None:
    table = FULL.drop_columns(["id"])
    assert found(table) == [("column gone", "id")]
    without = KNOWN.replaced(
        reference_types={name: kind for name, kind in KNOWN.reference_types.items() if name != "id"}
    )
    assert found(table, without) == [("column gone", "id")]
    named_so = without.replaced(prediction_id="prediction_id")
    assert found(table, named_so) == []


def test_absent_label_times_matter_only_beside_labels() -> None:
    assert found(FULL.drop_columns(["known_at"])) == [("column gone", "known_at")]
    assert found(FULL.drop_columns(["known_at", "y"])) == []


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("id", pa.array([0, 1], UTC_TIME)),
        ("id", pa.array([["a"], ["b"]])),
        ("y", pa.array([0, 1], UTC_TIME)),
        ("known_at", pa.array([1, 2])),
        ("known_at", pa.array([True, False])),
    ],
)
def test_a_type_that_cannot_have_its_role_is_reported(name: str, column: pa.Array) -> None:
    table = FULL.set_column(FULL.column_names.index(name), name, column)
    assert found(table) == [("type changed", name)]
    assert str(column.type) in message(table)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("id", pa.array([1, 2])),
        ("id", pa.nulls(2)),
        ("y", pa.array([True, False])),
        ("y", pa.array(["a", "b"]).dictionary_encode()),
        ("known_at", pa.array(["2024-01-01", None])),
        ("known_at", pa.nulls(2)),
    ],
)
def test_a_type_that_can_have_its_role_is_not(name: str, column: pa.Array) -> None:
    assert found(FULL.set_column(FULL.column_names.index(name), name, column)) == []


def test_doubled_columns_and_malformed_lines_are_reported_last() -> None:
    table = FULL.append_column("extra", pa.array([1, 2]))
    assert found(table, duplicates=("age",), malformed=3) == [
        ("new column", "extra"),
        ("duplicate column", "age"),
        ("broken lines", ""),
    ]
    assert found(FULL, COLUMNS, duplicates=("age",), malformed=3) == [("duplicate column", "age"), ("broken lines", "")]


def test_cells_that_cannot_be_read_are_told_with_what_they_should_be() -> None:
    described = (EncodedImageDescriptors(source="photo"), SequenceDescriptors(source="steps", numbers=True))
    found = unreadable_cells({"age": 3, "photo": 2, "steps": 1}, described)
    assert [(one.kind, one.feature, one.fact) for one in found] == [
        ("not a number", "age", False),
        ("not an image", "photo", False),
        ("not a sequence", "steps", False),
    ]
    assert found[1].message.startswith("2 cells of photo in the window's files hold something that is no image, or a")
    assert unreadable_cells({}, described) == ()


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({"proba": [0.5]}, "proba"),
        ({"proba": [0.5], "pp": ["x"]}, "proba"),
        ({"q": [0.5], "proba": [0.5]}, None),
        ({"q": [0.5], "p1": [0.5]}, "p1"),
        ({"proba": ["x"]}, None),
        ({}, None),
    ],
)
def test_a_score_that_is_gone_names_the_new_column_that_it_may_be(
    columns: dict[str, list[object]], name: str | None
) -> None:
    known = TableColumns(event_time="ts", scores=("p",), reference_types={"p": "double", "ts": "string"})
    raw = RawRows.of(pa.table({"ts": ["2024-01-01"], **columns}))
    assert new_name("p", raw, known) == (name or "")
