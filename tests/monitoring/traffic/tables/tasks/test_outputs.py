"""Tables of several outputs: the columns of each, what it is judged by, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from monitoring.tasks.classification import Classification
from monitoring.tasks.regression import Regression
from monitoring.traffic.tables.answers import read_answers
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.reference import LoadedPiece
from monitoring.traffic.tables.rows import coded_labels
from monitoring.traffic.tables.tasks.outputs import by_output, named_outputs, output_tasks, outputs_named, with_outputs
from tests.monitoring.traffic.tables.table_files import raw

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
    return with_outputs(pieces(**other), named_outputs(TableColumns(), outputs_named(said)), ())


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
        with_outputs(pieces(), named_outputs(TableColumns(), outputs_named(SAID)), ("label",))
