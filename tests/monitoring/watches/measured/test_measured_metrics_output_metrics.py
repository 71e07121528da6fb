"""Metrics of several outputs are those of each alone, over the rows that have its part of the label."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from monitoring.records import MeasuredMetric
from monitoring.tasks.classification import Classification
from monitoring.tasks.regression import Regression
from monitoring.tasks.several import SeveralTasks
from monitoring.tasks.task import NO_LABEL, OutputTask
from monitoring.watches.descriptions import format_value, metric_title
from monitoring.watches.measured.class_metrics import ClassMetrics
from monitoring.watches.measured.measured_metrics import OutputMetrics
from monitoring.watches.measured.number_metrics import NumberMetrics

ROWS = 400
RNG = np.random.default_rng(0)
LATE = RNG.uniform(0.05, 0.95, ROWS)
PRICE = RNG.normal(20.0, 4.0, ROWS)
PAID = PRICE + RNG.normal(0.0, 1.0, ROWS)
KIND = OutputTask(output="kind", task=Classification(classes=("no", "yes")), numbers=1)
TASK = SeveralTasks(outputs_judged=(KIND, OutputTask(output="price", task=Regression(bound=5.0), numbers=1)))
ANSWERS = np.stack([1 - LATE, LATE, PRICE], axis=1)
LABELS = np.stack([(RNG.random(ROWS) < LATE).astype(np.int64), PAID.view(np.int64)], axis=1)
SHOWN = OutputMetrics.fit(TASK, ANSWERS, LABELS)


def of_each(answers: np.ndarray, labels: np.ndarray) -> list[MeasuredMetric]:
    """What two monitors of an output each would show, named after it."""
    classes, numbers = SHOWN.outputs.values()
    assert isinstance(classes, ClassMetrics)
    assert isinstance(numbers, NumberMetrics)
    rng = np.random.default_rng(1)
    has_class, has_price = (labels[:, place] != NO_LABEL for place in (0, 1))
    found = classes.measured(classes.tally(answers[has_class, :2], labels[has_class, 0]), rng)
    others = numbers.measured(numbers.tally(answers[has_price, 2:], labels[has_price, 1]), rng)
    return [
        replace(one, metric=f"of:{output}:{one.metric}")
        for output, own in (("kind", found), ("price", others))
        for one in own
    ]


def test_each_output_has_its_own_metrics_by_name() -> None:
    found = SHOWN.measured(SHOWN.tally(ANSWERS, LABELS), np.random.default_rng(1))
    assert found == of_each(ANSWERS, LABELS)
    titles = {one.metric: metric_title(one.metric) for one in found}
    assert (titles["of:kind:auc"], titles["of:price:r_squared"]) == ("AUC of kind", "R² of price")
    assert {"of:kind:log_loss", "of:kind:f1", "of:kind:calibration_error"} <= set(titles)
    assert format_value("of:kind:recall", 0.5) == "50.0 %"


def test_a_label_without_a_part_counts_for_the_others_and_tallies_add_up() -> None:
    labels = LABELS.copy()
    labels[:100, 0] = NO_LABEL
    labels[100:150, 1] = NO_LABEL
    whole = SHOWN.tally(ANSWERS, labels)
    parts = [SHOWN.tally(ANSWERS[part], labels[part]) for part in (slice(100), slice(100, None))]
    added = {name: parts[0][name] + parts[1][name] for name in whole}
    found = SHOWN.measured(added, np.random.default_rng(1))
    assert found == SHOWN.measured(whole, np.random.default_rng(1)) == of_each(ANSWERS, labels)
    assert {one.metric: one.rows for one in found}["of:kind:auc"] == 300
    assert SHOWN.measured({}, np.random.default_rng(1)) == []


def test_an_output_without_labels_in_the_baseline_has_none() -> None:
    labels = LABELS.copy()
    labels[:, 0] = NO_LABEL
    shown = OutputMetrics.fit(TASK, ANSWERS, labels)
    assert {one.metric.split(":")[1] for one in shown.measured(shown.tally(ANSWERS, LABELS))} == {"price"}
