"""What a function must do to be a metric: each violation is one error that says what was got."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from monitoring.errors import BadInput
from monitoring.tasks.outputs_only import OutputsOnly
from monitoring.tasks.task import NO_LABEL, WatchedOutput
from monitoring.watches.custom.metric_check import check_metrics
from monitoring.watches.custom.metric_rows import MetricRows
from tests.monitoring.watches.custom.metric_baseline import ROWS, SPEC, baseline, metrics, predictions


def missed(rows: MetricRows) -> Any:
    return (rows.label == "late") & (rows.prediction == "on_time")


def late(rows: MetricRows) -> Any:
    return rows.probabilities[:, 1]


RANDOM = np.random.default_rng(0)
BROKEN: dict[str, Callable[[MetricRows], Any]] = {
    "ZeroDivisionError: division by zero": lambda rows: 1 / 0,
    "a single float": lambda rows: 0.5,
    "an array of shape 397": lambda rows: late(rows)[1:],
    "an array of shape 398 x 2": lambda rows: rows.probabilities,
    "could not convert string": lambda rows: rows.label,
    "398 values that are NaN or infinite": lambda rows: late(rows) * np.nan,
    "values from 0.00.* to 1.99": lambda rows: 2.0 * late(rows),
    "0 for each of 398 labelled rows": lambda rows: np.zeros(len(rows)),
    "when it was called again": lambda rows: RANDOM.random(len(rows)),
    "when it was called with half of them": lambda rows: late(rows) / late(rows).max(),
    "read-only": lambda rows: rows.label.sort(),
    "'temp' is not in the metric's `inputs`": lambda rows: rows["temp"] > 50.0,
    "a single NoneType": lambda rows: None,
}


@pytest.mark.parametrize("said", BROKEN)
def test_each_violation_is_an_error_of_its_own(said: str) -> None:
    with pytest.raises(BadInput, match=rf"^The metric missed cannot be used\. .*{said}"):
        check_metrics(metrics(BROKEN[said]), baseline())


def test_what_is_a_metric_passes() -> None:
    check_metrics(metrics(missed), baseline())
    check_metrics(metrics(lambda rows: list(late(rows))), baseline())
    check_metrics(metrics(lambda rows: rows["origin"] == "EWR", inputs=("origin",)), baseline())


def test_inputs_and_labels_have_to_be_there() -> None:
    with pytest.raises(BadInput, match=r"Got 'speed'; expected some of temp, origin"):
        check_metrics(metrics(missed, inputs=("speed",)), baseline())
    with pytest.raises(BadInput, match="without labels"):
        check_metrics(metrics(missed), baseline(predictions(np.full(ROWS, NO_LABEL))))
    spec = replace(SPEC, classes=(), other_task=OutputsOnly(watched=(WatchedOutput(name="tags", width=2),)))
    with pytest.raises(BadInput, match="outputs alone"):
        check_metrics(metrics(missed), baseline(predictions(np.zeros(ROWS, np.int64)), spec))
