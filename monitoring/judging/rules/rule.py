"""A rule of the user's own about the rows of each window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from monitoring.judging.rules.expression import Expression
from monitoring.records import Level

#: The column of event times, and that of ids, beside those of the model's inputs.
EVENT_TIME = "event_time"
PREDICTION_ID = "prediction_id"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What rows are to be like; of the kinds of conditions it has one.

    Attributes:
        level: What breaking it opens.
        column: The column that it is about; empty where it is about several, or about all rows.
        low: The smallest number that is right.
        high: The largest.
        missing: The largest share of rows in which the column may be missing.
        unique: Whether no value may come twice in a window.
        values: The only values that are right.
        pattern: A regular expression (RE2) that texts have to match as a whole.
        expression: What holds of each row.
        fresh: The newest row of a window is no longer before its end.
        rows: The smallest and the largest number of rows of a window; None where there is no bound.
        group: The column of groups whose rates of the answer `selected` may differ by `gap` at most.
        share: The share of rows that may break a rule about each row.
    """

    name: str
    level: Level = "page"
    column: str = ""
    low: float | None = None
    high: float | None = None
    missing: float | None = None
    unique: bool = False
    values: tuple[str | float, ...] = ()
    pattern: str | None = None
    expression: str | None = None
    fresh: timedelta | None = None
    rows: tuple[int | None, int | None] = (None, None)
    group: str = ""
    gap: float | None = None
    share: float = 0.0

    @cached_property
    def compiled(self) -> Expression | None:
        """The expression, compiled; None where there is none. Raises BadInput for one that cannot be used."""
        return None if self.expression is None else Expression(self.expression)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        compiled = self.compiled
        if compiled is not None:
            return compiled.columns
        return tuple(name for name in (self.column, self.group) if name)
