"""The section `[columns]`: the data dictionary, one entry for each column of the table or input of the model."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field

from monitoring.config.invalid_setting import reject_setting
from monitoring.config.section import Name, Section

_LONGEST_UNIT = 40
_LONGEST_DESCRIPTION = 200


def _line(value: str, longest: int, example: str) -> str:
    if not value.strip() or not value.isprintable() or len(value) > longest:
        reject_setting(
            "not a line of text.",
            got=value,
            expected=f"one line of at most {longest} characters",
            fix=f"Write, for example, {example}.",
        )
    return value.strip()


def unit_text(value: str) -> str:
    """Check the unit of a column."""
    return _line(value, _LONGEST_UNIT, 'unit = "EUR"')


def description_text(value: str) -> str:
    """Check the description of a column."""
    return _line(value, _LONGEST_DESCRIPTION, 'description = "what was asked for"')


class ColumnSection(Section):
    """One column: what its values are and what it is there for, as its baseline has it; and words for people.

    Without a `kind` or a `role`, they are found from the reference. Unit and description change no evidence.
    """

    kind: Literal["number", "category", "text", "moment", "sequence", "vector", "image"] | None = Field(
        default=None, examples=["number"]
    )
    role: Literal["input", "ignored", "group"] | None = Field(default=None, examples=["ignored"])
    unit: Annotated[str, AfterValidator(unit_text)] | None = Field(default=None, examples=["EUR"])
    description: Annotated[str, AfterValidator(description_text)] | None = Field(
        default=None, examples=["what was asked for"]
    )

    @property
    def is_left_out(self) -> bool:
        """Whether the column is no input."""
        return self.role in ("ignored", "group")


Columns: TypeAlias = dict[Name, ColumnSection]


def check_one_group(columns: Columns) -> Columns:
    """Check that one column at most is the group."""
    groups = [name for name, section in columns.items() if section.role == "group"]
    if len(groups) > 1:
        reject_setting(
            "several groups.", got=groups, expected="one column at most", fix='Write role = "ignored" for the others.'
        )
    return columns


ColumnEntries: TypeAlias = Annotated[Columns, AfterValidator(check_one_group)]
