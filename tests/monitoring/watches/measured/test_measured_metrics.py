"""Which metrics a task has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from monitoring.tasks.outputs_only import OutputsOnly, WatchedOutput
from monitoring.tasks.regression import Regression
from monitoring.tasks.task import NO_LABEL
from monitoring.watches.measured.class_metrics import ClassMetrics
from monitoring.watches.measured.measured_metrics import fit_measured
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
