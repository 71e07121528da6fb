"""The model's metrics on its reference, with intervals by a bootstrap over days, the independent unit, or over rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.metrics import Resamples, area_under_curve, interval, row_losses
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import MAX_SLICE_VALUES
from monitoring.baseline.spec import BaselineSpec
from monitoring.records import WHOLE
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.multilabel import class_matrix
from monitoring.tasks.output_names import named
from monitoring.tasks.registry import numbers_of
from monitoring.tasks.regression import pinball_loss
from monitoring.tasks.task import Task

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

LEVEL: Final = 0.95
#: Rows of one day are resampled in so many parts, which costs the less the fewer there are.
ROW_BLOCKS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceMetric:
    """One metric over the labelled rows of the whole reference or of one slice, written ``column=value``.

    `low` and `high` bound its 95 % bootstrap interval over days; over rows where there is only one day.
    brier     half the squared distance to the one-hot label, in [0, 1]; for two classes (p - y)²
    log_loss  nats, probabilities kept at least 1e-7
    error     share of rows whose likeliest class is wrong
    auc       area under the ROC curve of the last of two classes, ties counted half; only where both classes occur
    Of predicted numbers: absolute_error (MAE), squared_error (MSE), root_mean_squared_error, bias (predicted less
    true), percentage_error (MAPE, as a share) where no label is 0, and r_squared (R²) where labels vary; of a quantile
    pinball_loss and quantile_coverage as well.
    Of rankings recall_loss, ndcg_loss and reciprocal_rank_loss; of several outputs those of each, named after it, over
    the rows with its part of the label.
    Where a row may have several classes: hamming_error and macro_brier, and of each class class_error, class_brier and,
    where it varies, class_auc, then a colon and the class.
    """

    metric: str
    slice: str
    rows: int
    days: int
    mean: float
    low: float
    high: float


def benchmark(
    predictions: Predictions, spec: BaselineSpec, rng: np.random.Generator, *, timezone: str = "UTC"
) -> tuple[ReferenceMetric, ...]:
    """Metrics of the labelled predictions, on all of them and by value of each category with at most 12 values.

    Cost: about a second per 100,000 rows and sliced category.

    Returns:
        The metrics; empty without labels, and where no loss is known.
    """
    labelled = predictions.take(has_label(predictions.labels) & ~spec.task.unknown(predictions.labels))
    if not len(labelled) or not spec.task.metrics:
        return ()
    days = _days(labelled.event_times, timezone)
    metrics = _measure_slice(spec.task, WHOLE, labelled.probabilities, labelled.labels, days, rng)
    for feature in spec.features:
        if feature.kind != "category":
            continue
        codes = labelled.features[feature.name].combine_chunks().dictionary_encode()
        values = codes.dictionary.to_pylist()
        if len(values) > MAX_SLICE_VALUES:
            continue
        places = np.asarray(pc.fill_null(codes.indices, -1), dtype=np.int64)
        for place in sorted(range(len(values)), key=values.__getitem__):
            rows = places == place
            name = f"{feature.name}={values[place]}"
            metrics += _measure_slice(
                spec.task, name, labelled.probabilities[rows], labelled.labels[rows], days[rows], rng
            )
    return tuple(metrics)


def _measure_slice(
    task: Task, part: str, answers: Floats, labels: Whole, days: Whole, rng: np.random.Generator
) -> list[ReferenceMetric]:
    """Every metric of one slice; of several outputs what each has by itself, over the rows with its part of the label.

    Args:
        days: The days of the rows, [n], of which each is resampled as a whole.
    """
    metrics = []
    for output, output_task, there, output_answers, codes in task.labelled_parts(answers, labels):
        if there.any():
            measured = _measurer(output_task)(part, output_answers, codes, days[there], rng)
            metrics += [replace(each, metric=named(output, each.metric)) if output else each for each in measured]
    return metrics


_Measure: TypeAlias = "Callable[[str, Floats, Whole, Whole, np.random.Generator], list[ReferenceMetric]]"


def _measurer(task: Task) -> _Measure:
    """What measures one slice's rows: answers, labels' codes, and the days that are resampled."""
    if task.is_multilabel:
        return partial(_measure_sets, task)
    numbers = numbers_of(task)
    if len(numbers) > 1:
        return partial(_measure_vectors, task)
    if task.classes:
        return _measure
    return partial(_measure_numbers, numbers[0].quantile) if numbers else partial(_measure_losses, task)


def _measure_sets(
    task: Task, part: str, answers: Floats, labels: Whole, days: Whole, rng: np.random.Generator
) -> list[ReferenceMetric]:
    """As `_measure`, of sets of classes: the task's losses, and each class's AUC where it varies."""
    resamples, truth = Resamples.of(days, rng), class_matrix(labels, task.width) > 0.0
    estimates = {
        name: (float(losses.mean()), resamples.means(losses)) for name, losses in task.losses(answers, labels).items()
    }
    for place, name in enumerate(task.classes):
        area = area_under_curve(answers[:, place], truth[:, place])
        if area is not None:
            estimates[f"class_auc:{name}"] = (area, resamples.areas(answers[:, place], truth[:, place]))
    return [
        _metric(name, part, mean=mean, drawn=drawn, rows=len(labels), days=resamples.blocks)
        for name, (mean, drawn) in estimates.items()
    ]


def _measure_vectors(
    task: Task, part: str, answers: Floats, labels: Whole, days: Whole, rng: np.random.Generator
) -> list[ReferenceMetric]:
    """As `_measure`, of several predicted numbers: the means of their errors, and each one's error and bias."""
    resamples, errors = Resamples.of(_blocks(days), rng), answers - task.read_labels(labels)
    rows = {"absolute_error": np.abs(errors).mean(axis=1), "squared_error": (errors**2).mean(axis=1)}
    for place, name in enumerate(task.number_names):
        rows[f"number_absolute_error:{name}"] = np.abs(errors[:, place])
        rows[f"number_bias:{name}"] = errors[:, place]
    return [
        _metric(
            name,
            part,
            mean=float(values.mean()),
            drawn=resamples.means(values),
            rows=len(labels),
            days=np.unique(days).size,
        )
        for name, values in rows.items()
    ]


