"""Harms are as large as their names say, and calendars leave the model as right as before."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.truth.lender.changes import HARMS, growing_segment, holidays, season, trend
from benchmarks.truth.lender.law import Shift, calm_day, sigmoid

#: Points of error that each harm costs.
POINTS = {
    "error +1 point": 1.0,
    "error +2": 2.0,
    "error +5 (2 SD)": 5.0,
    "error +10 (4 SD)": 10.0,
    "+30 in a 5 % slice, declared": 1.5,
    "recall -25 %, same accuracy": 0.0,
    "label noise 5 %": 2.65,
    "worse model (+1 point)": 1.0,
    "concept drift (+4)": 4.0,
}


@pytest.mark.parametrize("name", POINTS)
def test_a_harm_costs_the_points_of_its_name(name: str) -> None:
    rng = np.random.default_rng(0)
    day = calm_day(2, rng, rows=100_000, day_effect=0.0)
    harmed = HARMS[name][0](day, 1.0, rng)
    assert 100.0 * float(harmed.errors.mean() - day.errors.mean()) == pytest.approx(POINTS[name], abs=0.3)


@pytest.mark.parametrize("name", HARMS)
def test_a_harm_of_which_nothing_is_in_force_changes_no_loss(name: str) -> None:
    rng = np.random.default_rng(0)
    day = calm_day(2, rng, rows=50_000, day_effect=0.0)
    harmed = HARMS[name][0](day, 0.0, rng)
    assert float(harmed.errors.mean()) == pytest.approx(float(day.errors.mean()), abs=0.01)


@pytest.mark.parametrize("shift", [season(0.3), trend, holidays, growing_segment])
def test_calendars_move_the_inputs_and_leave_the_model_right(shift: Shift) -> None:
    rng = np.random.default_rng(1)
    day = calm_day(382, rng, rows=50_000, shift=shift, day_effect=0.0)
    assert float(day.labels.mean() - sigmoid(day.score).mean()) == pytest.approx(0.0, abs=0.01)
    assert np.abs(day.numbers.mean(axis=0)).max() > 0.05
