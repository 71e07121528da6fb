"""Means over windows of the metrics that are shown."""

from __future__ import annotations

import math
from collections.abc import Iterable

from monitoring.records import MeasuredMetric

#: Standard errors of an interval of 95 %.
ERRORS = 1.96


def over_windows(windows: Iterable[Iterable[MeasuredMetric]]) -> tuple[MeasuredMetric, ...]:
    """The mean of each metric over windows, weighted by rows, with its 95 % interval: windows are independent.

    Returns:
        The means; both bounds are the mean where a metric is known in one window only.

    >>> one = [MeasuredMetric(metric="auc", rows=10, value=value, low=0.0, high=1.0) for value in (0.7, 0.9)]
    >>> round(over_windows([[one[0]], [one[1]]])[0].value, 3)
    0.8
    """
    by_name: dict[str, list[MeasuredMetric]] = {}
    for window in windows:
        for metric in window:
            by_name.setdefault(metric.metric, []).append(metric)
    return tuple(_mean(name, metrics) for name, metrics in by_name.items())


def _mean(name: str, metrics: list[MeasuredMetric]) -> MeasuredMetric:
    rows = sum(metric.rows for metric in metrics)
    mean = math.fsum(metric.value * metric.rows for metric in metrics) / rows
    squares = math.fsum((metric.rows * (metric.value - mean)) ** 2 for metric in metrics)
    count = len(metrics)
    half = ERRORS * math.sqrt(squares * count / (count - 1)) / rows if count > 1 else 0.0
    return MeasuredMetric(metric=name, rows=rows, value=mean, low=mean - half, high=mean + half)
