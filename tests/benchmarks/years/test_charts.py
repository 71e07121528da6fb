"""When an error rate rose, and charts of it."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.years.charts import Weeks, chart_alarms, periods


def weeks(rate: float, count: int, *, first: int, seed: int) -> Weeks:
    errors = np.random.default_rng(seed).binomial(50, rate, count) / 50.0
    return Weeks(week=np.arange(first, first + count), labels=np.full(count, 50), errors=errors, brier=0.5 * errors)


def joined(first: Weeks, second: Weeks) -> Weeks:
    parts = (np.concatenate(pair) for pair in ((first.week, second.week), (first.labels, second.labels)))
    week, labels = parts
    errors = np.concatenate((first.errors, second.errors))
    return Weeks(week=week, labels=labels, errors=errors, brier=0.5 * errors)


REFERENCE = weeks(0.2, 100, first=-99, seed=1)
HARMED = joined(weeks(0.2, 100, first=1, seed=2), weeks(0.3, 100, first=101, seed=3))


def test_a_rise_is_a_period_of_its_own() -> None:
    before, after = periods(REFERENCE, HARMED)
    assert not before.is_harmed
    assert after.is_harmed
    assert after.first == pytest.approx(101, abs=4)
    assert after.error == pytest.approx(0.3, abs=0.02)


def test_years_without_a_rise_are_one_period() -> None:
    (period,) = periods(REFERENCE, weeks(0.2, 200, first=1, seed=4))
    assert not period.is_harmed
    assert (period.first, period.end, period.labels) == (1, 201, 10_000)


def test_each_chart_alarms_soon_after_a_rise() -> None:
    for name, alarms in chart_alarms(REFERENCE, HARMED, 1825.0).items():
        assert any(101 <= week <= 125 for week in alarms), name
