"""Tables of several outputs: the columns of each, what it is judged by, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.onboarding.table_description import described
from monitoring.sentences.finding_text import finding_text
from monitoring.tasks.classification import Classification
from monitoring.tasks.label_objects import texts_of_outputs
from monitoring.tasks.regression import Regression
from monitoring.traffic.tables.answers import no_answer_findings, read_answers
from monitoring.traffic.tables.column_findings import column_findings
from monitoring.traffic.tables.columns import TableColumns, named_columns
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.label_tables import LabelTables
from monitoring.traffic.tables.reference import LoadedPiece
from monitoring.traffic.tables.rows import coded_labels, objects_of
from monitoring.traffic.tables.table import Table
from monitoring.traffic.tables.tasks.outputs import by_output, output_tasks, with_outputs
from tests.monitoring.traffic.tables.table_files import at, parquet, raw, times, window

SAID: dict[str, Any] = {
    "label": {"kind": ("was",), "late": ("was_late",), "price": ("paid",), "tone": ("heard",)},
    "scores": {"kind": ("a", "b", "c"), "late": ("p",)},
    "predicted": {"price": ("price",), "tone": ("tone",)},
    "classes": {"kind": ("a", "b", "c")},
}
CELLS = {
    "a": [0.2, 0.1, 0.7],
    "b": [0.5, 0.1, 0.2],
    "c": [0.3, 0.8, 0.1],
    "was": ["b", "a", "c"],
    "p": [0.75, 0.5, 0.25],
    "was_late": [True, False, None],
    "price": [10.5, 11.0, 12.0],
    "paid": [10.0, 11.5, 12.0],
    "tone": ["low", "high", "low"],
    "heard": ["low", "low", "high"],
}


def pieces(**other: list[Any]) -> tuple[LoadedPiece, ...]:
    return (LoadedPiece(name="t", first_row=0, raw=raw(**{n: pa.array(c) for n, c in (CELLS | other).items()})),)


def columns(said: dict[str, Any] = SAID, **other: list[Any]) -> TableColumns:
    return with_outputs(pieces(**other), named(said), ())


def named(said: dict[str, Any] = SAID) -> TableColumns:
    description = described(**said)
    return named_columns(description.config, of_outputs=description.output_classes)


def test_each_output_is_judged_by_what_its_columns_hold() -> None:
    found = output_tasks(columns())
    assert found is not None
    kind, late, price, tone = found.outputs_judged
    assert (kind.task, kind.numbers) == (Classification(classes=("a", "b", "c")), 3)
    assert late.task == Classification(classes=("false", "true"))
    assert price.task == Regression()
    assert tone.task == Classification(classes=("high", "low"), has_probabilities=False)


def test_rows_are_read_as_the_outputs_side_by_side() -> None:
    known, rows = columns(), pieces()[0].raw
    values, unusable, _ = read_answers(rows, known)
    assert values[0].tolist() == [0.2, 0.5, 0.3, 0.25, 0.75, 10.5, 0.0, 1.0]
    labels = coded_labels(rows, known).dictionary_decode()
    assert (unusable, labels[0].as_py()) == (0, '{"kind":"b","late":"true","price":"10","tone":"low"}')
    task = output_tasks(known)
    assert task is not None
    codes = task.label_codes(pa.chunked_array([labels]))
    assert task.read_labels(codes[:2]).tolist()[0] == "kind b, late true, price 10, tone low"
    table = pa.table({"probabilities": list(values), "label": labels})
    assert [(name, part["label"].to_pylist()[0]) for name, part, _ in by_output(table, known)] == [
        ("kind", "b"),
        ("late", "true"),
        ("price", "10"),
        ("tone", "low"),
    ]


def test_a_row_without_a_usable_answer_of_one_output_has_none() -> None:
    values, unusable, _ = read_answers(pieces(p=[0.75, 1.5, 0.25])[0].raw, columns())
    assert (unusable, np.isnan(values).all(axis=1).tolist()) == (1, [False, True, False])


@pytest.mark.parametrize(
    ("change", "cells", "part"),
    [
        ({"scores": ("a", "b")}, {}, "Got scores of no output"),
        ({"label": {"kind": ()}}, {}, "one label for each output"),
        ({"scores": {"kind": ("a",), "other": ("b",)}}, {}, "outputs kind, late, price, tone, other"),
        ({"predicted": {"tone": ("tone",)}}, {}, "The answer of output price is not one. Got no column"),
        ({"predicted": SAID["predicted"] | {"late": ("p",)}}, {}, "output late is not one. Got p, p"),
        ({"task": "regression"}, {}, "Several outputs are no one task"),
        ({"classes": {"kind": ("a", "b")}}, {}, "Output kind: the classes do not fit the table"),
        ({"classes": {}}, {"was_late": ["no", "yes", "no"]}, "--classes late=no,yes"),
        ({}, {"p": [2.0, 3.0, 4.0]}, "Output late: most scores of the reference are no probabilities"),
        ({}, {"price": ["x", "y", "z"]}, "Output price: no answer is ever the name of a label"),
        ({"label": SAID["label"] | {"a:b": "paid"}, "predicted": SAID["predicted"] | {"a:b": "price"}}, {}, "colon"),
    ],
)
def test_what_does_not_fit_is_one_error_that_names_the_output(
    change: dict[str, Any], cells: dict[str, list[Any]], part: str
) -> None:
    with pytest.raises(BadInput) as refused:
        columns(SAID | change, **cells)
    assert part in str(refused.value)


def test_losses_by_class_are_refused() -> None:
    with pytest.raises(BadInput, match="not watched by class"):
        with_outputs(pieces(), named(), ("label",))


#: The rows of the table at the first three hours of its day, with ids.
ROWS = {"event_time": times([1, 2, 3]), "prediction_id": pa.array(["x", "y", "z"])} | {
    name: pa.array(cells) for name, cells in CELLS.items()
}


def known_columns() -> TableColumns:
    return columns().replaced(reference_types=dict.fromkeys(ROWS, "string"))


@pytest.mark.parametrize("text", [False, True])
def test_a_live_table_is_read_by_the_same_columns(tmp_path: Path, *, text: bool) -> None:
    table = pa.table(ROWS)
    if text:
        pacsv.write_csv(table, tmp_path / "live.csv")
    pieces = pieces_of(tmp_path / "live.csv") if text else parquet(tmp_path, table)
    scan = Table.of(pieces, known_columns()).window(window(0, 24))
    found = scan.read()
    assert found["probabilities"].to_pylist()[1] == [0.1, 0.1, 0.8, 0.5, 0.5, 11.0, 1.0, 0.0]
    assert found["label"].to_pylist()[0] == '{"kind":"b","late":"true","price":"10","tone":"low"}'
    assert found["label_time"].to_pylist()[0] == at(1)
    assert scan.findings() == ()


def test_labels_may_come_in_a_table_of_their_own_with_a_column_for_each_output(tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    (tmp_path / "labels").mkdir()
    answers = pa.table(
        {name: ROWS[name] for name in ("event_time", "prediction_id", "a", "b", "c", "p", "price", "tone")}
    )
    truths = pa.table({name: ROWS[name] for name in ("prediction_id", "was", "was_late", "paid", "heard")})
    rows = Table.of(parquet(tmp_path / "rows", answers), known_columns())
    separate = LabelTables(parquet(tmp_path / "labels", truths), known_columns()).labels(rows)
    assert separate["prediction_id"].to_pylist()[:2] == ["x", "y"]
    assert json.loads(separate["label"][1].as_py()) == {"kind": "a", "late": "false", "price": "11.5", "tone": "low"}


def test_a_table_of_labels_that_lacks_an_output_is_refused(tmp_path: Path) -> None:
    labels = LabelTables(parquet(tmp_path, pa.table({"prediction_id": ["x"], "was": ["a"], "paid": [1.0]})), columns())
    with pytest.raises(BadInput, match="no column was_late, heard"):
        _ = labels.ids


def test_a_column_that_is_gone_or_of_another_type_is_named() -> None:
    known = known_columns()
    cells = ROWS | {"paid": pa.array([True, False, True]), "was": pa.array([at(1)] * 3)}
    rows = raw(**{name: cell for name, cell in cells.items() if name != "p"})
    values, unusable, gone = read_answers(rows, known)
    assert np.isnan(values).all()
    assert (unusable, gone) == (3, ("p",))
    assert [one.feature for one in column_findings(rows, known)] == ["was"]


def test_rows_none_of_which_is_answered_by_all_outputs_are_a_fact() -> None:
    (fact,) = no_answer_findings(columns(), 3, 3)
    assert "holds an answer of each of kind, late, price, tone in none of 3 rows" in finding_text(fact)


def test_an_output_whose_classes_are_predicted_has_its_classes_by_number_too() -> None:
    values, unusable, _ = read_answers(pieces(tone=["0", "1", "2"])[0].raw, columns())
    assert (values[0, -2:].tolist(), values[1, -2:].tolist(), unusable) == ([1.0, 0.0], [0.0, 1.0], 1)


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: bool(text.strip()))


@given(st.dictionaries(WORDS, st.lists(WORDS, min_size=2, max_size=2), min_size=1, max_size=3))
def test_labels_of_any_text_are_read_as_they_were(parts: dict[str, list[str]]) -> None:
    written = objects_of({name: pa.array(words) for name, words in parts.items()})
    read = texts_of_outputs(pa.chunked_array([written]), tuple(parts))
    assert [part.to_pylist() for part in read] == list(parts.values())
