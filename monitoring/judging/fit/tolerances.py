"""Tolerances: changes that the user calls harmless."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.records import Watch
from monitoring.watches import label_coverage

#: The smallest standard deviation assumed for integrity and label coverage, in tolerances: in a good baseline their
#: scores hardly vary.
MIN_STD_IN_TOLERANCES = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerances:
    """The largest harmless rise of each metric, in its own unit.

    >>> tolerances = Tolerances(error=0.02, brier=0.01, integrity=0.005)
    >>> surprise = Watch(
    ...     name="surprise_error", family="surprise", level="page", needs_label=True, scale=2.0, offset=-1.0
    ... )
    >>> tolerances.score_tolerance(surprise), tolerances.min_std(surprise)
    (0.01, 0.0)
    """

    error: float
    brier: float
    integrity: float

    def score_tolerance(self, watch: Watch) -> float:
        """The largest harmless rise of a watch, in score units; 0 for watches without a tolerance."""
        if watch.family == "integrity":
            return self.integrity
        if watch.family == "labelled":
            return label_coverage.TOLERANCE / watch.scale
        metric = watch.name.removeprefix("surprise_").removeprefix("estimated_")
        loss = {"error": self.error, "brier": self.brier}.get(metric, 0.0)
        return loss / watch.scale

    def min_std(self, watch: Watch) -> float:
        """The smallest standard deviation assumed for a watch between windows, in score units."""
        if watch.family not in ("integrity", "labelled"):
            return 0.0
        return MIN_STD_IN_TOLERANCES * self.score_tolerance(watch)
