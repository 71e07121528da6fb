"""Losses estimated without labels, their checks against labels, and realised losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from monitoring.records.watch import SCORE_ONE

EstimateMethod: TypeAlias = Literal["calibrated", "threshold", "residual", "weighted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalChecks:
    """Checks of an estimate's intervals against labels, over all windows so far.

    Attributes:
        rows: Labelled rows pooled for the next check.
        expected: The sum of their estimated losses, in fixed point.
        realised: The sum of their true losses, in fixed point.
        variance: The sum of the variances of their estimated losses.
        misses: Those that did not contain the true loss.
        log_capital: For each alternative miss rate, log(1 + M) of the betting capital M.
    """

    rows: int = 0
    expected: int = 0
    realised: int = 0
    variance: float = 0.0
    checks: int = 0
    misses: int = 0
    log_capital: tuple[float, ...] = ()
    trusted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateRecord:
    """One window's loss as estimated without labels, and the check of estimates against the labels that arrived.

    Attributes:
        value: The estimate; None while rows are too few.
        checked: Labelled rows of this window's check; 0 where there was none.
        expected: Their estimated loss.
        half: Half the width of the interval of `expected`.
        realised: Their true loss.
        trusted: Whether the estimate was trusted before the window.
        interval_checks: The checks up to this window.
        confusion: Estimated confusion matrix as shares of all rows, [predicted class][true class]; may be empty.
        effective: Effective sample size of a weighted estimate, None for others; if too small, there is no value.
        outside: The share of the window's rows that lie outside the reference; None where it is not known.
    """

    method: EstimateMethod
    metric: str
    rows: int
    value: float | None
    low: float | None
    high: float | None
    checked: int
    expected: float | None
    half: float | None
    realised: float | None
    trusted: bool
    interval_checks: IntervalChecks
    confusion: tuple[tuple[float, ...], ...] = ()
    effective: float | None = None
    outside: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RealisedLosses:
    """Labels that arrived for predictions of the window that began at `start`: rows, and sums of losses in fixed point.

    `missing` has how many of the rows have no loss of a metric, as their label lacks a part; negative where rows got
    that part later than another.
    `WindowRecord.realised_losses` has one for each window whose predictions got labels in the recorded window.
    """

    start: datetime
    rows: int
    losses: Mapping[str, int]
    missing: Mapping[str, int] = field(default_factory=dict)

    def mean(self, metric: str) -> float | None:
        """The mean loss of the rows that have one; None where there are none."""
        rows = self.rows - self.missing.get(metric, 0)
        return self.losses[metric] / (rows * SCORE_ONE) if rows > 0 else None

    def __add__(self, other: RealisedLosses) -> RealisedLosses:
        metrics = {**self.missing, **other.missing}
        return RealisedLosses(
            start=self.start,
            rows=self.rows + other.rows,
            losses={metric: total + other.losses[metric] for metric, total in self.losses.items()},
            missing={metric: self.missing.get(metric, 0) + other.missing.get(metric, 0) for metric in metrics},
        )
