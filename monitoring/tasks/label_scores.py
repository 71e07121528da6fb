"""The scores of labels themselves, and the parts of rows whose variety is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.tasks.output_names import named
from monitoring.tasks.row_operations import baseline_ranks

#: What precedes the class, or `location` and `spread`, in the name of a watch on labels themselves.
LABEL_PREFIX = "label:"

#: Of the parts of rows whose variety is known: how many of an answer, and how many columns and scores of each, those
#: that vary most.
MAX_PARTS = 12
MAX_COLUMNS = 3

#: Quantiles of the baseline's labels, on which ranks are measured.
KNOTS = 99

Scores = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class VarietyPart:
    """A part of rows whose values may become few: a whole answer, one class or number of it, or a labelled number.

    Attributes:
        name: What it is, in words; empty for the whole.
        columns: The columns whose values are told apart, at most `MAX_COLUMNS`.
        scores: The scores whose variance is known, at most as many.
    """

    name: str
    columns: tuple[int, ...]
    scores: tuple[str, ...]

    def of_output(self, output: str, first: int) -> VarietyPart:
        """The part in answers of several outputs, of which this one's begin at column `first`."""
        return VarietyPart(
            name=f"{output} {self.name}".strip(),
            columns=tuple(first + column for column in self.columns),
            scores=tuple(named(output, score) for score in self.scores),
        )


class LabelScores(Protocol):
    """The scores of the labels of one output."""

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each score's watch."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of those that are shares of a class."""
        return ()

    @property
    def jumping(self) -> tuple[str, ...]:
        """The names of those of which the answers to the same rows say what is to be expected, and their spread not."""
        return ()

    @property
    def varied(self) -> VarietyPart | None:
        """The labelled number whose variety is known."""
        return None

    def of_labels(self, labels: NDArray[np.int64]) -> Scores:
        """The scores of labels, in [0, 1], [n], by the name of their watch."""

    def of_answers(self, answers: NDArray[np.float64]) -> Scores:
        """What the answers to the same rows say of these scores, [n] each; none where they say nothing."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRanks(LabelScores):
    """Of a labelled number: its rank among the baseline's labels, and how far it lies from their middle.

    Attributes:
        knots: Quantiles of the baseline's labels, in order.
    """

    number: str
    column: int
    knots: tuple[float, ...]

    @classmethod
    def fit(cls, number: str, column: int, values: NDArray[np.float64]) -> NumberRanks:
        """From the baseline's labels of the number, [n]."""
        quantiles = np.linspace(0, 1, KNOTS + 2)[1:-1]
        knots = tuple(np.quantile(values, quantiles).tolist()) if values.size else ()
        return cls(number=number, column=column, knots=knots)

    @property
    @override
    def names(self) -> tuple[str, ...]:
        number = f"{self.number}:" if self.number else ""
        return f"{LABEL_PREFIX}{number}location", f"{LABEL_PREFIX}{number}spread"

    @property
    @override
    def jumping(self) -> tuple[str, ...]:
        return self.names[:1]

    @property
    @override
    def varied(self) -> VarietyPart:
        return VarietyPart(name=self.number, columns=(self.column,), scores=self.names[:1])

    @override
    def of_labels(self, labels: NDArray[np.int64]) -> Scores:
        values = labels if labels.ndim == 1 else labels[:, self.column]
        return self._scores(np.ascontiguousarray(values).view(np.float64))

    def of_answers(self, answers: NDArray[np.float64]) -> Scores:
        """See `LabelScores`: ranks of the answers among the labels."""
        return self._scores(answers[:, self.column])

    def _scores(self, values: NDArray[np.float64]) -> Scores:
        ranks = baseline_ranks(values, self.knots)
        return dict(zip(self.names, (ranks, np.abs(2.0 * ranks - 1.0)), strict=True))
