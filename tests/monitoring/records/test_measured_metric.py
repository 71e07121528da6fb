"""A metric that is shown is kept to the last digit."""

from __future__ import annotations

import json
from dataclasses import asdict

from monitoring.records import MeasuredMetric


def test_a_metric_comes_back_from_json_as_it_was() -> None:
    one = MeasuredMetric(metric="auc", rows=3, value=1 / 3, low=0.1, high=2 / 3)
    assert MeasuredMetric(**json.loads(json.dumps(asdict(one)))) == one
