"""What a reference table says of itself: inputs, kinds and classes, and every way in which it cannot be used."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.reference import (
    MOST_CLASSES,
    LoadedPiece,
    absent_columns,
    better_order,
    check_label_times,
    check_labels,
    check_scores,
    classes_of,
    matched_classes,
    read_all,
    spelling,
    time_columns,
    types_of,
    with_written_types,
)
from tests.monitoring.traffic.tables.table_files import UTC_TIME, parquet, raw, rows_at, times

ONE = TableColumns(event_time="ts", label="y", scores=("p",))
TWO = TableColumns(event_time="ts", label="y", scores=("late", "on_time"))
PREDICTED = TableColumns(event_time="ts", label="y", predicted="c")
NO_NAME: dict[str, Any] = {"": [1]}
INDEX: dict[str, Any] = {"Unnamed: 0": [0]}
COLON: dict[str, Any] = {"a:b": ["x"]}


def piece(*, text: bool = False, **columns: Any) -> LoadedPiece:
    found = {name: pa.array(cells) if isinstance(cells, list) else cells for name, cells in columns.items()}
    return LoadedPiece(name="a.csv", first_row=0, raw=raw(text=text, **found))


def test_pieces_are_read_once(tmp_path: Path) -> None:
    pieces = parquet(tmp_path, rows_at([1, 2]), rows_at([3]))
    found = read_all(pieces)
    (tmp_path / "0.parquet").unlink()
    assert [(each.name, each.read(["p"]).table.num_rows) for each in found] == [("0.parquet", 2), ("1.parquet", 1)]


@pytest.mark.parametrize("tables", [[], [rows_at([])]])
def test_a_reference_without_rows_is_bad_input(tmp_path: Path, tables: list[pa.Table]) -> None:
    pieces = parquet(tmp_path, *tables) if tables else ()
    with pytest.raises(BadInput, match="empty"):
        read_all(pieces)


def test_types_are_those_of_the_cells_and_text_files_have_strings() -> None:
    first = piece(a=[1], b=pa.array(["x"]).dictionary_encode())
    assert types_of([first, piece(a=[1.5], c=[True])]) == {"a": "int64", "b": "string", "c": "bool"}
    assert types_of([piece(text=True, a=[b"1"])]) == {"a": "string"}


def test_files_with_types_say_the_types_of_text_files_beside_them() -> None:
    texts = piece(text=True, a=[b"1.0", b"007"], b=[b"True", b"false"])
    pieces = [texts, piece(a=pa.nulls(1), b=[False]), piece(a=[2], b=[True])]
    assert types_of(pieces) == {"a": "int64", "b": "bool"}
    read, types = with_written_types(pieces, types_of(pieces), ["a", "b"])
    assert types == {"a": "int64", "b": "bool"}
    assert read[0].raw.table.to_pydict() == {"a": ["1", "7"], "b": ["true", "false"]}
    assert read[2].raw.table.to_pydict() == {"a": [2], "b": [True]}
    _, written = with_written_types(pieces[:2], types_of(pieces[:2]), ["a"])
    assert written["a"] == "string"


def classes(columns: TableColumns, *given: str, **cells: Any) -> tuple[str, ...]:
    return classes_of([piece(**cells)], columns, given)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [([0, 1], ("0", "1")), ([1.0, 0.0], ("0", "1")), ([True, False], ("false", "true")), (["1"], ("0", "1"))],
)
def test_one_score_is_about_0_and_1_or_false_and_true(labels: list[Any], expected: tuple[str, str]) -> None:
    assert classes(ONE, p=[0.5] * len(labels), y=labels) == expected


def test_one_score_with_other_labels_needs_the_classes_named() -> None:
    with pytest.raises(BadInput, match="have to be named") as raised:
        classes(ONE, p=[0.5, 0.5], y=["late", "on_time"])
    assert "--classes late,on_time or --classes on_time,late" in raised.value.fix
    assert classes(ONE, "on_time", "late", p=[0.5, 0.5], y=["late", "on_time"]) == ("on_time", "late")


def test_several_scores_are_named_after_their_columns_or_after_the_labels() -> None:
    scores = {"late": [0.5], "on_time": [0.5]}
    assert classes(TWO, **scores, y=["late"]) == classes(TWO, **scores) == ("late", "on_time")
    assert classes(TWO.replaced(scores=("s0", "s1")), s0=[0.5, 0.5], s1=[0.5, 0.5], y=["b", "a"]) == ("a", "b")


def test_lists_have_as_many_classes_as_scores() -> None:
    lists = pa.array([[0.2, 0.3, 0.5], None])
    assert classes(ONE, "a", "b", "c", p=lists, y=["a", "c"]) == ("a", "b", "c")
    with pytest.raises(BadInput, match="have to be named"):
        classes(ONE, p=lists, y=["a", "c"])
    with pytest.raises(BadInput, match="do not fit") as raised:
        classes(ONE, "a", "b", p=lists, y=["a", None])
    assert raised.value.got == "classes a, b for 3 scores"


@pytest.mark.parametrize("given_classes", [("a",), ("a", "a"), ("a", "b", "c")])
def test_classes_that_do_not_fit_the_scores_are_bad_input(given_classes: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match="do not fit"):
        classes(ONE, *given_classes, p=[0.5], y=["a"])


def test_labels_of_unknown_classes_are_named() -> None:
    with pytest.raises(BadInput, match="do not fit") as raised:
        classes(ONE, "a", "b", p=[0.5] * 3, y=["a", "x", "y"])
    assert raised.value.got == "classes a, b; labels x, y"


def test_class_numbers_are_labels_of_named_classes() -> None:
    assert classes(ONE, "on_time", "late", p=[0.5] * 2, y=[0, 1]) == ("on_time", "late")


def test_the_scores_names_in_another_order_are_bad_input() -> None:
    with pytest.raises(BadInput, match="another order") as raised:
        classes(TWO, "on_time", "late", late=[0.5], on_time=[0.5], y=["late"])
    assert "--classes late,on_time" in raised.value.fix


@pytest.mark.parametrize(
    ("answers", "labels", "expected"),
    [
        (["a", "b"], ["b", "c"], ("a", "b", "c")),
        ([0, 0], [1, 1], ("0", "1")),
        ([True, False], [0, 1], ("0", "1")),
        (["a", "b"], [None, None], ("a", "b")),
    ],
)
def test_predicted_classes_are_those_that_are_answered_or_true(
    answers: list[Any], labels: list[Any], expected: tuple[str, ...]
) -> None:
    assert classes(PREDICTED, c=answers, y=labels) == expected


def test_answers_that_are_never_a_label_are_bad_input() -> None:
    with pytest.raises(BadInput, match="No answer is ever"):
        classes(PREDICTED, c=["a", "b"], y=["x", "z"])


@given(st.integers(1, 50))
def test_a_column_of_very_many_values_does_not_hold_classes(more: int) -> None:
    with pytest.raises(BadInput, match="does not hold classes"):
        classes(ONE, p=[0.5] * (MOST_CLASSES + more), y=list(range(MOST_CLASSES + more)))


def test_labels_of_a_type_that_names_no_class_are_bad_input() -> None:
    check_labels([piece(y=["a"]), piece(y=pa.nulls(1)), piece(x=[1])], "y")
    with pytest.raises(BadInput, match="does not hold labels") as raised:
        check_labels([piece(y=["a"]), piece(y=times([1]))], "y")
    assert raised.value.got == f"type {UTC_TIME}"


def test_scores_are_checked_against_the_range_of_probabilities() -> None:
    one, two = (columns.replaced(classes=("a", "b")) for columns in (ONE, TWO))
    check_scores([piece(p=[0.5, 7.0])], one)
    check_scores([piece(p=[None, None, 0.5])], one)
    check_scores([piece(c=[7])], PREDICTED)
    with pytest.raises(BadInput, match="no probabilities") as raised:
        check_scores([piece(p=[-3.0, 50.0, 0.5])], one)
    assert raised.value.got == "p from -3 to 50; 2 of 3 rows do not fit"
    assert "sigmoid" in raised.value.fix
    with pytest.raises(BadInput, match="no probabilities") as raised:
        check_scores([piece(late=[0.5], on_time=[0.9])], two)
    assert "softmax" in raised.value.fix


def test_lists_of_logits_are_no_probabilities() -> None:
    with pytest.raises(BadInput, match="no probabilities") as raised:
        check_scores([piece(p=pa.array([[3.0, -1.5]]))], ONE.replaced(classes=("a", "b")))
    assert raised.value.got.startswith("p from -1.5 to 3;")


def test_label_times_must_be_times_somewhere() -> None:
    columns = ONE.replaced(label_time="known_at")
    check_label_times([piece(x=[1])], columns)
    check_label_times([piece(known_at=["soon"]), piece(known_at=["2024-01-01"])], columns)
    check_label_times([piece(known_at=[" ", None])], columns)
    with pytest.raises(BadInput, match="does not hold times") as raised:
        check_label_times([piece(known_at=[None, "soon"])], columns)
    assert raised.value.got == "'soon', of type string, and so on"
    with pytest.raises(BadInput, match="does not hold times"):
        check_label_times([piece(known_at=[5])], columns)


def test_absent_columns_are_those_named_by_an_option() -> None:
    there = {"a": "int64"}
    assert absent_columns(there, {"--label": "y", "--score": "a", "--label-time": None}) == {"--label": "y"}
    assert spelling(there) == "Check the spelling."
    assert "separated by ';'" in spelling({"a;b": "string"})


def test_scores_without_a_value_in_any_row_pass_to_the_check_of_answers() -> None:
    check_scores([piece(p=pa.array([np.nan, None], pa.float64()))], ONE.replaced(classes=("a", "b")))


def test_columns_of_times_without_a_role_are_found_by_all_their_cells() -> None:
    one = piece(
        ts=times([1, 2]), opened=["2024-01-01", None], city=["a", "2024-01-01"], empty=[None, None], born=times([3, 4])
    )
    assert time_columns([one], ONE, ("born",)) == {"opened": "string"}


CARDS = ("prepaid_card", "highstreet_card", "upmarket_card")


@pytest.mark.parametrize(
    ("scores", "labels", "classes"),
    [
        ([f"y_pred_proba_{card}" for card in CARDS], set(CARDS), CARDS),
        ([f"{card}_score" for card in CARDS], set(CARDS), CARDS),
        ([f"p_{card}_score" for card in CARDS], set(CARDS[:2]), CARDS),
        (["p_1", "p_0", "p_10"], {"0", "1", "10"}, ("1", "0", "10")),
        (["cat", "dog"], {"dog"}, ("cat", "dog")),
        (["a", "b"], set(), ("a", "b")),
        (["first", "second"], {"no", "yes"}, ("no", "yes")),
    ],
)
def test_columns_are_named_after_classes(scores: list[str], labels: set[str], classes: tuple[str, ...]) -> None:
    assert matched_classes(tuple(scores), labels) == tuple(classes)


def test_the_order_that_answers_best_is_found_from_any_other() -> None:
    rng = np.random.default_rng(0)
    answers = rng.dirichlet([0.3] * 3, 2_000)
    truth = np.array([rng.choice(3, p=row) for row in answers])
    for order in permutations(range(3)):
        classes = tuple("abc"[place] for place in order)
        labels = np.array([classes.index("abc"[label]) for label in truth])
        found = better_order(answers, labels, classes)
        assert found == (None if classes == ("a", "b", "c") else ("a", "b", "c"))


def test_answers_that_say_nothing_have_no_better_order() -> None:
    rng = np.random.default_rng(1)
    assert better_order(rng.dirichlet([1.0] * 3, 5_000), rng.integers(0, 3, 5_000), ("a", "b", "c")) is None
    assert better_order(np.zeros((0, 2)), np.zeros(0, dtype=np.int64), ("a", "b")) is None
