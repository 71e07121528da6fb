"""Rules of the user's own about data in `monitor.toml`: what the rows of each window are to be like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from monitoring.config.invalid_setting import reject_setting
from monitoring.config.section import Horizon, Name, Names, Section

#: The kinds of conditions, of which a rule has one; bounds of a number, and of the number of rows, are one kind each.
KINDS = ("low, high", "missing", "unique", "values", "pattern", "expression", "fresh", "min_rows, max_rows", "gap")

#: Kinds that are about a column.
_OF_COLUMN = ("low, high", "missing", "unique", "values", "pattern")

_Number = Annotated[float, Field(allow_inf_nan=False)]
_Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]


class RuleSection(Section):
    """A rule about the rows of each window: what breaks it is a page, or a notice, at once and outside the budget.

    It has one condition: a range (`low`, `high`) of each value or of a `statistic` of them, the largest share that is
    `missing`, `unique` values (of `columns`: together), the only `values`, a `pattern` that texts match as a whole, an
    `expression` that holds of each row, a newest row that is `fresh`, bounds of the number of rows, or the largest
    `gap` of the rate of the last class between groups.
    """

    name: Name = Field(examples=["fares are sane"])
    level: Literal["page", "notice"] = Field(default="page", examples=["notice"])
    column: Name | None = Field(default=None, examples=["fare"])
    columns: Names = Field(default=(), examples=[["order", "line"]])
    statistic: Literal["mean", "median", "stdev", "distinct"] | None = Field(default=None, examples=["mean"])
    low: _Number | None = Field(default=None, examples=[0.0])
    high: _Number | None = Field(default=None, examples=[500.0])
    missing: _Share | None = Field(default=None, examples=[0.05])
    unique: bool = Field(default=False, examples=[True])
    values: Annotated[tuple[str | float, ...], Field(strict=False)] = Field(default=(), examples=[["EWR", "JFK"]])
    pattern: str | None = Field(default=None, examples=["[A-Z]{3}"])
    expression: str | None = Field(default=None, examples=["dropoff >= pickup and fare < 500"])
    unknown_breaks: bool = Field(default=False, examples=[True])
    fresh: Horizon | None = Field(default=None, examples=["3h"])
    min_rows: Annotated[int, Field(ge=0)] | None = Field(default=None, examples=[100])
    max_rows: Annotated[int, Field(ge=0)] | None = Field(default=None, examples=[1_000_000])
    group: Name | None = Field(default=None, examples=["gender"])
    gap: _Share | None = Field(default=None, examples=[0.1])
    share: _Share = Field(default=0.0, examples=[0.01])

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of conditions that it has."""
        conditions = (
            self.low is not None or self.high is not None,
            self.missing is not None,
            self.unique,
            bool(self.values),
            self.pattern is not None,
            self.expression is not None,
            self.fresh is not None,
            self.min_rows is not None or self.max_rows is not None,
            self.gap is not None,
        )
        return tuple(kind for kind, has in zip(KINDS, conditions, strict=True) if has)

    @model_validator(mode="after")
    def _one_condition(self) -> RuleSection:
        if len(self.kinds) != 1:
            reject_setting(
                "a rule needs one condition.",
                got=" and ".join(self.kinds) or None,
                expected=f"one of: {'; '.join(KINDS)}",
                fix="Write a [[rule]] section for each.",
            )
        [kind] = self.kinds
        self._check_together(kind)
        if (kind in _OF_COLUMN) != (self.column is not None) and not self.columns:
            reject_setting(
                "a rule of this kind is about a column."
                if kind in _OF_COLUMN
                else "a rule of this kind has no column.",
                got=self.column,
                expected="the name of an input" if kind in _OF_COLUMN else f"{kind} alone",
                fix='Write, for example, column = "fare".' if kind in _OF_COLUMN else "Remove `column`.",
            )
        if (kind == "gap") != (self.group is not None):
            reject_setting(
                "group and gap go together.",
                got=self.group,
                expected="both, or neither",
                fix='Write, for example, group = "gender" and gap = 0.1.',
            )
        if self.statistic is not None and kind != "low, high":
            reject_setting(
                "a statistic has bounds.",
                got=kind,
                expected="low, high or both",
                fix='Write, for example, statistic = "mean" and high = 40.',
            )
        if self.unknown_breaks and self.expression is None:
            reject_setting(
                "unknown_breaks goes with an expression.",
                got=kind,
                expected="expression",
                fix="Remove unknown_breaks; `missing` bounds the share of a column that is missing.",
            )
        if self.low is not None and self.high is not None and self.low > self.high:
            reject_setting("low is above high.", got=self.low, expected=f"at most {self.high:g}", fix="Swap the two.")
        return self

    def _check_together(self, kind: str) -> None:
        if self.columns and (kind != "unique" or self.column is not None or len(self.columns) < 2):
            reject_setting(
                "columns go with unique: values that come together once.",
                got=f"{kind} of {', '.join(self.columns)}",
                expected="unique = true and two columns or more, without `column`",
                fix='Write, for example, columns = ["order", "line"] and unique = true.',
            )


def distinct_rules(value: Sequence[RuleSection]) -> tuple[RuleSection, ...]:
    """Check that rules have names of their own."""
    names = [rule.name for rule in value]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        reject_setting("duplicate name.", got=twice[0], expected="another name for each rule", fix="Change one.")
    return tuple(value)


Rules = Annotated[tuple[RuleSection, ...], Field(strict=False), AfterValidator(distinct_rules)]
