"""A table: how its files are written, and which column means what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, model_validator

from monitoring.config.invalid_setting import reject_setting
from monitoring.config.section import Name, Names, Section, Zone

Separator: TypeAlias = Literal[",", ";", "\t", "|"]
Decimal: TypeAlias = Literal[".", ","]

Role: TypeAlias = Literal[
    "input", "event time", "prediction id", "label", "label time", "score", "predicted", "left out"
]


@dataclass(frozen=True, slots=True)
class ColumnOf:
    """The mark of a setting that names a column, or several, of that role: no input."""

    role: Role


class TableFormat(Section):
    """How a table's files are written, as its owner says; None: as a file itself shows."""

    separator: Separator | None = Field(default=None, examples=[";"])
    decimal: Decimal | None = Field(default=None, examples=[","])
    day_first: bool | None = Field(default=None, examples=[True])
    sheet: Name | None = Field(default=None, examples=["Predictions"])


class TableSection(TableFormat):
    """The columns of a table, by what they mean, and the time zone of times that have none."""

    event_time: Annotated[Name, ColumnOf("event time")] = Field(default="event_time", examples=["event_time"])
    prediction_id: Annotated[Name, ColumnOf("prediction id")] = Field(
        default="prediction_id", examples=["prediction_id"]
    )
    label: Annotated[Name, ColumnOf("label")] = Field(default="label", examples=["label"])
    label_columns: Annotated[Names, ColumnOf("label")] = Field(default=(), examples=[["is_sports", "is_politics"]])
    label_time: Annotated[Name, ColumnOf("label time")] = Field(default="label_time", examples=["label_time"])
    naive_timezone: Zone = Field(default="UTC", examples=["UTC"])
    scores: Annotated[Names, ColumnOf("score")] = Field(default=(), examples=[["on_time", "late"]])
    predicted: Annotated[Name | None, ColumnOf("predicted")] = Field(default=None, examples=["answer"])
    id_scores: Annotated[Name | None, ColumnOf("score")] = Field(default=None, examples=["scores"])

    def named(self, key: str) -> str | None:
        """The column of a setting, where the owner names it; None where it has its usual name."""
        column: str | None = getattr(self, key)
        return column if key in self.model_fields_set else None


#: The columns of a table of which nothing is said.
USUAL_COLUMNS: Final = TableSection()


class OutputSection(Section):
    """The columns of one output of several: its answer and its label."""

    label: Annotated[Name, ColumnOf("label")] = Field(examples=["was_kind"])
    scores: Annotated[Names, ColumnOf("score")] = Field(default=(), examples=[["p_a", "p_b"]])
    predicted: Annotated[Name | None, ColumnOf("predicted")] = Field(default=None, examples=["price"])

    @model_validator(mode="after")
    def _one_answer(self) -> OutputSection:
        if bool(self.scores) == (self.predicted is not None):
            reject_setting(
                "an output has one answer.",
                got="both scores and predicted" if self.scores else None,
                expected="either scores or predicted",
                fix='Write, for example, { predicted = "price", label = "paid" }.',
            )
        return self


def columns_named(section: Section) -> Iterator[tuple[str, str, Role]]:
    """The columns that a section names: the key, the column and its role, in the order of the settings.

    >>> list(columns_named(OutputSection(label="paid", predicted="price")))
    [('label', 'paid', 'label'), ('predicted', 'price', 'predicted')]
    """
    for key, field in type(section).model_fields.items():
        for mark in field.metadata:
            if isinstance(mark, ColumnOf) and (value := getattr(section, key)) is not None:
                yield from ((key, name, mark.role) for name in ((value,) if isinstance(value, str) else value))
