"""What a report compares the deployment with, and what it hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from monitoring.records import WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean with the bounds of its 95 % interval; both bounds are the mean where there is too little to say more."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkMetric:
    """One metric of the benchmark, in its own unit: what was promised before the model met its traffic.

    `low` and `high` bound the mean's 95 % interval over days of out-of-fold predictions. `by_slice` has the same for
    slices written ``column=value``.

    >>> brier = BenchmarkMetric(metric="brier", mean=0.146, low=0.135, high=0.157)
    >>> brier.of(), brier.of("origin=EWR")
    (Interval(mean=0.146, low=0.135, high=0.157), None)
    """

    metric: str
    mean: float
    low: float
    high: float
    by_slice: Mapping[str, Interval] = field(default_factory=dict)

    def of(self, part: str = WHOLE) -> Interval | None:
        """The interval of the whole benchmark or of one slice; None for a slice that it does not know."""
        if part == WHOLE:
            return Interval(mean=self.mean, low=self.low, high=self.high)
        return self.by_slice.get(part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """The model's metrics on rows that it was not fitted on, before it was deployed."""

    metrics: tuple[BenchmarkMetric, ...]

    def of(self, metric: str, part: str = WHOLE) -> Interval | None:
        """The interval of one metric, on the whole or on one slice; None if the benchmark does not have it."""
        found = next((entry for entry in self.metrics if entry.metric == metric), None)
        return None if found is None else found.of(part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One metric over the windows that began in one calendar month: rows-weighted mean and 95 % interval by window."""

    first_day: date
    windows: int
    rows: int
    value: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSeries:
    """One metric of the deployment on the whole traffic or on one slice: over everything, and month by month."""

    metric: str
    slice: str
    rows: int
    whole: Interval
    months: tuple[Month, ...]


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
