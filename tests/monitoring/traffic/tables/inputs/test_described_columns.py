"""Columns of a reference that are described: learned on its rows, and left out where a name is taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from monitoring.traffic.descriptors.registry import described_inputs, read_descriptors
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
    assert columns == ONE.replaced(described=())


VECTORS = [[float(place == row) for place in range(16)] for row in range(4)]


@pytest.mark.parametrize(
    ("kind", "cells", "names"),
    [
        ("moment", ["2024-01-05"] * 4, ["days_before"]),
        ("moment", pa.array([1] * 4, pa.date32()), ["days_before"]),
        ("moment", pa.array([1] * 4, pa.duration("s")), ["seconds"]),
        ("sequence", [[1.0], [], None, [2.0]], ["length", "last", "mean", "missing_steps"]),
        ("sequence", [["a"], [], None, ["b"]], ["length"]),
        ("sequence", VECTORS, ["length", "last", "mean", "missing_steps"]),
        ("vector", VECTORS, ["norm", "residual", "axis_1", "axis_2", "axis_3"]),
        ("moment", pa.array(["2024-01-05"] * 4).dictionary_encode(), ["days_before"]),
    ],
)
def test_each_kind_has_its_inputs(kind: str, cells: Any, names: list[str]) -> None:
    pieces = [piece(ts=times([1, 2, 3, 4]), x=cells), piece(ts=times([5]))]
    columns, left_out = with_described(pieces, ONE, {"x": kind})
    assert left_out == {}
    assert list(columns.inputs) == ["age", *(f"x.{name}" for name in names)]
    (described,) = columns.described
    found, problems = described_inputs([described], pieces[0].raw.columns(), np.arange(4))
    assert (list(found), problems) == ([f"x.{name}" for name in names], {})
    assert read_descriptors(described.document()).kinds == described.kinds


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("text", [1, 2]),
        ("text", [["a"], ["b"]]),
        ("moment", [1, 2]),
        ("sequence", ["a", "b"]),
        ("vector", [[1.0], [2.0, 3.0]]),
        ("vector", [1.0, 2.0]),
    ],
)
def test_a_column_of_another_kind_than_was_declared_is_bad_input(kind: str, cells: list[Any]) -> None:
    with pytest.raises(BadInput, match="another kind") as raised:
        with_described([piece(ts=times([1, 2]), x=cells)], ONE, {"x": kind})
    assert raised.value.got.startswith(f"x, a {kind}: ")


def test_dates_of_rows_without_event_times_are_left_out_and_durations_are_not() -> None:
    one = piece(born=["2024-01-05"], wait=pa.array([3], pa.duration("s")))
    columns, left_out = with_described([one], ONE, {"born": "moment", "wait": "moment"})
    assert left_out == {"born": "a date, and no row has an event time"}
    assert list(columns.inputs) == ["age", "wait.seconds"]
