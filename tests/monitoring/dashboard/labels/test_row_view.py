"""A row as a person who labels it sees it: what its label may be, by the task of the model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.predictions import Predictions
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.dashboard.labels.row_view import LabelRow, row_view
from monitoring.inspection.incident_rows import ReadableRows
from monitoring.records import ColumnNote
from monitoring.tasks.classification import Classification
from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.regression import Regression
from monitoring.tasks.task import Task
from monitoring.watches.descriptions import NOTHING

SPEC = BaselineSpec(classes=("a", "b"), features=(FeatureSpec(name="temp", kind="number"),))


def view(task: Task, text: str | None = "first\nsecond \x1b[31m") -> LabelRow:
    row = Predictions(
        ids=pa.array(["p:0"]),
        event_times=np.array([0]),
        features=pa.table({"temp": [np.nan], "comment": pa.array([text], pa.string())}),
        probabilities=np.array([[0.5, 0.5]]),
        labels=np.array([-1]),
        label_times=np.array([0]),
    )
    spec = replace(SPEC, classes=task.classes if task.exclusive else ())
    readable = ReadableRows(
        spec=replace(spec, other_task=None if task.exclusive else task), images={}, texts=("comment",)
    )
    notes = {"temp": ColumnNote(unit="°C", description="of the air")}
    return row_view(row, readable, notes, answer="a", given=("", False), times=("1 Jan 1970", "29 Jan 1970"))


def test_inputs_are_a_table_and_a_text_is_text_with_its_lines() -> None:
    row = view(Classification(classes=("a", "b")))
    assert [[cell.text for cell in cells] for cells in row.table.rows] == [["temp [°C]: of the air", NOTHING]]
    assert [quote.text for quote in row.quotes] == ["first\nsecond \ufffd[31m"]
    assert view(Classification(classes=("a", "b")), None).quotes == ()


@pytest.mark.parametrize(
    ("task", "classes", "is_number", "hint"),
    [
        (Classification(classes=("a", "b")), ("a", "b"), False, ""),
        (Classification(classes=tuple(map(str, range(31)))), (), False, "The name of its class."),
        (Regression(), (), True, ""),
        (Multilabel(classes=("a", "b")), (), False, "Each class that it has, with | between them, or []."),
    ],
)
def test_a_class_has_a_button_a_number_a_field(
    task: Task, classes: tuple[str, ...], is_number: bool, hint: str
) -> None:
    row = view(task)
    assert (row.classes, row.is_number, row.hint) == (classes, is_number, hint)
