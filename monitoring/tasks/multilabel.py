"""Multi-label classification: any of several classes, by a probability of each; losses of each class and their mean."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.errors import BadInput
from monitoring.records import Watch
from monitoring.tasks.label_scores import LABEL_PREFIX, LabelScores
from monitoring.tasks.output_names import class_watch
from monitoring.tasks.row_operations import are_probabilities, column_means, largest_over_labels, row_sums
from monitoring.tasks.task import (
    CLASS_SEPARATOR,
    MAX_CLASSES_OF_SET,
    NO_LABEL,
    UNKNOWN_CLASS,
    Floats,
    Metric,
    Task,
    Whole,
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
class SetShares(LabelScores):
    """Of labels that are any of several classes: the indicator of each class."""

    classes: tuple[str, ...]

    @property
    @override
    def names(self) -> tuple[str, ...]:
        return tuple(class_watch(LABEL_PREFIX, name) for name in self.classes)

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
        return dict(zip(self.names, class_matrix(labels, len(self.classes)).T, strict=True))

    @override
    def of_answers(self, answers: Floats) -> dict[str, Floats]:
        return dict(zip(self.names, answers.T, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Multilabel(Task):
    """A model that gives each row any of several classes.

    Answers are probabilities, [n, classes], each by itself; labels are sets of classes (`monitoring.tasks.multilabel`).
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
    @override
    def width(self) -> int:
        return len(self.classes)

    @property
    def metrics(self) -> tuple[str, ...]:
        """See `Task`: the means over classes, then each class's."""
        of_classes = (f"{metric.name}:{name}" for name in self.classes for metric in CLASS_METRICS)
        return (*(metric.name for metric in METRICS), *of_classes)

    @property
    @override
    def scales(self) -> dict[str, float]:
        return dict.fromkeys(self.metrics, 1.0)

    @property
    def output_watches(self) -> tuple[Watch, ...]:
        """See `Task`: one on each class's probability."""
        return tuple(
            Watch(name=name, family="outputs", level="notice", needs_label=False, direction="both")
            for name in (class_watch("output:", each) for each in self.classes)
        )

    def label_codes(self, words: pa.ChunkedArray) -> Whole:
        """See `Task`: names, or a 0 or 1 for each class."""
        return set_codes(words, self.classes)

    def respelled(self, words: pa.ChunkedArray) -> NDArray[np.bool_]:
        """See `Task`: with the name of a class in other letters, or with spaces around it."""
        return respelled_sets(words, self.classes)

    @override
    def unknown(self, labels: Whole) -> NDArray[np.bool_]:
        return labels <= UNKNOWN_CLASS

    def read_answers(self, answers: Floats) -> NDArray[Any]:
        """See `Task`: the classes whose probability is at least `THRESHOLD`."""
        return np.asarray(answers >= THRESHOLD)

    @override
    def read_labels(self, labels: Whole) -> NDArray[Any]:
        return class_matrix(labels, self.width) > 0.0

    def usable(self, answers: Floats) -> NDArray[np.bool_]:
        """See `Task`: those from 0 to 1."""
        return are_probabilities(answers, exclusive=False)

    @override
    def truth(self, labels: Whole) -> Floats:
        return class_matrix(labels, self.width)

    @override
    def log_odds(self, answers: Floats, least: float) -> Floats:
        odds = np.clip(answers, least, 1.0) / np.clip(1.0 - answers, least, 1.0)
        return np.asarray(np.log(odds), dtype=np.float64)

    @override
    def of_log_odds(self, log_odds: Floats) -> Floats:
        return np.asarray(1.0 / (1.0 + np.exp(-log_odds)), dtype=np.float64)

    @override
    def has_classes(self, labels: Whole, places: Sequence[int]) -> Iterator[NDArray[np.bool_]]:
        return ((labels >> place & 1).astype(np.bool_) for place in places)

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

    @override
    def label_scores(self, labels: Whole) -> tuple[LabelScores, ...]:
        return (SetShares(classes=self.classes),)

    def largest_differences(self, loss: str, a: Floats, b: Floats) -> Floats:
        """See `Task`: of each class both of its values are tried; a mean differs by at most the mean of these."""
        both = (0, (1 << len(self.classes)) - 1)
        pairs = dict(zip((metric.name for metric in METRICS), (metric.name for metric in CLASS_METRICS), strict=True))
        parts = [f"{pairs[loss]}:{name}" for name in self.classes] if loss in pairs else [loss]

        def largest(part: str) -> Floats:
            return largest_over_labels(
                lambda answers, label: self.losses(answers, np.full(len(answers), label))[part], a, b, both
            )

        return column_means([largest(part) for part in parts])

    def outputs(self, answers: Floats) -> dict[str, Floats]:
        """See `Task`: the probabilities."""
        return {class_watch("output:", name): answers[:, place] for place, name in enumerate(self.classes)}

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
    """Sets of classes as ones and zeros. Returns 1.0 where a row has a class, else 0.0, [n, classes].

    Args:
        labels: Codes, [n], none of them `NO_LABEL`.

    >>> class_matrix(np.array([0b10, UNKNOWN_CLASS - 0b01]), 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    bits = np.where(labels < 0, UNKNOWN_CLASS - labels, labels)
    return ((bits[:, None] >> np.arange(classes)) & 1).astype(np.float64)


def set_codes(words: pa.ChunkedArray, classes: tuple[str, ...]) -> Whole:
    """Labels as codes.

    Args:
        words: Text [n]: names between `CLASS_SEPARATOR`, a JSON list of names, or one of a 0 or 1 for each class.
        classes: The classes, at most `MAX_CLASSES_OF_SET`.

    Returns:
        Codes, int64 [n]: bit k is class k. `NO_LABEL` for null and blank; where a name is of no class, `UNKNOWN_CLASS`
        less the bits of the others.

    >>> import pyarrow as pa
    >>> set_codes(
    ...     pa.chunked_array([["a|c", '["b"]', "[0, 1, 1]", "[]", "", "a|z", "[0, 1]"]]), ("a", "b", "c")
    ... ).tolist()
    [5, 2, 6, 0, -1, -4, -3]
    """
    sets = words.cast("string").combine_chunks().dictionary_encode()
    dictionary_codes = [_code(_names(text, classes), classes) for text in sets.dictionary.to_pylist()]
    places = np.asarray(sets.indices.fill_null(len(dictionary_codes)), dtype=np.int64)
    return np.array([*dictionary_codes, NO_LABEL], dtype=np.int64)[places]


def respelled_sets(words: pa.ChunkedArray, classes: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which labels have a name that is a class but for case or spaces; arguments as of `set_codes`. Returns bool [n].

    >>> import pyarrow as pa
    >>> respelled_sets(pa.chunked_array([["a|B", "a|b", "z"]]), ("a", "b")).tolist()
    [True, False, False]
    """
    sets = words.cast("string").combine_chunks().dictionary_encode()
    others = [_is_respelled(_names(text, classes), classes) for text in sets.dictionary.to_pylist()]
    places = np.asarray(sets.indices.fill_null(len(others)), dtype=np.int64)
    return np.array([*others, False], dtype=np.bool_)[places]


