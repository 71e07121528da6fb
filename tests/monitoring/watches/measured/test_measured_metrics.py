"""Which metrics a task has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from monitoring.tasks.outputs_only import OutputsOnly
from monitoring.tasks.regression import Regression
from monitoring.tasks.task import NO_LABEL, WatchedOutput
from monitoring.tasks.vector_regression import VectorRegression
from monitoring.watches.descriptions import metric_title
from monitoring.watches.measured.class_metrics import ClassMetrics
from monitoring.watches.measured.measured_metrics import VectorMetrics, fit_measured
from monitoring.watches.measured.number_metrics import NumberMetrics
from tests.monitoring.watches.custom.metric_baseline import ROWS, SPEC, predictions


def test_each_task_has_its_metrics_and_without_labels_there_are_none() -> None:
    rows = predictions()
    found = fit_measured(SPEC.task, rows, 0.3)
    assert isinstance(found, ClassMetrics)
    assert found.threshold == 0.3
    assert fit_measured(SPEC.task, predictions(np.full(ROWS, NO_LABEL))) is None
    numbers = replace(rows, probabilities=rows.probabilities[:, :1], labels=rows.probabilities[:, 0].view(np.int64))
    assert isinstance(fit_measured(Regression(), numbers), NumberMetrics)
    assert fit_measured(OutputsOnly(watched=(WatchedOutput(name="tags", width=2),)), rows) is None


RNG = np.random.default_rng(0)
TRUTH = RNG.normal([20.0, 1000.0], [5.0, 100.0], (400, 2))
ANSWERS = TRUTH + RNG.normal(0.0, [1.0, 30.0], TRUTH.shape)
CODES = TRUTH.view(np.int64)
TASK = VectorRegression.named(("temp", "pressure")).fitted(ANSWERS, CODES)
SHOWN = VectorMetrics.fit(TASK, CODES)


def test_each_number_has_its_own_metrics_by_name() -> None:
    found = SHOWN.measured(SHOWN.tally(ANSWERS, CODES), RNG)
    expected = []
    for place, name in enumerate(TASK.names):
        alone = NumberMetrics.fit(TASK.numbers[place], CODES[:, place])
        tally = alone.tally(ANSWERS[:, [place]], CODES[:, place])
        expected += [replace(one, metric=f"{one.metric}:{name}") for one in alone.measured(tally, RNG)]
    assert found == expected
    assert metric_title(found[0].metric) == "MAE of temp"
    assert found[0].low < np.abs(ANSWERS - TRUTH)[:, 0].mean() < found[0].high


def test_tallies_of_parts_add_up_to_that_of_the_whole() -> None:
    first, second, whole = (
        SHOWN.tally(ANSWERS[part], CODES[part]) for part in (slice(150), slice(150, None), slice(400))
    )
    added = {name: first[name] + second[name] for name in whole}
    assert SHOWN.measured(added, RNG) == SHOWN.measured(whole, RNG)
    assert SHOWN.measured({}, RNG) == []
