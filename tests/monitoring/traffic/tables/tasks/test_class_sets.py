"""Tables in which a row may have several classes: labels in columns, lists or text, and what is refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from monitoring.tasks.multilabel import Multilabel
from monitoring.traffic.tables.answers import read_answers
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.reference import LoadedPiece
from monitoring.traffic.tables.rows import coded_labels
from monitoring.traffic.tables.tasks.class_sets import holds_sets, with_sets
from tests.monitoring.traffic.tables.table_files import raw

TASK = Multilabel(classes=("dog", "cat"))
COLUMNS = TableColumns(scores=("p", "q"), label="y")


def piece(**columns: pa.Array) -> tuple[LoadedPiece, ...]:
    scores = {"p": pa.array([0.9, 0.9, 0.2]), "q": pa.array([0.8, 0.1, 1.0])}
    return (LoadedPiece(name="t", first_row=0, raw=raw(**{**scores, **columns})),)


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ({"y": pa.array([["dog", "cat"], [], None])}, ()),
        ({"y": pa.array([[1, 1], [0, 0], None])}, ()),
        ({"y": pa.array([[True, True], [False, False], None], pa.list_(pa.bool_(), 2))}, ()),
        ({"y": pa.array(["dog|cat", "[]", None])}, ()),
        ({"y1": pa.array([1, 0, 1]), "y2": pa.array([1.0, 0.0, None])}, ("y1", "y2")),
        ({"y1": pa.array([True, False, None]), "y2": pa.array(["1", "0", "1"])}, ("y1", "y2")),
    ],
)
def test_labels_are_sets_however_they_are_written(columns: dict[str, pa.Array], names: tuple[str, ...]) -> None:
    pieces = piece(**columns)
    found = with_sets(pieces, COLUMNS.replaced(label_columns=names), ("dog", "cat"), ())
    labels = coded_labels(pieces[0].raw, found).dictionary_decode()
    assert TASK.label_codes(pa.chunked_array([labels])).tolist() == [0b11, 0, -1]
    assert (found.classes, found.exclusive) == (("dog", "cat"), False)


def test_probabilities_need_not_sum_to_one_and_others_are_unusable() -> None:
    rows = piece(p=pa.array([0.9, 1.5, None]))[0].raw
    values, unusable, _ = read_answers(rows, COLUMNS.replaced(classes=TASK.classes, exclusive=False))
    np.testing.assert_array_equal(values, [[0.9, 0.8], [np.nan, np.nan], [np.nan, np.nan]])
    assert unusable == 2


def test_several_columns_or_lists_say_that_a_row_may_have_several_classes() -> None:
    assert holds_sets(piece(y=pa.array([["dog"], [], None])), "y", ())
    assert holds_sets(piece(), "y", ("a", "b"))
    assert not holds_sets(piece(y=pa.array(["dog", "cat", "dog"])), "y", ())


def test_classes_are_named_after_the_columns_of_labels_then_of_scores() -> None:
    ones = {"a": pa.array([1, 0, 1]), "b": pa.array([0, 0, 1])}
    assert with_sets(piece(**ones), COLUMNS.replaced(label_columns=("a", "b")), (), ()).classes == ("a", "b")
    assert with_sets(piece(y=pa.array(["p|q", "p", None])), COLUMNS, (), ()).classes == ("p", "q")
    lists = {"s": pa.array([[0.1, 0.2]] * 3), "y": pa.array([[1, 0]] * 3)}
    with pytest.raises(BadInput, match="have to be named"):
        with_sets(piece(**lists), COLUMNS.replaced(scores=("s",)), (), ())


@pytest.mark.parametrize(
    ("said", "classes", "slices", "message"),
    [
        ({}, ("dog", "cat", "cow"), (), "classes do not fit the scores"),
        ({"label_columns": ("p",)}, ("dog", "cat"), (), "classes do not fit the scores"),
        ({}, ("dog", "cow"), (), "name none of the classes"),
        ({}, ("dog", "cat"), ("label",), "losses of its own"),
        ({"predicted": "p", "scores": ()}, ("dog", "cat"), (), "losses of its own"),
        ({"scores": ("p", "r")}, ("dog", "cat"), (), "no probabilities"),
    ],
)
def test_what_does_not_fit_is_refused(
    said: dict[str, tuple[str, ...]], classes: tuple[str, ...], slices: tuple[str, ...], message: str
) -> None:
    pieces = piece(y=pa.array(["dog|cat", "cat", None]), r=pa.array([3.0, -2.0, 7.0]))
    with pytest.raises(BadInput, match=message):
        with_sets(pieces, COLUMNS.replaced(**said), classes, slices)
