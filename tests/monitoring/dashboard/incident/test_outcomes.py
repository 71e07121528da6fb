from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from monitoring.dashboard.incident.outcomes import MOST_CLASSES, OutcomesView, outcome_views
from monitoring.inspection.outcomes import LabelledAnswers, Outcomes
from monitoring.tasks.classification import Classification
from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.ranking import Ranking
from monitoring.tasks.regression import Regression
from monitoring.tasks.task import Floats, Task, Whole
from monitoring.tasks.vector_regression import VectorRegression
from monitoring.traffic.windows import Window

START = datetime(2013, 5, 1, tzinfo=UTC)
WINDOW = Window(start=START, end=START + timedelta(days=1))


def view(task: Task, before: tuple[Floats, Whole], since: tuple[Floats, Whole], part: str = "") -> OutcomesView:
    baseline, live = (LabelledAnswers(answers=answers, labels=labels) for answers, labels in (before, since))
    found = Outcomes(task=task, part=part, baseline=baseline, live=live, windows=(WINDOW,), left_out=0)
    (one,) = outcome_views([found])
    return one


def texts(found: OutcomesView) -> list[list[str]]:
    return [[one.text for one in row] for row in found.table.rows]


def test_a_matrix_has_shares_by_label_with_their_change() -> None:
    right = np.array([[0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.9, 0.1]])
    found = view(
        Classification(classes=("on_time", "late")),
        (right, np.array([0, 1, 1, 0])),
        (right, np.array([0, 1, 0, 0])),
        "origin=<b>",
    )
    assert found.title == "Confusion matrix of origin = <b>"
    assert texts(found) == [
        ["on_time", "66.7 % (\u221233.3)", "33.3 % (+33.3)", "3", "2"],
        ["late", "0.0 %", "100.0 %", "1", "2"],
    ]
    assert [[cell.style for cell in row[1:3]] for row in found.table.rows] == [
        ["heat-3 agree", "heat-2"],
        ["", "heat-4 agree"],
    ]
    assert found.data is not None
    assert [[one.value for one in row] for row in found.data.rows] == [
        ["on_time", "on_time", 2, 2],
        ["late", "late", 2, 1],
        ["on_time", "late", 0, 1],
    ]


def test_of_many_classes_those_are_shown_that_changed_most() -> None:
    classes = tuple(f"c{place:02d}" for place in range(20))
    labels = np.arange(20)
    answers = np.eye(20)
    moved = np.roll(np.eye(20), 1, axis=1)
    since = np.where((labels == 17)[:, None], moved, answers)
    found = view(Classification(classes=classes), (answers, labels), (since, labels))
    assert len(found.table.rows) == MOST_CLASSES
    assert "c17" in [row[0].text for row in found.table.rows]
    assert f"{MOST_CLASSES} of 20 classes" in found.table.note


def test_a_class_without_a_row_has_no_share() -> None:
    one = np.array([[0.9, 0.1]])
    assert texts(view(Classification(classes=("a", "b")), (one, np.array([0])), (one, np.array([0]))))[1] == [
        *("b", "\u2013", "\u2013", "0", "0")
    ]


def test_several_classes_of_a_row_are_decisions_of_their_own() -> None:
    task = Multilabel(classes=("a", "b"))
    labels = task.label_codes(pa.chunked_array([["a", "b"]]))
    right, wrong = np.array([[0.9, 0.1], [0.1, 0.9]]), np.array([[0.1, 0.1], [0.9, 0.9]])
    assert texts(view(task, (right, labels), (wrong, labels))) == [
        ["a", "100.0 % (+100.0)", "100.0 % (+100.0)", "1"],
        ["b", "0.0 %", "0.0 %", "1"],
    ]


def test_numbers_have_quantiles_of_residuals() -> None:
    task = Regression()
    labels = task.label_codes(pa.chunked_array([["1", "2", "3"]]))
    found = view(task, (np.array([[1.0], [2.0], [3.0]]), labels), (np.array([[2.0], [3.0], [4.0]]), labels))
    assert texts(found)[2] == ["50 % quantile", "0", "\u22121", "\u22121"]
    assert texts(found)[-1] == ["Mean", "0", "\u22121", "\u22121"]


def test_each_of_several_numbers_has_its_own() -> None:
    task = VectorRegression.named(("day_1", "day_2"))
    labels = task.label_codes(pa.chunked_array([["[1, 2]"]]))
    found = view(task, (np.array([[1.0, 2.0]]), labels), (np.array([[0.0, 2.0]]), labels))
    assert [row[0] for row in texts(found)] == ["day_1"] * 6 + ["day_2"] * 6
    assert texts(found)[5] == ["day_1", "Mean", "0", "1", "1"]


def test_of_a_ranking_it_is_counted_where_the_relevant_id_stood() -> None:
    task = Ranking(places=2)
    answers = np.array([[7.0, 8.0]] * 4)
    before, since = (np.array(ids)[:, None] for ids in ([7, 7, 8, 7], [7, 8, 8, 5]))
    found = view(task, (answers, before), (answers, since), "country=de")
    assert found.title == "Rank of the relevant id of country = de"
    assert texts(found) == [
        ["1", "25.0 % (\u221250.0)", "1", "3"],
        ["2", "50.0 % (+25.0)", "2", "1"],
        ["not answered", "25.0 % (+25.0)", "1", "0"],
    ]


def test_each_of_several_outputs_has_a_table_of_its_name() -> None:
    one = np.array([[0.9, 0.1]])
    some = LabelledAnswers(answers=one, labels=np.array([0]))
    found = Outcomes(
        task=Classification(classes=("a", "b")),
        output="kind",
        part="",
        baseline=some,
        live=some,
        windows=(WINDOW,),
        left_out=0,
    )
    whole, sliced = outcome_views([found, replace(found, part="x=1")])
    assert (whole.title, whole.table.name) == ("Confusion matrix of kind", "confusion-kind")
    assert (sliced.title, sliced.table.name) == ("Confusion matrix of kind at x = 1", "confusion-kind-x=1")


def test_without_a_label_there_is_nothing() -> None:
    none = LabelledAnswers(answers=np.zeros((0, 2)), labels=np.zeros(0, np.int64))
    task = Classification(classes=("a", "b"))
    assert outcome_views([Outcomes(task=task, part="", baseline=none, live=none, windows=(), left_out=0)]) == ()
