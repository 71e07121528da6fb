"""Tolerances: changes that the user calls harmless."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monitoring.records import Watch, WatchKey
from monitoring.watches import label_coverage

#: The smallest standard deviation assumed for integrity and label coverage, in tolerances: in a good baseline their
#: scores hardly vary.
MIN_STD_IN_TOLERANCES = 0.5

#: A Brier tolerance that nobody gave is this many standard errors of the benchmark, and no less than the smallest
#: difference that matters.
BENCHMARK_ERRORS = 2.0
SMALLEST_BRIER = 0.0025


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
    brier: float | None
    integrity: float

    def completed(self, means: Mapping[WatchKey, NDArray[np.float64]]) -> Tolerances:
        """The tolerances with one for the Brier score, derived from the benchmark's own uncertainty if none was given.

        Args:
            means: Window scores of each watch over the baseline, [R].

        Returns:
            The same tolerances, or those with ``max(SMALLEST_BRIER, BENCHMARK_ERRORS · std / √R)``.

        >>> scores = {WatchKey(watch="brier"): np.array([0.1, 0.2] * 50)}
        >>> round(Tolerances(error=0.02, brier=None, integrity=0.0).completed(scores).brier, 4)
        0.0101
        """
        if self.brier is not None:
            return self
        scores = means.get(WatchKey(watch="brier"))
        error = 0.0 if scores is None else float(scores.std(ddof=1)) / math.sqrt(scores.size)
        return replace(self, brier=max(SMALLEST_BRIER, BENCHMARK_ERRORS * error))

    def score_tolerance(self, watch: Watch) -> float:
        """The largest harmless rise of a watch, in score units; 0 for watches without a tolerance."""
        if watch.family == "integrity":
            return self.integrity
        if watch.family == "labelled":
            return label_coverage.TOLERANCE / watch.scale
        metric = watch.name.removeprefix("surprise_").removeprefix("estimated_")
        loss = {"error": self.error, "brier": self.brier or 0.0}.get(metric, 0.0)
        return loss / watch.scale

    def min_std(self, watch: Watch) -> float:
        """The smallest standard deviation assumed for a watch between windows, in score units."""
        if watch.family not in ("integrity", "labelled"):
            return 0.0
        return MIN_STD_IN_TOLERANCES * self.score_tolerance(watch)
