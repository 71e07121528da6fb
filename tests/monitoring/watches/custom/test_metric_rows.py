"""What a metric's function sees of each task's rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from monitoring.tasks.classification import Classification
from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.outputs_only import OutputsOnly
from monitoring.tasks.regression import Regression
from monitoring.tasks.task import WatchedOutput
from monitoring.watches.custom.metric_rows import MetricRows

TWO = np.array([[0.75, 0.25], [0.125, 0.875]])
INPUTS = pa.table({"temp": [20, None], "origin": pa.array(["EWR", None]).dictionary_encode()})


def test_classes_have_names_and_missing_inputs_are_nan_and_none() -> None:
    rows = MetricRows.of(Classification(classes=("on_time", "late")), TWO, np.array([1, 1]), INPUTS)
    assert (rows.label.tolist(), rows.prediction.tolist()) == (["late", "late"], ["on_time", "late"])
    assert (len(rows), rows.classes, rows.probabilities.tolist()) == (2, ("on_time", "late"), TWO.tolist())
    assert str(rows["temp"].tolist()) == "[20.0, nan]"
    assert rows["origin"].tolist() == ["EWR", None]
    with pytest.raises(KeyError, match=r"'speed' is not in the metric's `inputs` \(temp, origin\)"):
        rows["speed"]


def test_sets_of_classes_are_a_matrix_and_numbers_are_numbers() -> None:
    rows = MetricRows.of(Multilabel(classes=("dog", "cat")), TWO, np.array([0b01, 0b11]), INPUTS)
    assert rows.label.tolist() == [[True, False], [True, True]]
    assert rows.prediction.tolist() == [[True, False], [False, True]]
    rows = MetricRows.of(Regression(), np.array([[1.5], [2.5]]), np.array([1.0, 3.0]).view(np.int64), INPUTS)
    assert (rows.label.tolist(), rows.prediction.tolist(), rows.probabilities.shape) == ([1.0, 3.0], [1.5, 2.5], (2, 0))
    task = OutputsOnly(watched=(WatchedOutput(name="tags", width=2),))
    assert MetricRows.of(task, TWO, np.array([0, 0]), INPUTS).prediction.shape == (2, 2)


def test_rows_cannot_be_written_to_and_some_can_be_taken() -> None:
    answers = TWO.copy()
    rows = MetricRows.of(Classification(classes=("on_time", "late")), answers, np.array([1, 0]), INPUTS)
    for values in (rows.label, rows.prediction, rows.probabilities, rows["temp"], rows.take(np.array([1])).label):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = values[0]
    answers[0, 0] = 0.5  # the caller's own array is as it was
    taken = rows.take(np.array([1]))
    assert (taken.label.tolist(), taken["origin"].tolist()) == (["on_time"], [None])
