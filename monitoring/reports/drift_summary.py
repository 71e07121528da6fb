"""What a drift report is about, and what it found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchVerdict:
    """What the monitor itself says of a level, or of one watch, in the reported window: its evidence, what alarms at.

    `threshold` is a level's; a watch alone alarms nothing, and has none.
    """

    name: str
    evidence: float
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSubject:
    """What a drift report is about, in a few words, and what the monitor says of it."""

    title: str = "One window"
    verdicts: tuple[WatchVerdict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDrift:
    """How far one column moved by a plain effect size: description, never a trigger."""

    column: str
    method: str
    score: float
    threshold: float
    drifted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSummary:
    """What a drift report says, in short; `left_out` names each column it could not compare, and why."""

    columns: tuple[ColumnDrift, ...]
    left_out: tuple[tuple[str, str], ...]
    current_rows: int
    reference_rows: int
    quality: bool

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """The columns beyond their threshold, the furthest (in thresholds) first."""
        moved = [column for column in self.columns if column.drifted]
        return tuple(sorted(moved, key=lambda column: (-column.score / column.threshold, column.column)))
