"""A row as a person who labels it sees it: what its label may be, by the task of the model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.predictions import Predictions
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.dashboard.labels.row_view import LabelRow, date_words, given_label, row_view
from monitoring.inspection.incident_rows import ReadableRows
from monitoring.records import ColumnNote
from monitoring.tasks.classification import Classification
from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.regression import Regression
from monitoring.tasks.task import Task
from monitoring.timestamps import as_datetime
from monitoring.traffic.descriptors.moment import MomentDescriptors
from monitoring.watches.descriptions import NOTHING

MANY = tuple(map(str, range(31)))
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
    ("task", "form", "classes", "hint"),
    [
        (Classification(classes=("a", "b")), "class", ("a", "b"), ""),
        (Classification(classes=MANY), "text", (), "The name of its class."),
        (Regression(), "number", (), ""),
        (Multilabel(classes=("a", "b")), "set", ("a", "b"), ""),
        (Multilabel(classes=MANY), "text", (), "Each class that it has, with | between them, or []."),
    ],
)
def test_a_class_has_a_button_or_a_tick_a_number_a_field(
    task: Task, form: str, classes: tuple[str, ...], hint: str
) -> None:
    row = view(task)
    assert (row.form, row.classes, row.hint) == (form, classes, hint)


def test_a_set_is_given_by_its_ticks_and_by_the_button_alone() -> None:
    task = Multilabel(classes=("[a]", "b", "c"))
    for ticks, label in (((1,), '["[a]"]'), ((2, 3), "b|c"), ((), "[]"), ((1, 2), '["[a]", "b"]')):
        fields = {f"has-{place}": "yes" for place in ticks}
        assert given_label(task, fields) == ""
        assert given_label(task, {**fields, "give": "yes", "label": "x"}) == label
        codes = task.label_codes(pa.chunked_array([[label]], pa.string()))
        assert task.read_labels(codes)[0].tolist() == [place in ticks for place in (1, 2, 3)]
    assert given_label(Multilabel(classes=MANY), {"label": " 3|4 "}) == "3|4"


def test_a_date_is_shown_as_the_date_that_it_was() -> None:
    answered = 1_365_404_400_000_000  # 8 April 2013 07:00 UTC
    moment = MomentDescriptors(source="at", unit="days_before")
    for us in (answered - 1, answered + 86_400_000_000, -62_000_000_000_000_000, 253_000_000_000_000_000):
        (days,) = moment.describe(pa.array([us], pa.timestamp("us")), np.array([answered]))[
            "at.days_before"
        ].to_pylist()
        rounded = as_datetime(round(us / 1e6) * 1_000_000)
        assert date_words(days, answered).startswith(f"{rounded.day} {rounded:%b} {rounded.year}")
    assert date_words(1e7, answered) == "1e+07 days before"
    assert date_words(float("nan"), answered) == NOTHING
