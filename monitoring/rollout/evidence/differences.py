"""The difference of two versions' losses on the same rows, and how large it could be without knowing the label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitoring.errors import BadInput
from monitoring.rollout.evidence.terms import DEFAULT, SURPRISE_SCALE
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.output_names import named
from monitoring.tasks.row_operations import column_means
from monitoring.tasks.task import Floats, Task, Whole


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

    >>> from monitoring.tasks.classification import Classification
    >>> loss_named(Classification(classes=("no", "yes")), "default")
    'error'

    Args:
        loss: The name of one of its losses, or `DEFAULT`: the cost where costs are given, else its first; of several
            outputs the mean of each one's first.
    """
    if loss == DEFAULT:
        return task.deciding_loss or DEFAULT
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

    >>> from monitoring.tasks.classification import Classification
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
    return Differences(values=values - expected, largest=differences.largest + np.abs(expected), scale=SURPRISE_SCALE)


def surprise_of(task: Task, loss: str, answers: Floats, labels: Whole) -> Differences:
    """One version's own surprise: realised less expected loss, as a difference from a version that has none.

    >>> from monitoring.tasks.classification import Classification
    >>> task = Classification(classes=("no", "yes"))
    >>> surprise_of(task, "error", np.array([[0.4, 0.6], [0.9, 0.1]]), np.array([0, -1])).values.round(6).tolist()
    [0.6, nan]

    Args:
        loss: As of `loss_named`; it must have an expectation (see `has_expectation`).

    Returns:
        The surprise, in [-1, 1] and in the scale of the difference of two; 1 for a row without a usable answer.
    """
    expected, usable = expected_losses_of(task, loss, answers), np.isfinite(answers).all(axis=1)
    values = np.where(usable, losses_of(task, loss, answers, labels) - expected, 1.0)
    return Differences(values=values, largest=np.maximum(expected, 1.0 - expected), scale=SURPRISE_SCALE)


def has_expectation(task: Task, loss: str) -> bool:
    """Whether answers promise a loss of their own, as probabilities do."""
    return task.has_probabilities and loss in task.metrics


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
        a, b = champion[rows], candidate[rows]
        bounds = [task.largest_differences(loss, a, b)] if loss != DEFAULT else _first_differences(task, a, b)
        largest[rows] = np.clip(column_means(bounds), 0.0, 1.0)
    return largest


def _loss(task: Task, loss: str, answers: Floats, labels: Whole) -> Floats:
    """The loss of usable, labelled rows; NaN where the label lacks a part that it needs."""
    losses = task.losses(answers, labels)
    if loss != DEFAULT:
        return losses[loss]
    return column_means([losses[named(output, output_task.metrics[0])] for output, output_task in task.judged])


def _first_differences(task: Task, a: Floats, b: Floats) -> list[Floats]:
    """`Task.largest_differences` of each output's first loss."""
    return [
        output.task.largest_differences(output.task.metrics[0], first, second)
        for (output, first), (_, second) in zip(task.parts(a), task.parts(b), strict=True)
    ]


def expected_losses_of(task: Task, loss: str, answers: Floats) -> Floats:
    """The loss that answers promise, [n]; 0 for rows without a usable answer."""
    usable = np.flatnonzero(np.isfinite(answers).all(axis=1))
    losses = np.zeros(len(answers))
    if usable.size:
        losses[usable] = task.expected_losses(answers[usable], task.outputs(answers[usable]))[loss]
    return losses
