from __future__ import annotations

import numpy as np
import pytest

from benchmarks.truth.level_streams import Alarms, alarms, resampled
from monitoring.evidence.budget import Budget, weights
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.level import LevelTest
from monitoring.evidence.simulation import SimulatedStreams, StreamSampling
from monitoring.records import WatchKey

ERROR, BRIER, SHIFT = WatchKey(watch="error"), WatchKey(watch="brier"), WatchKey(watch="shift")


def level(*, threshold: int = 20) -> tuple[LevelTest, dict[WatchKey, np.ndarray]]:
    rng = np.random.default_rng(4)
    means = {ERROR: rng.uniform(0.1, 0.3, 40), BRIER: rng.uniform(0.1, 0.3, 40), SHIFT: rng.normal(0.5, 0.1, 40)}
    test = LevelTest(
        level="page",
        budget=Budget(alarms=1, windows=threshold),
        tests={
            ERROR: ConformalTest.fit(means[ERROR], tolerance=0.01),
            BRIER: ConformalTest.fit(means[BRIER], tolerance=0.0),
            SHIFT: ConformalTest.fit(means[SHIFT], tolerance=0.0, direction="both"),
        },
        shares=weights(means),
        min_rows=1,
    )
    return test, means


@pytest.mark.parametrize("moves", [{}, {ERROR: 0.1}, {BRIER: 0.2, SHIFT: -0.2}], ids=["quiet", "one", "two"])
def test_first_alarms_are_those_of_the_products_own_simulation(moves: dict[WatchKey, float]) -> None:
    test, means = level()
    product = SimulatedStreams(
        test, means, np.random.default_rng(5), StreamSampling(simulations=300, windows=90, length=3)
    )
    places = resampled(40, np.random.default_rng(5), streams=300, windows=90, length=3)
    np.testing.assert_array_equal(alarms(test, means, places, moves, learning=False).first, product.first_alarms(moves))


def test_the_test_restarts_after_an_alarm() -> None:
    test, means = level()
    places = resampled(40, np.random.default_rng(6), streams=20, windows=200, length=1)
    harmed = {ERROR: 0.3, BRIER: 0.3}
    found = alarms(test, means, places, harmed)
    for stream in range(5):
        first = found.first[stream]
        rest = alarms(test, means, places[stream : stream + 1, first:], harmed)
        np.testing.assert_array_equal(found.at[stream, first:], rest.at[0])


def test_figures_of_alarms_computed_by_hand() -> None:
    found = Alarms(at=np.array([[0, 1, 0, 1], [0, 0, 0, 0], [0, 0, 1, 0]], dtype=bool))
    assert found.first.tolist() == [2, 5, 3]
    assert found.share_with_any(2) == pytest.approx(1 / 3)
    assert found.per(4) == pytest.approx(1.0)
    assert found.per(4, within=2) == pytest.approx(4 / 6)
    assert found.run_length == 4.0
    assert found.median_delay == 3.0


def test_streams_without_an_alarm_have_no_delay_and_a_lower_bound_of_the_run_length() -> None:
    found = Alarms(at=np.zeros((10, 100), dtype=bool))
    assert found.median_delay is None
    assert found.known_run_length == "> 1,000"
