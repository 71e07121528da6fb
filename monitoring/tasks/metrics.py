"""The losses of all tasks, as a person reads them."""

from __future__ import annotations

from monitoring.tasks import classification, regression
from monitoring.tasks.task import Metric

#: Every task's losses by name.
METRICS: dict[str, Metric] = {metric.name: metric for metric in (*classification.METRICS, *regression.METRICS)}
