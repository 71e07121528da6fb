"""Answers that fit their labels if classes are read in another order: a class index that was exchanged on the way.

With two classes such labels contradict the answers (`gross_failures`). With more the error rate alone says little of
it; the window's own table of answers and labels shows which class is meant by which.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions
from monitoring.judging.facts.gross_failures import ANSWERS_SUBJECT, CHANCE_ERROR, WORST_ERROR_FACTOR
from monitoring.judging.facts.log_facts import binomial_tail
from monitoring.records import Finding
from monitoring.records.finding_parts import ReorderedClasses
from monitoring.tasks.task import Task

Whole = NDArray[np.int64]

#: Models with more classes than this are not looked at.
MAX_CLASSES = 50

#: The kind of the finding.
REORDERED = "classes in another order"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassOrder:
    """How often each class was the label of each answer in the baseline, [answer, label]."""

    counts: Whole
    task: Task

    @classmethod
    def fit(cls, rows: Predictions, task: Task) -> ClassOrder | None:
        """From the baseline's labelled rows with a usable answer; None of a model that chooses of fewer than three."""
        counts = task.confusion_counts(rows.probabilities, rows.labels)
        if counts is None or not 2 < len(counts) <= MAX_CLASSES:
            return None
        return cls(counts=counts.T, task=task)

    def findings(self, rows: Predictions, alpha: float) -> tuple[Finding, ...]:
        """The fact that a window's answers fit their labels in another order of the classes.

        Of the rows whose answer is a class that changes its place, more have the other class as label than the
        answered one, beyond `CHANCE_ERROR` of both and what the baseline has, by the exact binomial tail.

        Args:
            rows: The window's labelled rows with a usable answer, or a sample of them.
            alpha: The probability of so many by chance, over the orders of two classes.
        """
        now = self.task.confusion_counts(rows.probabilities, rows.labels)
        if now is None:
            return ()
        counts, classes = now.T, self.task.classes
        order = counts.argmax(axis=1)
        moved = _exchanged(order)
        if not moved.size:
            return ()
        swapped, kept = int(counts[moved, order[moved]].sum()), int(counts[moved, moved].sum())
        before, as_answered = int(self.counts[moved, order[moved]].sum()), int(self.counts[moved, moved].sum())
        usual = before / max(before + as_answered, 1)
        null = min(max(CHANCE_ERROR, WORST_ERROR_FACTOR * usual), 0.99)
        if binomial_tail(swapped, swapped + kept, null) > alpha / len(counts) ** 2:
            return ()
        exchanged = zip(moved.tolist(), order[moved].tolist(), strict=True)
        parts = ReorderedClasses(
            classes=tuple((classes[one], classes[other]) for one, other in exchanged),
            rows=int(counts[moved].sum()),
            fitting=swapped,
            answered=kept,
            usual=as_answered / max(int(self.counts[moved].sum()), 1),
        )
        return (Finding(kind=REORDERED, feature=ANSWERS_SUBJECT, fact=True, parts=parts),)


def _exchanged(order: Whole) -> Whole:
    """The classes that others stand for, each for one of them.

    >>> _exchanged(np.array([1, 0, 2, 1])).tolist(), _exchanged(np.array([0, 0, 2])).tolist()
    ([0, 1], [])
    """
    moved = {place for place, other in enumerate(order.tolist()) if place != other}
    while True:
        left = {place for place in moved if int(order[place]) in moved} & {int(order[place]) for place in moved}
        if left == moved:
            return np.array(sorted(moved), dtype=np.int64)
        moved = left
