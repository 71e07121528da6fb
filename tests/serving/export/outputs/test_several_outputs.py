"""Outputs with a label each are classes or numbers, or refused with the reason."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from monitoring.tasks.classification import Classification
from monitoring.tasks.regression import Regression
from serving.export.outputs.several_outputs import find_output_tasks, labels_of_outputs

ANSWERS: dict[str, Any] = {
    "kind": np.array([[0.2, 0.3, 0.5], [0.5, 0.25, 0.25]], np.float32),
    "late": np.array([[0.2], [0.9]], np.float32),
    "price": np.array([3.5, 20.0], np.float32),
    "logits": np.array([[1.0, -2.0, 3.0]] * 2, np.float32),
    "words": np.array([[b"a"], [b"b"]], object),
}


def found(
    columns: dict[str, Any], classes: tuple[str, ...] = (), classes_of: dict[str, tuple[str, ...]] | None = None
) -> list[tuple[str, Any, int]]:
    table = pa.table({f"{name}_label": values for name, values in columns.items()})
    labels = labels_of_outputs(table, {name: f"{name}_label" for name in columns})
    task = find_output_tasks(ANSWERS, labels, tuple(columns), classes, classes_of)
    return [(one.output, one.task, one.numbers) for one in task.outputs_judged]


def test_classes_by_index_or_by_name_and_numbers() -> None:
    assert found({"kind": [0, 2], "late": [1, 0], "price": [3, 1.5]}) == [
        ("kind", Classification(classes=("0", "1", "2")), 3),
        ("late", Classification(classes=("0", "1")), 1),
        ("price", Regression(), 1),
    ]
    named = found({"kind": ["a", "c"], "late": [True, False]}, ("a", "b", "c"))
    assert [task.classes for _, task, _ in named] == [("a", "b", "c"), ("0", "1")]
    assert found({"late": ["no", "yes"]}, ("no", "yes"))[0][1] == Classification(classes=("no", "yes"))


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"kind": ["a", "b"]}, "do not fit it"),
        ({"kind": [0, 3]}, "do not fit it"),
        ({"logits": [0, 1]}, "do not fit it"),
        ({"price": ["cheap", "dear"]}, "do not fit it"),
        ({"words": ["a", "b"]}, "do not fit it"),
        ({"colour": [1, 2]}, "no such output"),
    ],
    ids=["names", "index", "logits", "words", "texts", "absent"],
)
def test_labels_that_do_not_fit_are_refused(columns: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        found(columns)


def test_classes_named_by_output_are_of_labels_by_name_or_place() -> None:
    kinds, late = ("easy", "normal", "hard"), ("no", "yes")
    for labels in (["easy", "hard"], [0, 2], ["2", "easy"]):
        one, other = found({"kind": labels, "late": [1, 0]}, classes_of={"kind": kinds, "late": late})
        assert one == ("kind", Classification(classes=kinds), 3)
        assert other == ("late", Classification(classes=late), 1)


@pytest.mark.parametrize(
    ("label", "classes_of", "got"),
    [
        ({"kind": ["easy", "odd"]}, {"kind": ("easy", "normal", "hard")}, "labels odd of output kind"),
        ({"kind": ["easy"]}, {"kind": ("easy", "hard")}, r"output kind \[3\], and classes easy, hard"),
        ({"price": ["low"]}, {"price": ("low", "high")}, "output price"),
        ({"late": [0]}, {"kind": ("easy", "normal", "hard")}, "--classes kind="),
    ],
    ids=["label", "count", "number", "unlabelled"],
)
def test_classes_that_do_not_fit_an_output_are_refused_with_its_name(
    label: dict[str, Any], classes_of: dict[str, tuple[str, ...]], got: str
) -> None:
    with pytest.raises(BadInput) as refused:
        found(label, classes_of=classes_of)
    assert re.search(got, refused.value.got)


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(BadInput, match="no column paid") as refused:
        labels_of_outputs(pa.table({"x": [1]}), {"kind": "x", "price": "paid"})
    assert "kind=x,price=paid" in refused.value.got
