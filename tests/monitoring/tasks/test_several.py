"""Several outputs are judged side by side, each by its own part of a label."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa

from monitoring.tasks.classification import Classification
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.regression import Regression
from monitoring.tasks.several import SeveralTasks
from monitoring.tasks.task import NO_LABEL, UNKNOWN_CLASS, OutputTask

KIND = OutputTask(output="kind", task=Classification(classes=("low", "mid", "high")), numbers=3)
LATE = OutputTask(output="late", task=Classification(classes=("0", "1")), numbers=1)
PRICE = OutputTask(output="price", task=Regression(bound=10.0, knots=(0.0, 10.0, 20.0)), numbers=1)
TASK = SeveralTasks(outputs_judged=(KIND, LATE, PRICE))
ANSWERS = np.array([[0.2, 0.3, 0.5, 0.75, 0.25, 11.0], [0.9, 0.1, 0.0, 0.5, 0.5, 30.0]])


def codes(*labels: dict[str, Any] | str | None) -> Any:
    words = [json.dumps(each) if isinstance(each, dict) else each for each in labels]
    return TASK.label_codes(pa.chunked_array([pa.array(words, pa.string())]))


def test_each_output_has_the_losses_of_its_own_task_under_its_own_name() -> None:
    labels = codes({"kind": "high", "late": 0, "price": 12}, {"kind": "1", "late": True, "price": 10.0})
    found = TASK.losses(ANSWERS, labels)
    assert set(TASK.metrics) == {*(f"of:{name}:{loss}" for name in ("kind", "late") for loss in ("error", "brier"))} | {
        "of:price:absolute_error",
        "of:price:squared_error",
    }
    assert found["of:kind:error"].tolist() == [0.0, 1.0]
    assert found["of:late:brier"].tolist() == [0.0625, 0.25]
    np.testing.assert_allclose(found["of:price:absolute_error"] * TASK.scales["of:price:absolute_error"], [1.0, 10.0])
    assert {watch.name for watch in TASK.loss_watches} == {
        *TASK.metrics,
        *(f"surprise_{metric}" for metric in TASK.metrics),
        "of:price:bias",
    }
    assert set(found) >= {watch.name for watch in TASK.loss_watches if watch.family == "performance"}
    assert {watch.name for watch in TASK.output_watches} <= set(TASK.outputs(ANSWERS))


def test_a_label_counts_with_the_parts_that_it_has_and_an_unknown_class_is_one() -> None:
    whole = {"kind": "low", "late": 1, "price": 2.5}
    found = codes(whole, {**whole, "late": None}, {"kind": "low"}, "low", None, {**whole, "kind": "none such"}, "{")
    assert has_label(found).tolist() == [True, True, True, False, False, True, False]
    assert (found[1:3] == NO_LABEL).tolist() == [[False, True, False], [False, True, True]]
    assert found[5, 0] == UNKNOWN_CLASS
    assert TASK.unknown(found[[0, 5]]).tolist() == [False, True]
    assert TASK.losses(ANSWERS[:1], found[[5]])["of:kind:error"].tolist() == [1.0]


def test_a_part_that_is_missing_has_no_losses_and_is_not_named() -> None:
    whole = {"kind": "high", "late": 0, "price": 12}
    labels = codes(whole, {"kind": "low", "price": 10})
    found, full = (TASK.losses(ANSWERS, each) for each in (labels, codes(whole, whole | {"kind": "low", "price": 10})))
    for name, losses in found.items():
        missing = name.startswith("of:late:")
        assert np.isnan(losses).tolist() == [False, missing]
        assert losses[0] == full[name][0]
        assert missing or losses[1] == full[name][1]
    assert TASK.read_labels(labels).tolist() == ["kind high, late 0, price 12", "kind low, price 10"]


def test_names_in_other_letters_are_pointed_out() -> None:
    words = pa.chunked_array([['{"kind": "LOW", "late": 0, "price": 1}', '{"kind": "low", "late": 0, "price": 1}']])
    assert TASK.respelled(words).tolist() == [True, False]


def test_one_number_of_two_classes_is_the_second_ones_probability() -> None:
    np.testing.assert_allclose(LATE.answers(np.array([[0.25]])), [[0.75, 0.25]])
    np.testing.assert_allclose(KIND.answers(ANSWERS[:, :3]), ANSWERS[:, :3])


def test_rows_are_read_in_words() -> None:
    labels = codes({"kind": "high", "late": 0, "price": 1200}, {"kind": "low", "late": 1, "price": 2.5})
    assert TASK.read_answers(ANSWERS).tolist() == ["kind high, late 0, price 11", "kind low, late 0, price 30"]
    assert TASK.read_labels(labels).tolist() == ["kind high, late 0, price 1,200", "kind low, late 1, price 2.5"]
    assert TASK.read_answers(ANSWERS[:0]).tolist() == []


def test_it_is_written_and_read_as_it_was_fitted() -> None:
    labels = codes({"kind": "high", "late": 0, "price": 12}, {"kind": "low", "late": 1, "price": 10})
    fitted = TASK.fitted(ANSWERS, labels)
    assert fitted.outputs_judged[:2] == TASK.outputs_judged[:2]
    price = fitted.outputs_judged[2].task
    assert isinstance(price, Regression)
    assert price.bound > 30.0
    assert SeveralTasks.of(json.loads(json.dumps(fitted.document()))) == fitted
    assert [one.tolist() for one in TASK.scores(ANSWERS)][1] == [0.25, 0.5]
