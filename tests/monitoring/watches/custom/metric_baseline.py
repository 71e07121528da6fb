"""A baseline in memory with labels of a known and an unknown class, and metrics to check on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import Profile
from monitoring.baseline.reference import InMemoryReference
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.tasks.task import NO_LABEL, UNKNOWN_CLASS, Whole
from monitoring.watches.custom.custom_metric import CustomMetric, CustomMetrics

SPEC = BaselineSpec(
    classes=("on_time", "late"),
    features=(FeatureSpec(name="temp", kind="number"), FeatureSpec(name="origin", kind="category")),
)
ROWS = 400


def predictions(labels: Whole | None = None) -> Predictions:
    rng = np.random.default_rng(1)
    late = rng.random(ROWS)
    given = (rng.random(ROWS) < late).astype(np.int64) if labels is None else labels
    if labels is None:
        given[:2] = UNKNOWN_CLASS, NO_LABEL
    return Predictions(
        ids=pa.array([str(row) for row in range(ROWS)]),
        event_times=np.arange(ROWS),
        features=pa.table({"temp": rng.normal(50.0, 10.0, ROWS), "origin": rng.choice(["EWR", "JFK"], ROWS)}),
        probabilities=np.stack([1.0 - late, late], axis=1),
        labels=given,
        label_times=np.arange(ROWS),
    )


def baseline(rows: Predictions | None = None, spec: BaselineSpec = SPEC) -> Baseline:
    held = InMemoryReference(predictions() if rows is None else rows)
    return Baseline(spec=spec, bins=(), profile=Profile(rows=ROWS, features=()), rows=held)


def metric(function: Callable[..., Any], **given: Any) -> CustomMetric:
    return CustomMetric(name="missed", function=function, place="own:missed", file="own.py", **given)


def metrics(function: Callable[..., Any], **given: Any) -> CustomMetrics:
    return CustomMetrics(metrics=(metric(function, **given),))
