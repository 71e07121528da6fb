from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from monitoring.judging.fit.reference_limits import (
    DAY_US,
    SHORTEST_HORIZON,
    YEAR,
    label_horizon,
    never_judged,
    reference_limits,
)
from monitoring.records import WatchKey

ERROR, BRIER = WatchKey(watch="error"), WatchKey(watch="brier")
STEADY = 0.2 + 0.02 * np.random.default_rng(0).standard_normal(100)


def delays(days: list[float]) -> np.ndarray:
    return (np.array(days) * DAY_US).astype(np.int64)


@pytest.mark.parametrize(
    ("days", "expected"),
    [([0.1] * 50, SHORTEST_HORIZON), ([20.0] * 50, timedelta(days=30)), ([20.2] * 50, timedelta(days=31))],
)
def test_labels_are_waited_for_half_as_long_again_as_the_references_took(
    days: list[float], expected: timedelta
) -> None:
    assert label_horizon(delays(days)) == expected


def test_one_label_in_a_thousand_that_took_a_year_is_not_waited_for() -> None:
    assert label_horizon(delays([2.0] * 999 + [365.0])) == SHORTEST_HORIZON


def test_without_labels_the_horizon_is_the_shortest() -> None:
    assert label_horizon(delays([])) == SHORTEST_HORIZON


def test_a_steady_reference_of_a_year_has_no_limits() -> None:
    assert reference_limits({ERROR: STEADY, BRIER: STEADY / 2}, [], span=YEAR) == ()


def test_a_reference_of_less_than_a_year_cannot_tell_a_season_from_drift() -> None:
    (told,) = reference_limits({ERROR: STEADY}, [], span=timedelta(days=89, hours=23))
    assert told.startswith("The reference covers 90 days, less than a year: it cannot tell a season from drift.")


@pytest.mark.parametrize(
    ("watches", "told"),
    [
        (
            ("error", "brier", "rank:late"),
            "the Brier score by less than 9 % of the benchmark and of ranking loss by less",
        ),
        (("absolute_error", "squared_error", "bias"), "the absolute error, squared error by less than 15 % of the"),
        (("error",), ""),
        (("missing:temp",), ""),
    ],
)
def test_the_rises_that_are_notices_for_now_are_of_losses_that_the_task_has(
    watches: tuple[str, ...], told: str
) -> None:
    means = {WatchKey(watch=name): STEADY for name in watches}
    (sentence,) = reference_limits(means, [], span=timedelta(days=89))
    assert told in sentence
    assert ("rises of" in sentence) == bool(told)
    assert ("Brier" in sentence, "ranking" in sentence) == ("brier" in watches, "rank:late" in watches)


def test_a_trend_of_the_references_own_loss_names_where_it_began_and_ended() -> None:
    (told,) = reference_limits({ERROR: STEADY + np.linspace(0.0, 0.1, 100)}, [], span=YEAR)
    assert told.startswith("The error rate of the reference itself moves from 0.")
    first, last = (float(word.rstrip(":")) for word in told.split() if word.startswith("0."))
    assert first == pytest.approx(0.216, abs=0.01)
    assert last == pytest.approx(0.284, abs=0.01)


def test_a_trend_that_rose_at_once_names_no_rate_above_one() -> None:
    (told,) = reference_limits({ERROR: np.where(np.arange(100) < 60, 0.02, 1.0)}, [], span=YEAR)
    assert "moves from 0.020 in its first third to 1.000 in its last" in told


@pytest.mark.parametrize("scores", [np.full(50, 0.2), np.linspace(0.0, 1.0, 9)])
def test_scores_that_never_varied_or_are_few_have_no_trend(scores: np.ndarray) -> None:
    assert reference_limits({BRIER: scores}, [], span=YEAR) == ()


@pytest.mark.parametrize(
    ("slices", "named"), [(2, "origin = 0, origin = 1"), (7, "origin = 0, origin = 1, origin = 2")]
)
def test_slices_without_enough_windows_are_named_once_and_five_at_most(slices: int, named: str) -> None:
    unfitted = [WatchKey(watch=name, slice=f"origin={n}") for n in range(slices) for name in ("error", "brier")]
    (told,) = reference_limits({ERROR: STEADY}, [*unfitted, WatchKey(watch="surprise_error")], span=YEAR)
    assert told.startswith(f"Never judged, for too few rows in the baseline: losses at {named}")
    assert told.count("origin =") == min(slices, 5)
    assert told.endswith(", ….") == (slices > 5)


def test_watches_on_the_whole_traffic_that_are_never_judged_are_named() -> None:
    (found,) = never_judged([WatchKey(watch=name) for name in ("error", "surprise_error", "labelled:score=low")])
    assert found.message == "Never judged, for too few rows in the baseline: error rate."
    assert not found.fact


def test_nothing_is_said_where_all_is_judged() -> None:
    assert never_judged([]) == ()


def test_slices_that_are_joined_over_windows_are_named_with_their_rows() -> None:
    pooled = {WatchKey(watch=name, slice="label=fraud"): 27 for name in ("error", "brier")}
    (told,) = reference_limits({ERROR: STEADY}, [], span=YEAR, pooled_rows=pooled)
    assert told == (
        "Few rows: losses at label = fraud (27 rows) are judged over windows that are joined until they have as many."
    )
