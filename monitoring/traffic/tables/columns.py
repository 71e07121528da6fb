"""Which column of a table means what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["number", "category"]

#: What the rows are called by the time the monitor reads them: no input may have one of these names.
ROW_NAMES = ("prediction_id", "event_time", "probabilities", "label", "label_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumns:
    """The columns of a table of predictions, by what they mean.

    `scores` is one column (the probability of the second class, or lists of one per class) or one per class;
    `predicted` the answer itself, where there are no scores. `inputs` are the model's, each a number or a category.
    `naive_timezone` is that of times without one.
    `known` are the columns that the reference had, with their Arrow types; empty while the reference itself is read.

    >>> TableColumns(event_time="ts", scores=("p",), classes=("no", "yes"), inputs={"age": "number"}).mapped
    ('ts', 'prediction_id', 'label', 'label_time', 'p')
    """

    event_time: str = "event_time"
    prediction_id: str = "prediction_id"
    label: str = "label"
    label_time: str = "label_time"
    naive_timezone: str = "UTC"
    scores: tuple[str, ...] = ()
    predicted: str | None = None
    classes: tuple[str, ...] = ()
    inputs: Mapping[str, Kind] = field(default_factory=dict)
    known: Mapping[str, str] = field(default_factory=dict)

    @property
    def answer(self) -> tuple[str, ...]:
        """The columns that hold what the model answered."""
        return self.scores if self.predicted is None else (self.predicted,)

    @property
    def mapped(self) -> tuple[str, ...]:
        """Every column that is no input."""
        return (self.event_time, self.prediction_id, self.label, self.label_time, *self.answer)
