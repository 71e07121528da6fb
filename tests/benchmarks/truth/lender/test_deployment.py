"""The lender's deployment in memory: the product's own judge, window by window."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.truth.lender.changes import flipped
from benchmarks.truth.lender.deployment import LenderDeployment, joined, score_history
from benchmarks.truth.lender.harms import first_page, raises_page
from benchmarks.truth.lender.law import calm_day, predictions
from benchmarks.truth.lender.streams import calm_days
from monitoring.records import WatchKey

ROWS, REFERENCE = 220, 21


@pytest.fixture(scope="module")
def deployment() -> LenderDeployment:
    days = calm_days(7, 0, REFERENCE, rows=ROWS)
    return LenderDeployment.of([predictions(day, number) for number, day in enumerate(days)])


@pytest.mark.slow
def test_calm_days_tell_nobody_and_a_disaster_is_told(deployment: LenderDeployment) -> None:
    run = deployment.begin()
    for number, day in enumerate(calm_days(7, REFERENCE, 4, rows=ROWS), start=REFERENCE):
        assert not raises_page(deployment.step(run, number, predictions(day, number)))
    history = score_history(run, "page")
    windows, errors = history.scores[WatchKey(watch="error")]
    assert windows.tolist() == [0, 1, 2, 3]
    assert 0.1 < float(errors.mean()) < 0.4
    other, rng = run.copied(), np.random.default_rng(0)
    harmed = [flipped(25.0)(day, 1.0, rng) for day in calm_days(7, REFERENCE + 4, 8, rows=ROWS)]
    assert first_page(deployment, run, harmed) <= 4
    assert len(other.windows) == 4
    assert not other.incidents


@pytest.mark.slow
def test_the_page_level_is_calibrated_and_has_the_default_budget(deployment: LenderDeployment) -> None:
    assert deployment.fit.tests["page"].budget.threshold == 365.0
    assert math.isfinite(deployment.log_scale)
    assert deployment.log_scale != 0.0


def test_days_are_joined_in_order() -> None:
    days = [predictions(calm_day(number, np.random.default_rng(number), rows=5), number) for number in range(3)]
    rows = joined(days)
    assert len(rows) == 15
    assert rows.ids.to_pylist()[5] == "1-0"
    assert (np.diff(rows.event_times) > 0).all()
