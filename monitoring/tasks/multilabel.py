"""Multi-label classification: any of several classes, by a probability of each; losses of each class and their mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.records import Watch
from monitoring.tasks.row_operations import row_sums
from monitoring.tasks.task import (
    CLASS_SEPARATOR,
    MAX_CLASSES_OF_SET,
    UNKNOWN_CLASS,
    Floats,
    Metric,
    Task,
    Whole,
    watches_of_losses,
)

if TYPE_CHECKING:
    import pyarrow as pa

METRICS = (
    Metric(name="hamming_error", title="Hamming error", unit="share"),
    Metric(name="macro_brier", title="Macro Brier score", unit="score"),
)

#: Losses of one class; a colon and the class follow the name.
CLASS_METRICS = (
    Metric(name="class_error", title="Error rate of class", unit="share"),
    Metric(name="class_brier", title="Brier score of class", unit="score"),
)

#: From this probability on a row is answered to have a class.
THRESHOLD = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Multilabel(Task):
    """A model that gives each row any of several classes.

    Answers are probabilities, [n, classes], each by itself; labels are sets of classes (`monitoring.tasks.class_sets`).
    The losses of a class are the 0/1 error at `THRESHOLD` and the Brier score (p - y)²; those of all classes are their
    means. The mean of the errors is the Hamming loss: Schapire & Singer, *Improved boosting algorithms using
    confidence-rated predictions* (1999).

    >>> task, answers = Multilabel(classes=("dog", "cat")), np.array([[0.5, 0.0], [1.0, 0.25]])
    >>> {name: losses.tolist() for name, losses in task.losses(answers, np.array([0b01, 0b10])).items()
    ...  if not name.endswith("dog")}
    {'hamming_error': [0.0, 1.0], 'macro_brier': [0.125, 0.78125], 'class_error:cat': [0.0, 1.0], \
'class_brier:cat': [0.0, 0.5625]}
    >>> task.expected_losses(answers, {})["class_brier:cat"].tolist()
    [0.0, 0.1875]
    """

    classes: tuple[str, ...]

    def check(self) -> Multilabel:
        """Check the names of the classes.

        Raises:
            BadInput: its classes cannot be told apart in a label.
        """
        wrong = [name for name in self.classes if CLASS_SEPARATOR in name or name != name.strip() or not name]
        if wrong or len(set(self.classes)) < len(self.classes) or not 2 <= len(self.classes) <= MAX_CLASSES_OF_SET:
            raise BadInput(
                "These cannot be the classes of a multi-label model.",
                got=f"{len(self.classes)} classes" + (f", one of them {wrong[0]!r}" if wrong else ""),
                expected=f"2 to {MAX_CLASSES_OF_SET} different names, without {CLASS_SEPARATOR} and spaces around them",
                fix="Name them in the order of the scores: --classes sports,politics,science.",
            )
        return self

    def document(self) -> dict[str, Any]:
        """The task as JSON, which `of` reads."""
        return {"classes": list(self.classes)}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Multilabel:
        """The inverse of `document`; LookupError or TypeError if something is missing."""
        return cls(classes=tuple(document["classes"]))

    @property
    def exclusive(self) -> bool:
        """See `Task`: a row may have several classes."""
        return False

    @property
    def width(self) -> int:
        """See `Task`."""
        return len(self.classes)

    @property
    def metrics(self) -> tuple[str, ...]:
        """See `Task`: the means over classes, then each class's."""
        of_classes = (f"{metric.name}:{name}" for name in self.classes for metric in CLASS_METRICS)
        return (*(metric.name for metric in METRICS), *of_classes)

    @property
    def scales(self) -> dict[str, float]:
        """See `Task`."""
        return dict.fromkeys(self.metrics, 1.0)

    @property
    def loss_watches(self) -> tuple[Watch, ...]:
        """See `Task`."""
        return watches_of_losses(self.scales)

    @property
    def output_watches(self) -> tuple[Watch, ...]:
        """See `Task`: one on each class's probability."""
        return tuple(
            Watch(name=f"output:{name}", family="outputs", level="notice", needs_label=False, direction="both")
            for name in self.classes
        )

    def label_codes(self, words: pa.ChunkedArray) -> Whole:
        """See `Task`: names, or a 0 or 1 for each class."""
        from monitoring.tasks.class_sets import set_codes  # noqa: PLC0415 - brings Arrow, not needed to report

        return set_codes(words, self.classes)

    def respelled(self, words: pa.ChunkedArray) -> NDArray[np.bool_]:
        """See `Task`: with the name of a class in other letters, or with spaces around it."""
        from monitoring.tasks.class_sets import respelled_sets  # noqa: PLC0415 - as above

        return respelled_sets(words, self.classes)

    def unknown(self, labels: Whole) -> NDArray[np.bool_]:
        """See `Task`."""
        return labels <= UNKNOWN_CLASS

    def read_answers(self, answers: Floats) -> NDArray[Any]:
        """See `Task`: the classes whose probability is at least `THRESHOLD`."""
        return np.asarray(answers >= THRESHOLD)

    def read_labels(self, labels: Whole) -> NDArray[Any]:
        """See `Task`."""
        return class_matrix(labels, self.width) > 0.0

    def losses(self, answers: Floats, labels: Whole) -> dict[str, Floats]:
        """See `Task`; an unknown class of a label counts in the means as one more, which the model missed."""
        truth = class_matrix(labels, self.width)
        wrong, squares = ((answers >= THRESHOLD) != truth).astype(np.float64), (answers - truth) ** 2
        missed = self.unknown(labels).astype(np.float64)
        of_classes = self._by_class(wrong, squares)
        means = ((row_sums(each) + missed) / (self.width + missed) for each in (wrong, squares))
        return dict(zip((metric.name for metric in METRICS), means, strict=True)) | of_classes

    def expected_losses(self, answers: Floats, outputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """See `Task`: if classes were drawn by their probabilities, min(p, 1 - p) and p (1 - p) of each."""
        wrong, squares = np.minimum(answers, 1.0 - answers), answers * (1.0 - answers)
        means = (row_sums(each) / self.width for each in (wrong, squares))
        return dict(zip((metric.name for metric in METRICS), means, strict=True)) | self._by_class(wrong, squares)

    def outputs(self, answers: Floats) -> dict[str, Floats]:
        """See `Task`: the probabilities."""
        return {f"output:{name}": answers[:, place] for place, name in enumerate(self.classes)}

    def score(self, answers: Floats, outputs: Mapping[str, Floats] | None = None) -> Floats:
        """See `Task`: the mean of the probabilities."""
        return row_sums(answers) / self.width

    def _by_class(self, *columns: Floats) -> dict[str, Floats]:
        """Numbers [n, classes] of each of `CLASS_METRICS`, by metric and class."""
        return {
            f"{metric.name}:{name}": values[:, place]
            for place, name in enumerate(self.classes)
            for metric, values in zip(CLASS_METRICS, columns, strict=True)
        }


def class_matrix(labels: Whole, classes: int) -> Floats:
    """Sets of classes as ones and zeros.

    Args:
        labels: Codes, [n], none of them `NO_LABEL`.

    Returns:
        1.0 where a row has a class, else 0.0, [n, classes].

    >>> class_matrix(np.array([0b10, UNKNOWN_CLASS - 0b01]), 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    bits = np.where(labels < 0, UNKNOWN_CLASS - labels, labels)
    return ((bits[:, None] >> np.arange(classes)) & 1).astype(np.float64)