def _names(text: str, classes: tuple[str, ...]) -> Sequence[str] | None:
    """The names of a set; None for blank text. Anything else than names is a name of no class."""
    text = text.strip()
    if not text:
        return None
    if not text.startswith("["):
        return [name.strip() for name in text.split(CLASS_SEPARATOR)]
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        return [text]
    if all(isinstance(name, str) for name in entries):
        return list(entries)
    if len(entries) == len(classes) and all(isinstance(entry, int | float) and entry in (0, 1) for entry in entries):
        return [name for name, entry in zip(classes, entries, strict=True) if entry]
    return [text]


def _code(names: Sequence[str] | None, classes: tuple[str, ...]) -> int:
    if names is None:
        return NO_LABEL
    places, folded = _places(classes), _folded(classes)
    indices = [places.get(name, folded.get(name.strip().lower())) for name in names]
    bits = sum(1 << place for place in {place for place in indices if place is not None})
    return UNKNOWN_CLASS - bits if None in indices else bits


def _is_respelled(names: Sequence[str] | None, classes: tuple[str, ...]) -> bool:
    places, folded = _places(classes), _folded(classes)
    return any(name not in places and name.strip().lower() in folded for name in names or ())


def _places(classes: tuple[str, ...]) -> dict[str, int]:
    return {name: place for place, name in enumerate(classes)}


def _folded(classes: tuple[str, ...]) -> dict[str, int]:
    """As `_places`, of names in small letters without spaces around them; none where two are the same then."""
    small = _places(tuple(name.strip().lower() for name in classes))
    return small if len(small) == len(classes) else {}
