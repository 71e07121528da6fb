"""The subject of a drift report, and its result."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchVerdict:
    """The monitor's evidence of a level, or of one watch, in the reported window.

    `threshold` is a level's; a single watch triggers no alarm and has none.
    """

    name: str
    evidence: float
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSubject:
    """The title of a drift report, and the monitor's own evidence of its window."""

    title: str = "One window"
    verdicts: tuple[WatchVerdict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDrift:
    """The effect size of one column's drift: descriptive, never a trigger."""

    column: str
    method: str
    score: float
    threshold: float
    drifted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSummary:
    """A drift report in short; `left_out` names each column that cannot be compared, and why."""

    columns: tuple[ColumnDrift, ...]
    left_out: tuple[tuple[str, str], ...]
    current_rows: int
    reference_rows: int
    quality: bool

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """The columns beyond their threshold, the largest multiple of it first."""
        moved = [column for column in self.columns if column.drifted]
        return tuple(sorted(moved, key=lambda column: (-column.score / column.threshold, column.column)))
