"""Labels that are told of: of an unknown class, of no known prediction, or too late."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from monitoring.records import Finding
from monitoring.records.finding_parts import LateLabels, OutputClasses, UnknownClasses
from monitoring.tasks.label_objects import texts_of_outputs

#: Classes that a finding names at most.
_NAMED_CLASSES = 10

#: Characters of a label or an id that a finding shows.
_SHOWN = 60

#: Labels of no class are a fact if there are so many, and they are this share of the window's.
FEW_UNKNOWN = 10
UNKNOWN_SHARE = 0.02

#: The kind of finding about labels of no class.
UNKNOWN_LABELS = "unknown labels"

#: The kind of finding about labels that arrive after their horizon.
TOO_LATE = "labels too late"

#: So many labels that come too late are no more than a finding, however few others there are.
FEW_OVERDUE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownClassLabels:
    """Labels that are no class by its own name: of no class, of a class but for case or spaces, or no labels at all.

    >>> labels = UnknownClassLabels(labels=2, words=frozenset({"yes", "no"}))
    >>> labels += UnknownClassLabels(labels=1, words=frozenset({"maybe"}))
    >>> parts = labels.findings(("0", "1"), labelled=500)[0].parts
    >>> parts.labels, parts.example, parts.classes
    (3, 'maybe', ('0', '1'))

    Attributes:
        respelled: How many are of a class but for case or spaces; they count as that class.
    """

    labels: int = 0
    words: frozenset[str] = frozenset()
    respelled: int = 0
    respelled_words: frozenset[str] = frozenset()

    def __add__(self, other: UnknownClassLabels) -> UnknownClassLabels:
        return UnknownClassLabels(
            labels=self.labels + other.labels,
            words=self.words | other.words,
            respelled=self.respelled + other.respelled,
            respelled_words=self.respelled_words | other.respelled_words,
        )

    def findings(
        self, classes: tuple[str, ...], labelled: int = 0, *, outputs: Mapping[str, tuple[str, ...]] | None = None
    ) -> tuple[Finding, ...]:
        """The findings about them, each with the alphabetically first.

        Args:
            classes: The class names; none where a number is predicted.
            outputs: The class names of each output that has a label of its own; none where it is a number.

        Returns:
            A fact, which pages, where labels of no class are neither few nor rare.
        """
        findings = []
        if self.labels:
            fact = bool(classes or outputs) and self.labels >= max(FEW_UNKNOWN, UNKNOWN_SHARE * labelled)
            expected = outputs or {}
            parted = [word for word in self.words if _has_part(word, expected)]
            parts = UnknownClasses(
                labels=self.labels,
                example=min(parted or self.words)[:_SHOWN],
                classes=classes[:_NAMED_CLASSES],
                more=len(classes) > _NAMED_CLASSES,
                outputs=tuple(
                    OutputClasses(name=name, classes=of[:_NAMED_CLASSES], more=len(of) > _NAMED_CLASSES)
                    for name, of in expected.items()
                ),
                of_output=bool(parted),
            )
            subject = "labels" if fact else ""
            findings.append(Finding(kind=UNKNOWN_LABELS, feature=subject, fact=fact, parts=parts))
        if self.respelled:
            count = "1 label is a class" if self.respelled == 1 else f"{self.respelled:,} labels are classes"
            shown = min(self.respelled_words)[:_SHOWN]
            message = f"{count} but for case or spaces, and count as such; one is {shown!r}."
            findings.append(Finding(kind="respelled labels", feature="", message=message))
        return tuple(findings)


def _has_part(word: str, outputs: Iterable[str]) -> bool:
    """Whether a label is an object with a part of an output."""
    return any(part.to_pylist() != [None] for part in texts_of_outputs(pa.chunked_array([[word]]), tuple(outputs)))


def id_form(prediction_id: str) -> str:
    """How an id is written, without the id: 9 for a digit, a and A for letters, the rest as it is.

    Messages go where no erasure follows.

    >>> id_form("DE-7f3:0")
    'AA-9a9:9'
    """
    return "".join(
        "9" if mark.isdigit() else "A" if mark.isupper() else "a" if mark.isalpha() else mark
        for mark in prediction_id[:_SHOWN]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmatchedLabels:
    """Labels whose id is that of no known prediction.

    >>> (UnmatchedLabels(labels=2, first_id="7.0") + UnmatchedLabels(labels=1, first_id="8.0")).findings(2)[0].message
    "3 labels are of no known prediction; the id of one is of the form '9.9'."

    Attributes:
        first_id: The alphabetically first of their ids; empty without such labels.
    """

    labels: int = 0
    first_id: str = ""

    def __add__(self, other: UnmatchedLabels) -> UnmatchedLabels:
        first = min(filter(None, (self.first_id, other.first_id)), default="")
        return UnmatchedLabels(labels=self.labels + other.labels, first_id=first)

    def findings(self, matched: int, prediction_id: Callable[[], str] = str) -> tuple[Finding, ...]:
        """The finding about them, where they are more than the window's labels of known predictions.

        Args:
            prediction_id: Gives the id of one of the window's predictions, to compare; empty where there is none.
        """
        if self.labels <= matched:
            return ()
        form, other = id_form(self.first_id), id_form(prediction_id())
        compared = f", that of a prediction {'too' if other == form else repr(other)}" if other else ""
        of = f"of the form {form!r}{compared}"
        message = f"{self.labels:,} labels are of no known prediction; the id of one is {of}."
        if self.labels == 1:
            message = f"1 label is of no known prediction; its id is {of}."
        return (Finding(kind="unknown predictions", feature="", message=message),)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueLabels:
    """Labels that arrived after the label horizon of their predictions.

    >>> OverdueLabels(labels=40, horizon_us=7 * 86_400_000_000).findings(counted=60)[0].parts
    LateLabels(about='late labels', labels=40, horizon_us=604800000000, counted=None)

    Attributes:
        horizon_us: The label horizon, in microseconds.
    """

    labels: int = 0
    horizon_us: int = 0

    def findings(self, counted: int = 0, *, page: bool = True) -> tuple[Finding, ...]:
        """The finding about them: a fact, which pages, if they are most of the labels that arrived."""
        if not self.labels:
            return ()
        parts = LateLabels(labels=self.labels, horizon_us=self.horizon_us)
        if page and self.labels > max(counted, FEW_OVERDUE):
            return (Finding(kind=TOO_LATE, feature="labels", fact=True, parts=replace(parts, counted=counted)),)
        return (Finding(kind=TOO_LATE, feature="", parts=parts),)
