"""The difference of two versions' losses on the same rows, and how large it could be without knowing the label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from monitoring.errors import BadInput
from monitoring.tasks.classification import CONFIDENCE, COST, Classification
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.multilabel import CLASS_METRICS, METRICS, Multilabel
from monitoring.tasks.output_names import named, split_output
from monitoring.tasks.ranking import Ranking
from monitoring.tasks.regression import Regression
from monitoring.tasks.row_operations import row_choices
from monitoring.tasks.several import SeveralTasks
from monitoring.tasks.task import UNKNOWN_CLASS, Floats, Task, Whole
from monitoring.tasks.vector_regression import VectorRegression

#: The loss that a rollout decides by where none is named.
DEFAULT = "default"

#: The measure of calibration: how much more the candidate's losses exceed what it expects of them than the champion's.
CALIBRATION = "calibration"

#: Classes up to which every one is tried as the label of a row that has none.
_MOST_CLASSES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Paired differences of n rows.

    Attributes:
        values: The candidate's loss less the champion's, [n]; NaN where there is no label.
        largest: The largest absolute difference that any label could make, [n].
    """

    values: Floats
    largest: Floats
    scale: float = 1.0


def loss_named(task: Task, loss: str) -> str:
    """The loss that a rollout of a task decides by. Returns the name; `DEFAULT` for the mean over several outputs.

    >>> loss_named(Classification(classes=("no", "yes")), "default")
    'error'

    Args:
        loss: The name of one of its losses, or `DEFAULT`: the cost where costs are given, else its first; of several
            outputs the mean of each one's first.
    """
    if loss == DEFAULT:
        if task.outputs_judged:
            return DEFAULT
        return COST.name if COST.name in task.metrics else task.metrics[0]
    if loss not in task.metrics:
        raise BadInput(
            "The versions have no such loss.",
            got=loss,
            expected=f"{DEFAULT}, or one of {', '.join(task.metrics)}",
            fix="Name one of these, or leave it out.",
        )
    return loss


def loss_scale(task: Task, loss: str) -> float:
    """The loss's own unit over that of its values in [0, 1]; `loss` is from `loss_named`."""
    return 1.0 if loss == DEFAULT else task.scales[loss]


def losses_of(task: Task, loss: str, answers: Floats, labels: Whole) -> Floats:
    """The loss of each row, in [0, 1], [n]: NaN without a label, 1 for an answer that is none.

    Args:
        answers: [n, width], NaN in a row without a usable answer.
        labels: Codes, [n] or [n, parts].
    """
    result = np.full(len(answers), np.nan)
    usable, labelled = np.isfinite(answers).all(axis=1), has_label(labels)
    result[labelled & ~usable] = 1.0
    rows = np.flatnonzero(usable & labelled)
    if rows.size:
        result[rows] = _loss(task, loss, answers[rows], labels[rows])
    return result


def paired_differences(task: Task, loss: str, champion: Floats, candidate: Floats, labels: Whole) -> Differences:
    """The differences of a loss.

    >>> task = Classification(classes=("no", "yes"))
    >>> champion, candidate = np.array([[0.4, 0.6], [0.8, 0.2]]), np.array([[0.9, 0.1], [0.7, 0.3]])
    >>> differences = paired_differences(task, "error", champion, candidate, np.array([0, -1]))
    >>> differences.values.tolist(), differences.largest.tolist()
    ([-1.0, nan], [1.0, 0.0])

    Args:
        champion: Its usable answers, [n, width].
        candidate: Its answers, [n, width]; NaN for a row without a usable one, which has a loss of 1.
        labels: Codes, [n] or [n, parts].
    """
    values = losses_of(task, loss, candidate, labels) - losses_of(task, loss, champion, labels)
    return Differences(values=values, largest=largest_differences(task, loss, champion, candidate))


def calibration_differences(task: Task, loss: str, champion: Floats, candidate: Floats, labels: Whole) -> Differences:
    """The differences of surprise: realised less expected loss, a calibration gap.

    Args:
        loss: As of `loss_named`; it must have an expectation (see `has_expectation`).

    Returns:
        The differences, in [-2, 2]. A row without a usable answer of the candidate counts as expected to be right.
    """
    differences = paired_differences(task, loss, champion, candidate, labels)
    expected = expected_losses_of(task, loss, candidate) - expected_losses_of(task, loss, champion)
    values = np.where(
        differences.largest == 0.0, np.nan_to_num(differences.values, nan=0.0), differences.values
    )  # whatever the label
    return Differences(values=values - expected, largest=differences.largest + np.abs(expected), scale=2.0)


def has_expectation(task: Task, loss: str) -> bool:
    """Whether answers promise a loss of their own, as probabilities do."""
    return task.has_probabilities and (not task.exclusive or loss in task.metrics)


def largest_differences(task: Task, loss: str, champion: Floats, candidate: Floats) -> Floats:
    """The largest absolute difference of a loss that any label could make, known without it.

    Rows on which two versions answer the same have no difference whatever their label is: they need none.

    Args:
        champion: [n, width].
        candidate: [n, width].

    Returns:
        In [0, 1], [n]; 1 in rows without two usable answers.
    """
    usable = np.isfinite(champion).all(axis=1) & np.isfinite(candidate).all(axis=1)
    largest = np.ones(len(champion))
    rows = np.flatnonzero(usable)
    if rows.size:
        largest[rows] = np.clip(_largest(task, loss, champion[rows], candidate[rows]), 0.0, 1.0)
    return largest