def _measure_losses(
    task: Task, part: str, answers: Floats, labels: Whole, days: Whole, rng: np.random.Generator
) -> list[ReferenceMetric]:
    """As `_measure`, of any task: its losses in their own unit."""
    whole, losses, metrics = Resamples.of(_blocks(days), rng), task.losses(answers, labels), []
    for name in task.metrics:
        has_loss = ~np.isnan(losses[name])
        if not has_loss.any():
            continue
        resamples = whole if has_loss.all() else Resamples.of(_blocks(days[has_loss]), rng)
        values, size = losses[name][has_loss] * task.scales[name], np.unique(days[has_loss]).size
        drawn, rows = resamples.means(values), int(has_loss.sum())
        metrics.append(_metric(name, part, mean=float(values.mean()), drawn=drawn, rows=rows, days=size))
    return metrics


def _measure(
    part: str, probabilities: Floats, labels: NDArray[np.int64], days: NDArray[np.int64], rng: np.random.Generator
) -> list[ReferenceMetric]:
    """Every metric of one slice; rows of one of the `days` [n] are resampled together."""
    resamples = Resamples.of(_blocks(days), rng)
    estimates: dict[str, tuple[float, Floats]] = {}
    for name, losses in row_losses(probabilities, labels).items():
        estimates[name] = (float(losses.mean()), resamples.means(losses))
    if probabilities.shape[1] == 2:
        area = area_under_curve(probabilities[:, 1], labels == 1)
        if area is not None:
            estimates["auc"] = (area, resamples.areas(probabilities[:, 1], labels == 1))
    return [
        _metric(name, part, mean=mean, drawn=drawn, rows=len(labels), days=np.unique(days).size)
        for name, (mean, drawn) in estimates.items()
    ]


def _measure_numbers(
    quantile: float | None,
    part: str,
    answers: Floats,
    labels: NDArray[np.int64],
    days: NDArray[np.int64],
    rng: np.random.Generator,
) -> list[ReferenceMetric]:
    """As `_measure`, of predicted numbers, or of a quantile; errors are not bounded here."""
    resamples, truth = Resamples.of(_blocks(days), rng), labels.view(np.float64)
    errors = answers[:, 0] - truth
    rows = {"absolute_error": np.abs(errors), "squared_error": errors**2, "bias": errors}
    if quantile is not None:
        rows |= {
            "pinball_loss": pinball_loss(errors, quantile),
            "quantile_coverage": (errors >= 0.0).astype(np.float64),
        }
    if (truth != 0.0).all():
        rows["percentage_error"] = np.abs(errors / truth)
    estimates = {name: (float(values.mean()), resamples.means(values)) for name, values in rows.items()}
    squared, drawn = estimates["squared_error"]
    estimates["root_mean_squared_error"] = (float(np.sqrt(squared)), np.sqrt(drawn))
    spread = resamples.means(truth**2) - resamples.means(truth) ** 2
    if float(truth.std()) > 0.0:
        shares: Floats = np.divide(drawn, spread, out=np.full(drawn.shape, np.nan), where=spread > 0.0)
        estimates["r_squared"] = (1.0 - squared / float(truth.var()), 1.0 - shares)
    return [
        _metric(name, part, mean=mean, drawn=drawn, rows=len(labels), days=np.unique(days).size)
        for name, (mean, drawn) in estimates.items()
    ]


def _metric(name: str, part: str, *, mean: float, drawn: Floats, rows: int, days: int) -> ReferenceMetric:
    around = interval(drawn, LEVEL)
    return ReferenceMetric(metric=name, slice=part, rows=rows, days=days, mean=mean, low=around.low, high=around.high)


def _blocks(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """What is resampled together, [n]: days; of rows of one day, parts of as many rows each."""
    if len(days) and (days == days[0]).all():
        return np.arange(len(days)) % ROW_BLOCKS
    return days


def _days(times: NDArray[np.int64], timezone: str) -> NDArray[np.int64]:
    """The start of the calendar day of each time, both in microseconds UTC."""
    local = pa.array(times).cast(pa.timestamp("us", tz="UTC")).cast(pa.timestamp("us", tz=timezone))
    return np.asarray(pc.floor_temporal(local, unit="day").cast(pa.int64()), dtype=np.int64)
