from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.predictions import NO_LABEL, Predictions
from monitoring.judging.fit.reference_limits import SHORTEST_HORIZON, label_horizon, reference_limits
from monitoring.records import WatchKey

DAY_US = 86_400_000_000
ERROR, BRIER = WatchKey(watch="error"), WatchKey(watch="brier")
YEAR_OF_DAYS = [day * DAY_US for day in range(366)]
RNG = np.random.default_rng(0)
STEADY = 0.2 + 0.02 * RNG.standard_normal(100)


def rows(delays_in_days: list[float], *, labelled: bool = True) -> Predictions:
    count = len(delays_in_days)
    times = np.arange(count, dtype=np.int64) * DAY_US
    return Predictions(
        ids=pa.array([str(number) for number in range(count)], pa.string()),
        event_times=times,
        features=pa.table({"x": np.zeros(count)}),
        probabilities=np.full((count, 2), 0.5),
        labels=np.full(count, 0 if labelled else NO_LABEL, dtype=np.int64),
        label_times=times + (np.array(delays_in_days) * DAY_US).astype(np.int64),
    )


@pytest.mark.parametrize(
    ("delays", "expected"),
    [([0.1] * 50, SHORTEST_HORIZON), ([20.0] * 50, timedelta(days=30)), ([20.2] * 50, timedelta(days=31))],
)
def test_labels_are_waited_for_half_as_long_again_as_the_references_took(
    delays: list[float], expected: timedelta
) -> None:
    assert label_horizon(rows(delays)) == expected


def test_one_label_in_a_thousand_that_took_a_year_is_not_waited_for() -> None:
    assert label_horizon(rows([2.0] * 999 + [365.0])) == SHORTEST_HORIZON


def test_without_labels_the_horizon_is_the_shortest() -> None:
    assert label_horizon(rows([40.0] * 5, labelled=False)) == SHORTEST_HORIZON
    assert label_horizon(rows([])) == SHORTEST_HORIZON


def test_a_steady_reference_of_a_year_has_no_limits() -> None:
    assert reference_limits({ERROR: STEADY, BRIER: STEADY / 2}, YEAR_OF_DAYS, keys=[ERROR, BRIER]) == ()


def test_a_reference_of_less_than_a_year_cannot_tell_a_season_from_drift() -> None:
    (told,) = reference_limits({ERROR: STEADY}, YEAR_OF_DAYS[:90], keys=[ERROR])
    assert told.startswith("The reference covers 90 days: it cannot tell a season from drift.")


def test_a_trend_of_the_references_own_loss_names_where_it_began_and_ended() -> None:
    (told,) = reference_limits({ERROR: STEADY + np.linspace(0.0, 0.1, 100)}, YEAR_OF_DAYS, keys=[ERROR])
    assert told.startswith("The error rate of the reference itself moves from 0.")
    first, last = (float(word.rstrip(":")) for word in told.split() if word.startswith("0."))
    assert first == pytest.approx(0.2, abs=0.01)
    assert last == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("scores", [np.full(50, 0.2), np.linspace(0.0, 1.0, 9)])
def test_scores_that_never_varied_or_are_few_have_no_trend(scores: np.ndarray) -> None:
    assert reference_limits({BRIER: scores}, YEAR_OF_DAYS, keys=[BRIER]) == ()


def test_slices_without_enough_windows_are_named_once_and_five_at_most() -> None:
    slices = [WatchKey(watch=name, slice=f"origin={n}") for n in range(7) for name in ("error", "brier")]
    judged = {WatchKey(watch="error", slice="origin=0"): STEADY, WatchKey(watch="brier", slice="origin=0"): STEADY / 2}
    (told,) = reference_limits({ERROR: STEADY, **judged}, YEAR_OF_DAYS, keys=[ERROR, *slices])
    assert told.startswith("Losses at origin=1, origin=2, origin=3, origin=4, origin=5, … will never be judged")
    assert "origin=0" not in told
    (few,) = reference_limits({ERROR: STEADY, **judged}, YEAR_OF_DAYS, keys=[ERROR, *slices[:4]])
    assert few.startswith("Losses at origin=1 will never be judged")


def test_a_reference_without_windows_says_nothing_of_seasons() -> None:
    assert reference_limits({}, [], keys=[]) == ()
