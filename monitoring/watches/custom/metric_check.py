"""The user's own metrics, checked on the baseline before anything is fitted: what a function must do, one by one."""

from __future__ import annotations

import numpy as np

from monitoring.baseline.folder import Baseline
from monitoring.errors import BadInput
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.task import Floats
from monitoring.watches.custom.custom_metric import CustomMetric, CustomMetrics
from monitoring.watches.custom.metric_rows import MetricRows
from monitoring.watches.scoring import EXACT_ROWS

#: Rows, at most, with which a function is called again to see whether it returns the same.
CALLED_AGAIN = 10_000

#: How far two calls may differ for the same row, as the order of additions has it.
SAME = 1e-9


def check_metrics(custom: CustomMetrics, baseline: Baseline) -> None:
    """Check each metric on the labelled rows of a baseline.

    It must return finite numbers in [0, 1], one for each row; not the same for all rows; the same when it is called
    again; and the same for a row whatever the other rows are, as windows are read in batches.

    Cost: one call on the labelled rows, in batches, and four on some of them.
    """
    if not custom.metrics:
        return
    task, answers = baseline.spec.task, baseline.rows.answers
    is_usable = np.isfinite(answers.probabilities).all(axis=1) & has_label(answers.labels)
    places = np.flatnonzero(is_usable & ~task.unknown(answers.labels))
    for metric in custom.metrics:
        _check_inputs(metric, [feature.name for feature in baseline.spec.features])
        if not places.size or task.outputs_watched is not None:
            raise BadInput(
                f"The metric {metric.name} cannot be checked.",
                got="a baseline without labels"
                if task.outputs_watched is None
                else "a model whose outputs alone are watched",
                expected="labelled rows, which a metric is a function of",
                fix="Give a reference with labels, or remove the metric from the config.",
            )
        extremes: list[float] = []
        for first in range(0, places.size, EXACT_ROWS):
            part = baseline.rows.take(places[first : first + EXACT_ROWS], metric.inputs)
            rows = MetricRows.of(task, part.probabilities, part.labels, part.features)
            values = metric.values(rows)
            extremes += [float(values.min()), float(values.max())]
            if not first:
                _check_repeated(metric, rows, values)
        if min(extremes) == max(extremes):
            raise metric.violated(
                f"{min(extremes):g} for each of {places.size:,} labelled rows of the baseline", "values that vary"
            )


def _check_inputs(metric: CustomMetric, names: list[str]) -> None:
    unknown = [name for name in metric.inputs if name not in names]
    if unknown:
        raise BadInput(
            f"The metric {metric.name} reads an input that the baseline does not have.",
            got=repr(unknown[0]),
            expected=f"some of {', '.join(names[:20])}",
            fix="Change `inputs` of the metric: a function sees the model's inputs, its answer and the label.",
        )


def _check_repeated(metric: CustomMetric, rows: MetricRows, values: Floats) -> None:
    """Check that a row's value is the same in another call, and among other rows."""
    some = np.arange(min(len(rows), CALLED_AGAIN))
    first = metric.values(rows.take(some)) if some.size < len(rows) else values
    again = metric.values(rows.take(some))
    differ = int(np.count_nonzero(np.abs(again - first) > SAME))
    if differ:
        raise metric.violated(
            f"other values for {differ:,} of {some.size:,} rows when it was called again", "the same values each time"
        )
    for half in (some[::2], some[1::2][::-1]):
        other = metric.values(rows.take(half)) if half.size else values[half]
        differ = int(np.count_nonzero(np.abs(other - values[half]) > SAME))
        if differ:
            raise metric.violated(
                f"other values for {differ:,} of {half.size:,} rows when it was called with half of them",
                "a value for each row that does not depend on the other rows: windows are read in batches",
            )