def _loss(task: Task, loss: str, answers: Floats, labels: Whole) -> Floats:
    """The loss of usable, labelled rows; NaN where the label lacks a part that it needs."""
    losses = task.losses(answers, labels)
    if loss != DEFAULT or not task.outputs_judged:
        return losses[loss]
    return _mean([losses[named(output.output, output.task.metrics[0])] for output in task.outputs_judged])


def _mean(parts: Sequence[Floats]) -> Floats:
    """The mean of some columns, [n]; NaN where one is."""
    return np.asarray(np.mean(np.stack(parts), axis=0), dtype=np.float64)


def expected_losses_of(task: Task, loss: str, answers: Floats) -> Floats:
    """The loss that answers promise, [n]; 0 for rows without a usable answer."""
    usable = np.flatnonzero(np.isfinite(answers).all(axis=1))
    losses = np.zeros(len(answers))
    if usable.size:
        usable_answers = answers[usable]
        outputs = task.outputs(usable_answers) if task.exclusive else {}
        assert not outputs or CONFIDENCE in outputs  # noqa: S101 - `has_expectation` has seen to it
        losses[usable] = task.expected_losses(usable_answers, outputs)[loss]
    return losses


def _largest(task: Task, loss: str, a: Floats, b: Floats) -> Floats:
    bound: Callable[[], Floats]
    match task:
        case SeveralTasks():
            bound = partial(_of_outputs, task, loss, a, b)
        case Classification():
            bound = partial(_of_classes, task, loss, a, b)
        case Multilabel():
            bound = partial(_of_class_sets, task, loss, a, b)
        case Regression():
            bound = partial(_of_numbers, task, loss, a, b)
        case VectorRegression():
            bound = partial(_of_vectors, task, loss, a, b)
        case Ranking():
            bound = partial(_differ, a[:, : task.places], b[:, : task.places])
        case _:
            bound = partial(_differ, a, b)
    return bound()


def _differ(a: Floats, b: Floats) -> Floats:
    """1 for each row on which two versions answer differently, [n]."""
    return np.asarray((a != b).any(axis=1), dtype=np.float64)


def _of_classes(task: Classification, loss: str, a: Floats, b: Floats) -> Floats:
    if loss == "error":
        return np.asarray(row_choices(a) != row_choices(b), dtype=np.float64)
    if len(task.classes) > _MOST_CLASSES:
        return _differ(a, b)
    return _over_labels(
        lambda answers, label: task.losses(answers, np.full(len(answers), label))[loss], a, b, _labels_of(task)
    )


def _labels_of(task: Classification) -> tuple[int, ...]:
    """Every label that a row may have: each class, and one that the model does not have."""
    return (*range(len(task.classes)), UNKNOWN_CLASS)


def _over_labels(loss: Callable[[Floats, int], Floats], a: Floats, b: Floats, labels: tuple[int, ...]) -> Floats:
    largest = np.zeros(len(a))
    for label in labels:
        np.maximum(largest, np.abs(loss(b, label) - loss(a, label)), out=largest)
    return largest


def _of_class_sets(task: Multilabel, loss: str, a: Floats, b: Floats) -> Floats:
    """Of each class both of its values are tried; the differences of a mean are at most the mean of these."""
    both = (0, (1 << len(task.classes)) - 1)
    pairs = dict(zip((metric.name for metric in METRICS), (metric.name for metric in CLASS_METRICS), strict=True))
    parts = [f"{pairs[loss]}:{name}" for name in task.classes] if loss in pairs else [loss]

    def of(part: str) -> Floats:
        return _over_labels(lambda answers, label: task.losses(answers, np.full(len(answers), label))[part], a, b, both)

    return _mean([of(part) for part in parts])


def _of_numbers(task: Regression, loss: str, a: Floats, b: Floats) -> Floats:
    """Absolute and pinball loss change by no more than the answer does, squared errors within the bound by twice it."""
    if loss == "percentage_error":
        return _differ(a, b)
    distance = np.abs(a[:, 0] - b[:, 0]) / task.bound
    return np.asarray(np.minimum(distance * (2.0 if loss == "squared_error" else 1.0), 1.0), dtype=np.float64)


def _of_vectors(task: VectorRegression, loss: str, a: Floats, b: Floats) -> Floats:
    kind, _, name = loss.partition(":")
    if name:
        place = task.names.index(name)
        return _of_numbers(task.numbers[place], kind.removeprefix("number_"), a[:, [place]], b[:, [place]])
    scales = np.array([number.scales[loss] for number in task.numbers])
    parts = [
        _of_numbers(number, loss, a[:, [place]], b[:, [place]]) * scale
        for place, (number, scale) in enumerate(zip(task.numbers, scales, strict=True))
    ]
    total: Floats = np.sum(parts, axis=0) / scales.sum()
    return total


def _of_outputs(task: SeveralTasks, loss: str, a: Floats, b: Floats) -> Floats:
    target = split_output(loss)
    by_output = {}
    for (output, first), (_, second) in zip(task.parts(a), task.parts(b), strict=True):
        if loss == DEFAULT:
            by_output[output.output] = _largest(output.task, output.task.metrics[0], first, second)
        elif output.output == target[0]:
            return _largest(output.task, target[1], first, second)
    return _mean(list(by_output.values()))
