"""Watches, and exact sums of their scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Family: TypeAlias = Literal[
    "performance",
    "material",
    "surprise",
    "calibration",
    "estimates",
    "integrity",
    "outputs",
    "selection",
    "inputs",
    "joint",
    "labelled",
    "labels",
]

#: The families of watches that move together with one harm.
LOSS_FAMILIES: tuple[Family, ...] = ("performance", "material", "surprise", "calibration", "estimates")

Level: TypeAlias = Literal["page", "notice"]

Direction: TypeAlias = Literal["up", "both"]

LEVELS: tuple[Level, ...] = ("page", "notice")

#: One score unit in fixed point. Sums of scores are integers, so that no order of adding can change them.
SCORE_ONE = 1 << 32

#: The slice that means "the whole traffic".
WHOLE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A bounded score of each prediction, g(x, ŷ, y) in [0, 1], whose mean is tested in every window.

    `scale` and `offset` convert scores to the metric's own unit: ``value = offset + scale * g``. `feature` is the input
    that the watch is about, where it is about one.

    >>> surprise = Watch(
    ...     name="surprise_brier", family="surprise", level="page", needs_label=True, scale=2.0, offset=-1.0
    ... )
    >>> surprise.value(0.5)
    0.0
    """

    name: str
    family: Family
    level: Level
    needs_label: bool
    direction: Direction = "up"
    scale: float = 1.0
    offset: float = 0.0
    feature: str | None = None

    def value(self, score: float) -> float:
        """The score in the metric's own unit."""
        return self.offset + self.scale * score


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchKey:
    """A watch on the whole traffic (``slice == ""``) or on one slice, written ``column=value``."""

    watch: str
    slice: str = WHOLE

    def __str__(self) -> str:
        return f"{self.watch} [{self.slice}]" if self.slice else self.watch


@dataclass(frozen=True, slots=True)
class ScoreSum:
    """A sum of scores in fixed point: merging is integer addition, exact in any order.

    >>> ScoreSum(2, SCORE_ONE) + ScoreSum(2, 0)
    ScoreSum(rows=4, total=4294967296)
    >>> (ScoreSum(2, SCORE_ONE) + ScoreSum(2, 0)).mean
    0.25
    """

    rows: int = 0
    total: int = 0

    def __add__(self, other: ScoreSum) -> ScoreSum:
        return ScoreSum(self.rows + other.rows, self.total + other.total)

    @property
    def mean(self) -> float:
        """Mean score; only for sums of at least one row."""
        return self.total / (self.rows * SCORE_ONE)
