"""Scores, lists of scores and predicted classes become probabilities; what is none is NaN and counted."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from monitoring.sentences.finding_text import finding_text
from monitoring.traffic.cells import is_list
from monitoring.traffic.tables.answers import (
    as_list_column,
    given_probabilities,
    no_answer_findings,
    read_answers,
    usable_answers,
)
from monitoring.traffic.tables.columns import TableColumns
from tests.monitoring.traffic.tables.table_files import raw

ONE = TableColumns(scores=("p",), classes=("no", "yes"))
THREE = TableColumns(scores=("a", "b", "c"), classes=("a", "b", "c"))
LISTS = TableColumns(scores=("p",), classes=("a", "b", "c"))
PREDICTED = TableColumns(predicted="class", classes=("no", "yes"))


def test_a_single_score_is_the_probability_of_the_second_class() -> None:
    values, unusable, absent = read_answers(raw(p=pa.array([0.25, 1.0, 0.0])), ONE)
    assert values.tolist() == [[0.75, 0.25], [0.0, 1.0], [1.0, 0.0]]
    assert (unusable, absent) == (0, ())


@pytest.mark.parametrize(
    ("row", "usable"),
    [
        ([0.75, 0.25, 1.0, 0.0, 0.0, 7.5], True),
        ([0.75, 0.5, 1.0, 0.0, 0.0, 7.5], False),
        ([0.75, 0.25, 1.0, 0.5, 0.0, 7.5], False),
        ([0.75, 0.25, 1.0, 0.0, 0.0, np.inf], False),
    ],
)
def test_a_row_of_several_outputs_is_usable_if_each_output_answered(row: list[float], *, usable: bool) -> None:
    number = TableColumns(predicted="price")
    columns = TableColumns(outputs={"late": ONE, "kind": THREE, "price": number})
    assert usable_answers(np.array([row]), columns).tolist() == [usable]


@pytest.mark.parametrize("cell", [None, float("nan"), float("inf"), -0.01, 1.01])
def test_a_score_that_is_no_probability_makes_its_row_unusable(cell: float | None) -> None:
    values, unusable, _ = read_answers(raw(p=pa.array([cell, 0.5], pa.float64())), ONE)
    assert unusable == 1
    assert np.isnan(values[0]).all()
    assert values[1].tolist() == [0.5, 0.5]


def test_one_score_per_class_may_add_up_to_one_but_for_rounding() -> None:
    columns = {"a": [0.33, 0.4, 0.5], "b": [0.33, 0.4, 0.5], "c": [0.33, 0.4, None]}
    values, unusable, _ = read_answers(raw(**{name: pa.array(cells) for name, cells in columns.items()}), THREE)
    assert unusable == 2
    assert values[0].tolist() == [0.33, 0.33, 0.33]


@pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.large_list(pa.float32()), pa.list_(pa.float64(), 3)])
def test_lists_hold_one_score_per_class(kind: pa.DataType) -> None:
    values, unusable, _ = read_answers(raw(p=pa.array([[0.25, 0.25, 0.5], None], kind)), LISTS)
    assert is_list(kind)
    assert values[0].tolist() == [0.25, 0.25, 0.5]
    assert unusable == 1


def test_lists_of_another_length_or_of_words_are_unusable() -> None:
    assert read_answers(raw(p=pa.array([[1.0], [0.5, 0.5], [], [0.0, 0.0, 1.0]])), LISTS)[1] == 3
    assert read_answers(raw(p=pa.array([["a", "b", "c"]])), LISTS)[1] == 1


def test_a_predicted_class_has_all_the_probability() -> None:
    values, unusable, _ = read_answers(raw(**{"class": pa.array(["yes", "no", "maybe", None])}), PREDICTED)
    assert values[:2].tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert unusable == 2


def test_a_predicted_class_may_be_its_index_and_never_a_time() -> None:
    assert given_probabilities(raw(**{"class": pa.array([1, 0])}), PREDICTED).tolist() == [[0.0, 1.0], [1.0, 0.0]]
    times = pa.array([0], pa.timestamp("s"))
    assert np.isnan(given_probabilities(raw(**{"class": times}), PREDICTED)).all()


def test_scores_are_read_from_text_in_text_files_only() -> None:
    cells = pa.array([b"0.25", b"x"])
    assert read_answers(raw(p=cells, text=True), ONE)[0][0].tolist() == [0.75, 0.25]
    assert read_answers(raw(p=cells, text=False), ONE)[1] == 2


def test_every_absent_column_is_named_and_no_row_is_usable() -> None:
    values, unusable, absent = read_answers(raw(b=pa.array([0.5, 0.5])), THREE)
    assert absent == ("a", "c")
    assert (values.shape, unusable) == ((2, 3), 2)


def test_no_usable_answer_at_all_is_a_fact() -> None:
    (found,) = no_answer_findings(ONE, 3, 3)
    assert (found.kind, found.fact, finding_text(found)) == (
        "no answers",
        True,
        "The column p holds a probability in none of 3 rows.",
    )
    assert "a class in none" in finding_text(no_answer_findings(PREDICTED, 3, 3)[0])
    assert no_answer_findings(ONE, 3, 2) == no_answer_findings(ONE, 0, 0) == ()


@given(arrays.arrays(np.float64, st.tuples(st.integers(0, 8), st.integers(1, 5)), elements=st.floats(0, 1)))
def test_a_list_column_is_read_back_as_it_was(values: np.ndarray) -> None:
    column = as_list_column(values)
    assert column.to_pylist() == values.tolist()
    width = values.shape[1]
    if width > 1:
        columns = LISTS.replaced(classes=tuple("abcde"[:width]))
        np.testing.assert_array_equal(given_probabilities(raw(p=column), columns), values)


STEPS = TableColumns(scores=("p",), numbers=("first", "second"))


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([[1.5, 2.0], [1.0], None, [3.0, None], [4.0, float("inf")]]),
        pa.array([[1.5, 2.0], None, None, [3.0, None], None], pa.list_(pa.float32(), 2)),
        pa.array(["[1.5, 2]", "[1]", None, "[3, null]", "[4, inf]"]),
    ],
    ids=["lists", "fixed lists", "text"],
)
def test_several_numbers_are_an_answer_where_all_of_them_are_there(cells: pa.Array) -> None:
    values, unusable, absent = read_answers(raw(p=cells), STEPS)
    assert values[0].tolist() == [1.5, 2.0]
    assert np.isnan(values[1:]).all()
    assert (unusable, absent) == (4, ())


def test_several_numbers_may_have_a_column_each() -> None:
    columns = STEPS.replaced(scores=("a", "b"))
    values, unusable, _ = read_answers(raw(a=pa.array([1.5, None]), b=pa.array([2, 3])), columns)
    assert (values[0].tolist(), unusable) == ([1.5, 2.0], 1)
    assert "2 numbers" in finding_text(no_answer_findings(columns, 3, 3)[0])
