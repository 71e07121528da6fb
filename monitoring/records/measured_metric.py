"""Metrics that are shown beside the losses, and not tested."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredMetric:
    """One metric over the labels that arrived in a window, or over the windows of a baseline.

    Attributes:
        metric: Its name, such as ``auc``.
        rows: Labelled rows.
        value: Its value, in its own unit.
        low: The lower bound of its 95 % interval.
        high: The upper bound.
    """

    metric: str
    rows: int
    value: float
    low: float
    high: float
