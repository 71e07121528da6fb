"""What a finding about a broken rule is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

#: What of a window's values a rule may bound.
Statistic: TypeAlias = Literal["mean", "median", "stdev", "distinct"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowBounds:
    """Rows of a window, and the fewest and the most that a rule allows; None where it sets no bound."""

    how: Literal["row bounds"] = "row bounds"
    rows: int
    least: int | None
    most: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleRows:
    """When the newest row of a window was answered, in microseconds, and how old it may be at the window's end."""

    how: Literal["stale rows"] = "stale rows"
    newest_us: int | None
    patience_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotHeld:
    """Why a rule cannot be held against rows: a column is gone, or an error of the library that compares them."""

    how: Literal["not held"] = "not held"
    column: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRate:
    """How often the last class is the answer in a group's rows."""

    group: str
    rate: float
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupGap:
    """The groups of a column between which the rate of the last class differs most, and the gap that is allowed."""

    how: Literal["group gap"] = "group gap"
    column: str
    high: GroupRate
    low: GroupRate
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRows:
    """Rows that break a rule, of how many, and the share that is allowed; `condition`: what they do, in a clause."""

    how: Literal["broken rows"] = "broken rows"
    condition: str
    broken: int
    rows: int
    allowed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticBounds:
    """A statistic of a column's values in a window, and its bounds; None where there is none."""

    how: Literal["statistic bounds"] = "statistic bounds"
    statistic: Statistic
    column: str
    value: float
    rows: int
    least: float | None
    most: float | None


#: How a rule is broken.
Breach: TypeAlias = RowBounds | StaleRows | NotHeld | GroupGap | BrokenRows | StatisticBounds


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRule:
    """A rule of the user's that is broken, and how."""

    about: Literal["broken rule"] = "broken rule"
    rule: str
    breach: Breach
