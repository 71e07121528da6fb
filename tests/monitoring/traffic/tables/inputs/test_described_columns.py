"""Columns of a reference that are described: learned on its rows, and left out where a name is taken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa

from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.inputs.described_columns import with_described
from monitoring.traffic.tables.reference import LoadedPiece
from tests.monitoring.traffic.tables.table_files import raw, times

ONE = TableColumns(event_time="ts", label="y", scores=("p",), inputs={"age": "number"})


def piece(**columns: Any) -> LoadedPiece:
    found = {name: pa.array(cells) if isinstance(cells, list) else cells for name, cells in columns.items()}
    return LoadedPiece(name="a.parquet", first_row=0, raw=raw(**found))


def test_a_text_becomes_inputs_after_those_that_are_columns() -> None:
    pieces = [piece(ts=times([1, 2]), note=["a car", "a van"]), piece(ts=times([3]), age=[1.0])]
    columns, left_out = with_described(pieces, ONE, {"note": "text"})
    assert (left_out, columns.plain_inputs) == ({}, {"age": "number"})
    assert list(columns.inputs)[:3] == ["age", "note.characters", "note.words"]
    assert columns.inputs["note.script"] == "category"
    assert columns.read >= {"note", "age", "ts", "p", "y"}
    assert "note.words" not in columns.read


def test_rows_without_times_go_by_their_places() -> None:
    columns, _ = with_described([piece(note=["a"] * 10), piece(note=["b"] * 30)], ONE, {"note": "text"})
    (found,) = columns.described
    assert len(found.ends) == 19  # type: ignore[attr-defined]  # of texts


def test_a_column_whose_inputs_have_names_that_are_taken_is_left_out() -> None:
    one = piece(ts=times([1]), note=["a"], **{"note.words": [7]})
    columns, left_out = with_described([one], ONE, {"note": "text"})
    assert left_out == {"note": "text, and note.words is a column itself"}
    assert columns == replace(ONE, described=())
