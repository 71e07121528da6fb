"""The benchmark: the model's metrics before it was deployed, which a report compares the deployment with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from monitoring.records import WHOLE, BaselineScore, MonitorStatus
from monitoring.tasks.metrics import is_custom


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean with the bounds of its 95 % interval; both bounds are the mean where there are too few windows."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkMetric:
    """One metric of the benchmark, in its own unit.

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
        """The interval of the whole benchmark or of one slice; None for an unknown slice."""
        if part == WHOLE:
            return Interval(mean=self.mean, low=self.low, high=self.high)
        return self.by_slice.get(part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """The model's metrics on held-out rows before it was deployed."""

    metrics: tuple[BenchmarkMetric, ...]

    def of(self, metric: str, part: str = WHOLE) -> Interval | None:
        """The interval of one metric, on the whole or on one slice; None if it is unknown."""
        metric_benchmark = next((entry for entry in self.metrics if entry.metric == metric), None)
        return None if metric_benchmark is None else metric_benchmark.of(part)


def benchmark_interval(
    status: MonitorStatus, benchmark: Benchmark | None, metric: str, part: str = WHOLE
) -> Interval | None:
    """What a metric is compared with.

    Returns:
        The benchmark's interval; the baseline's mean without an interval, where there is no benchmark; of a metric of
        the user's own, whose function a report does not call, the baseline's with the interval over its windows; None
        where neither has the metric.
    """
    if benchmark is not None and not is_custom(metric):
        return benchmark.of(metric, part)
    score = baseline_score(status, metric, part)
    if score is None:
        return None
    half = 1.96 * score.deviation / math.sqrt(score.windows) if is_custom(metric) and score.windows else 0.0
    return Interval(mean=score.mean, low=score.mean - half, high=score.mean + half)


def baseline_score(status: MonitorStatus, watch: str, part: str = WHOLE) -> BaselineScore | None:
    """The baseline of a watch on the whole traffic or on one slice; None where it has none."""
    return next((score for score in status.baseline if score.watch == watch and score.slice == part), None)
