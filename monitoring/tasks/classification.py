"""Classification: one of several classes, by the probability of each; 0/1 error and Brier score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.records import Watch
from monitoring.tasks.label_scores import LABEL_PREFIX, MAX_COLUMNS, LabelScores, VarietyPart
from monitoring.tasks.output_names import class_watch
from monitoring.tasks.row_operations import (
    are_probabilities,
    differ,
    largest_over_labels,
    row_choices,
    row_maxima,
    row_sums,
)
from monitoring.tasks.task import UNKNOWN_CLASS, Floats, Metric, Task, Whole, surprise_watch

if TYPE_CHECKING:
    import pyarrow as pa

METRICS = (
    Metric(name="error", title="Error rate", unit="share"),
    Metric(name="brier", title="Brier score", unit="score"),
)

#: What a wrong answer costs, where the user says so.
COST = Metric(name="cost", title="Cost", unit="target")

LOSSES = tuple(Watch(name=metric.name, family="performance", level="page", needs_label=True) for metric in METRICS)

#: The largest probability of a row.
CONFIDENCE = "output:confidence"

#: Classes up to which every one is tried as the label of a row that has none.
_MOST_CLASSES = 64

#: Classes that are watched one by one: the commonest of the baseline's labels.
MAX_CLASSES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassShares(LabelScores):
    """Of labels that are one class each: the indicator of some classes, by their names and indices.

    >>> shares = ClassShares(classes=(("yes", 1),))
    >>> shares.of_labels(np.array([0, 1]))["label:yes"].tolist(), shares.of_answers(np.array([[0.75, 0.25]]))
    ([0.0, 1.0], {'label:yes': array([0.25])})
    """

    classes: tuple[tuple[str, int], ...]

    @property
    @override
    def names(self) -> tuple[str, ...]:
        return tuple(class_watch(LABEL_PREFIX, name) for name, _ in self.classes)

    @property
    @override
    def class_names(self) -> tuple[str, ...]:
        return self.names

    @property
    @override
    def jumping(self) -> tuple[str, ...]:
        return self.names

    @override
    def of_labels(self, labels: Whole) -> dict[str, Floats]:
        return {class_watch(LABEL_PREFIX, name): (labels == index).astype(np.float64) for name, index in self.classes}

    @override
    def of_answers(self, answers: Floats) -> dict[str, Floats]:
        return {class_watch(LABEL_PREFIX, name): answers[:, index] for name, index in self.classes}


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification(Task):
    """A model that gives each row one of several classes.

    Answers are probabilities, [n, classes]; labels are class indices. Where only predicted classes are known,
    `has_probabilities` is false, and each answer counts as certain. Source of the Brier score: Brier, *Verification of
    forecasts expressed in terms of probability* (1950).

    >>> import pyarrow as pa
    >>> task, answers = Classification(classes=("no", "yes")), np.array([[0.5, 0.5], [1.0, 0.0]])
    >>> {name: losses.tolist() for name, losses in task.losses(answers, np.array([1, 1])).items()}
    {'error': [1.0, 1.0], 'brier': [0.25, 1.0]}
    >>> {name: losses.tolist() for name, losses in task.expected_losses(answers, task.outputs(answers)).items()}
    {'error': [0.5, 0.0], 'brier': [0.25, 0.0]}
    >>> task.label_codes(pa.chunked_array([["no", "1", "maybe"]])).tolist()
    [0, 1, -3]

    Attributes:
        costs: What a row costs, by its true class and then by its answer, in the user's unit; empty for no such loss.
    """

    classes: tuple[str, ...]
    has_probabilities: bool = True
    costs: tuple[tuple[float, ...], ...] = ()

    @property
    @override
    def exclusive(self) -> bool:
        return True

    @property
    @override
    def width(self) -> int:
        return len(self.classes)

    @property
    @override
    def metrics(self) -> tuple[str, ...]:
        return (*(metric.name for metric in METRICS), *((COST.name,) if self.costs else ()))

    @property
    @override
    def scales(self) -> dict[str, float]:
        return {metric: self.largest_cost if metric == COST.name else 1.0 for metric in self.metrics}

    @property
    def largest_cost(self) -> float:
        """The largest of `costs`, which a label of an unknown class costs too."""
        return max(max(row) for row in self.costs)

    @property
    def deciding_loss(self) -> str:
        """See `Task`: the cost, where costs are given."""
        return COST.name if self.costs else self.metrics[0]

    @property
    def loss_watches(self) -> tuple[Watch, ...]:
        """See `Task`; without probabilities, the error alone."""
        losses = LOSSES
        if self.costs:
            losses = (*LOSSES, replace(LOSSES[0], name=COST.name, scale=self.largest_cost))
        if self.has_probabilities:
            return (*losses, *(surprise_watch(loss) for loss in losses))
        return tuple(watch for watch in losses if watch.name != "brier")

    @property
    def output_watches(self) -> tuple[Watch, ...]:
        """See `Task`: one on each class's probability (of two the second's), and, of probabilities, on the largest.

        >>> [watch.name for watch in Classification(classes=("no", "yes")).output_watches]
        ['output:yes', 'output:confidence']
        """
        named = self.classes[1:] if len(self.classes) == 2 else self.classes
        names = [*(class_watch("output:", name) for name in named), *([CONFIDENCE] if self.has_probabilities else [])]
        return tuple(
            Watch(name=name, family="outputs", level="notice", needs_label=False, direction="both") for name in names
        )

    def label_codes(self, words: pa.ChunkedArray) -> Whole:
        """See `Task`: class names, or class indices as text."""
        from monitoring.tasks.label_codes import class_codes  # noqa: PLC0415 - brings Arrow, not needed to report

        return class_codes(words, self.classes)

    def respelled(self, words: pa.ChunkedArray) -> NDArray[np.bool_]:
        """See `Task`: names of classes in other letters, or with spaces around them."""
        from monitoring.tasks.label_codes import respelled  # noqa: PLC0415 - as above

        return respelled(words, self.classes)

    @override
    def unknown(self, labels: Whole) -> NDArray[np.bool_]:
        return np.asarray(labels == UNKNOWN_CLASS, dtype=np.bool_)

    def read_answers(self, answers: Floats) -> NDArray[Any]:
        """See `Task`: the name of the likeliest class."""
        return np.array(self.classes)[row_choices(answers)]

    @override
    def read_labels(self, labels: Whole) -> NDArray[Any]:
        return np.array(self.classes)[labels]

    def label_texts(self, labels: Whole) -> pa.Array:
        """See `Task`: names of classes."""
        import pyarrow as pa  # noqa: PLC0415 - not needed to report

        names = [self.classes[label] if 0 <= label < len(self.classes) else None for label in labels]
        return pa.array(names, pa.string())

    def usable(self, answers: Floats) -> NDArray[np.bool_]:
        """See `Task`: those from 0 to 1, and 1 in sum but for rounding."""
        return are_probabilities(answers)

    @override
    def truth(self, labels: Whole) -> Floats:
        return np.asarray(labels[:, None] == np.arange(self.width), dtype=np.float64)

    @override
    def log_odds(self, answers: Floats, least: float) -> Floats:
        return np.asarray(np.log(np.clip(answers, least, 1.0)), dtype=np.float64)

    @override
    def of_log_odds(self, log_odds: Floats) -> Floats:
        probabilities = np.exp(log_odds)
        return np.asarray(probabilities / probabilities.sum(axis=1, keepdims=True), dtype=np.float64)

    @override
    def log_losses(self, answers: Floats, labels: Whole, least: float) -> Floats:
        chosen = answers[np.arange(len(labels)), labels]
        return np.asarray(-np.log(np.clip(chosen, least, 1.0)))

    @override
    def answered(self, answers: Floats, places: Sequence[int], threshold: float) -> Iterator[NDArray[np.bool_]]:
        if self.is_binary or not places:
            return (answers[:, place] >= threshold for place in places)
        choices = row_choices(answers)
        return (choices == place for place in places)

    def losses(self, answers: Floats, labels: Whole) -> dict[str, Floats]:
        """See `Task`; an answer to an unknown class is wrong, and as far from the truth as from a class with p = 0.

        The Brier score is half the squared distance to the one-hot label, of two classes (p - y)².

        Returns:
            Losses by metric, [n].
        """
        squares = np.empty_like(answers)
        for place in range(answers.shape[1]):
            np.square(answers[:, place] - (labels == place), out=squares[:, place])
        brier = row_sums(squares) / 2.0
        if (labels == UNKNOWN_CLASS).any():
            brier += 0.5 * (labels == UNKNOWN_CLASS)
        chosen = row_choices(answers)
        losses = {"error": (chosen != labels).astype(np.float64), "brier": brier}
        if self.costs:
            is_labelled = labels >= 0
            costs = np.array(self.costs)[np.where(is_labelled, labels, 0), chosen] / self.largest_cost
            losses[COST.name] = np.where(is_labelled, costs, 1.0)
        return losses

    def confusion_counts(self, answers: Floats, labels: Whole) -> Whole:
        """See `Task`.

        >>> task, answers = Classification(classes=("no", "yes")), np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
        >>> task.confusion_counts(answers, np.array([0, 1, 1])).tolist()
        [[1, 0], [1, 1]]
        """
        width = len(self.classes)
        known = labels >= 0
        places = labels[known] * width + row_choices(answers[known]) if len(answers) else np.zeros(0, dtype=np.int64)
        return np.bincount(places, minlength=width * width).reshape(width, width)

    def expected_losses(self, answers: Floats, outputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """See `Task`: if labels were drawn by the probabilities, 1 - max p, and (1 - Σp²)/2."""
        losses = {"error": 1.0 - outputs[CONFIDENCE], "brier": (1.0 - row_sums(answers**2)) / 2.0}
        if self.costs:
            losses[COST.name] = expected_costs(answers, answers, self.costs)[0]
        return losses

    def label_scores(self, labels: Whole) -> tuple[LabelScores, ...]:
        """See `Task`: of two classes the second, of more the commonest."""
        counts = np.bincount(labels[labels >= 0], minlength=len(self.classes))
        order = np.sort(np.argsort(-counts, kind="stable")[:MAX_CLASSES]).tolist()
        chosen = [1] if len(self.classes) == 2 else order
        return (ClassShares(classes=tuple((self.classes[index], index) for index in chosen)),)

    def varied_parts(self, answers: Floats) -> tuple[VarietyPart, ...]:
        """See `Task`: of two classes the second, of more those with the largest variance."""
        chosen: tuple[int, ...] = (1,)
        if len(self.classes) != 2:
            order = np.argsort(-answers.var(axis=0), kind="stable") if len(answers) else np.arange(answers.shape[1])
            chosen = tuple(sorted(order[:MAX_COLUMNS].tolist()))
        scores = tuple(class_watch("output:", self.classes[column]) for column in chosen)
        return (VarietyPart(name="", columns=chosen, scores=scores),)

    def largest_differences(self, loss: str, a: Floats, b: Floats) -> Floats:
        """See `Task`: over every label that a row may have, each class and one that the model does not have."""
        if loss == "error":
            return np.asarray(row_choices(a) != row_choices(b), dtype=np.float64)
        if len(self.classes) > _MOST_CLASSES:
            return differ(a, b)
        labels = (*range(len(self.classes)), UNKNOWN_CLASS)
        return largest_over_labels(
            lambda answers, label: self.losses(answers, np.full(len(answers), label))[loss], a, b, labels
        )

    def outputs(self, answers: Floats) -> dict[str, Floats]:
        """See `Task`: probabilities, and the largest of each row."""
        result = {class_watch("output:", name): answers[:, place] for place, name in enumerate(self.classes)}
        if len(self.classes) == 2:
            del result[class_watch("output:", self.classes[0])]
        return result | {CONFIDENCE: row_maxima(answers)}

    def score(self, answers: Floats, outputs: Mapping[str, Floats] | None = None) -> Floats:
        """See `Task`: the second of two classes' probability, or the largest of more."""
        if len(self.classes) == 2 or not len(answers):
            return answers[:, -1]
        return row_maxima(answers) if outputs is None else outputs[CONFIDENCE]


def expected_costs(answers: Floats, drawn_by: Floats, costs: Sequence[Sequence[float]]) -> tuple[Floats, Floats]:
    """The cost of each row if labels were drawn by some probabilities, over the largest cost.

    >>> [
    ...     part.tolist()
    ...     for part in expected_costs(np.array([[0.4, 0.6]]), np.array([[0.5, 0.5]]), [[0.0, 10.0], [5.0, 0.0]])
    ... ]
    [[0.5], [0.25]]

    Args:
        drawn_by: Those that labels are drawn by, [n, classes].

    Returns:
        Means and variances, in [0, 1], [n].
    """
    matrix = np.array(costs) / max(max(row) for row in costs)
    of_answers = matrix[:, row_choices(answers)].T
    means = row_sums(drawn_by * of_answers)
    return means, np.maximum(row_sums(drawn_by * of_answers**2) - means**2, 0.0)
