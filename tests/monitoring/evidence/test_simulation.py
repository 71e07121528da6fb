from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.autocorrelation import ar1_update_due, level_ar1
from monitoring.evidence.budget import Budget, weights
from monitoring.evidence.conformal import ConformalTest, WatchState
from monitoring.evidence.level import LevelState, LevelTest
from monitoring.evidence.simulation import SimulatedStreams, VectorizedTests
from monitoring.records import SCORE_ONE, ScoreSum, WatchKey

ERROR, BRIER = WatchKey(watch="error"), WatchKey(watch="brier")


def streams(*, simulations: int = 40, windows: int = 50) -> tuple[LevelTest, SimulatedStreams]:
    rng = np.random.default_rng(4)
    # Multiples of 2^-20, so that a sum over rows gives the very same mean.
    baseline = {key: np.round(rng.uniform(0.1, 0.3, size) * 2**20) / 2**20 for key, size in ((ERROR, 90), (BRIER, 70))}
    test = LevelTest(
        level="page",
        budget=Budget(alarms=1, windows=100),
        tests={
            ERROR: ConformalTest.fit(baseline[ERROR], tolerance=0.01, ar1=0.4),
            BRIER: ConformalTest.fit(baseline[BRIER], tolerance=0.05, direction="both"),
        },
        shares=weights(baseline),
        min_rows=1,
    )
    return test, SimulatedStreams(test, baseline, rng, simulations=simulations, windows=windows)


def test_the_many_streams_at_once_are_the_test_itself_window_by_window() -> None:
    test, simulated = streams()
    evidence = simulated.evidence()
    for stream in range(5):
        state = LevelState()
        for window in range(evidence.shape[1]):
            sums = {
                key: ScoreSum(1, int(scores[stream, window] * SCORE_ONE)) for key, scores in simulated.scores.items()
            }
            state, reading = test.step(state, sums)
            np.testing.assert_allclose(evidence[stream, window], reading.evidence, rtol=1e-9)


def test_streams_that_learn_are_the_test_with_what_its_own_windows_taught_it() -> None:
    test, simulated = streams(windows=90)
    scores = np.stack([simulated.scores[key] for key in test.tests], axis=2)
    runs = VectorizedTests(list(test.tests.values()), len(scores), levels=[0, 0])
    found = [runs.step(scores[:, window]) for window in range(90)]
    shares = np.array([test.shares[key] for key in test.tests])
    known = {key: np.asarray(one.calibration_scores) for key, one in test.tests.items()}
    changed = 0
    for stream in range(5):
        state = LevelState()
        for window in range(90):
            if ar1_update_due(window):
                judged = {key: [scores[stream, :window, place]] for place, key in enumerate(test.tests)}
                state = replace(state, ar1=level_ar1(known, judged))
                changed += state.ar1[ERROR] != test.tests[ERROR].ar1
            sums = {
                key: ScoreSum(1, int(scores[stream, window, place] * SCORE_ONE)) for place, key in enumerate(test.tests)
            }
            state, reading = test.with_ar1(state.ar1).step(state, sums)
            np.testing.assert_allclose(found[window][stream] @ shares, reading.evidence, rtol=1e-9)
    assert changed == 5 * 4


def test_a_larger_harm_is_never_caught_later() -> None:
    _, simulated = streams()
    before = simulated.first_alarms()
    for size in (0.02, 0.05, 0.1, 0.3):
        after = simulated.first_alarms({ERROR: size, BRIER: size})
        assert (after <= before).all()
        before = after


def test_streams_without_an_alarm_say_one_past_the_last_window() -> None:
    _, simulated = streams(simulations=10, windows=5)
    assert (simulated.first_alarms({ERROR: -0.2}) == 6).all()


def test_a_restart_forgets_evidence_and_yardstick_but_not_the_window_before() -> None:
    test, simulated = streams()
    scores = np.stack([simulated.scores[key] for key in test.tests], axis=2)
    runs = VectorizedTests(list(test.tests.values()), len(scores))
    for window in range(20):
        runs.step(scores[:, window])
    runs.restart(np.ones((len(scores), 2), dtype=np.bool_))
    evidence = runs.step(scores[:, 20])
    for place, (key, one) in enumerate(test.tests.items()):
        state = WatchState.initial(len(one.etas), last_score=float(simulated.scores[key][3, 19]))
        again = one.step(state, float(simulated.scores[key][3, 20]))
        np.testing.assert_allclose(evidence[3, place], np.exp(again.log_evidence), rtol=1e-9)


def test_watches_that_are_alike_are_gone_through_once_to_the_same_bits() -> None:
    rng = np.random.default_rng(5)
    keys = [WatchKey(watch=f"missing:x{place}") for place in range(6)]
    moved, still = rng.uniform(0.1, 0.3, 40), np.zeros(40)
    baseline = {key: moved if place == 2 else still for place, key in enumerate(keys)}
    test = LevelTest(
        level="page",
        budget=Budget(alarms=1, windows=100),
        tests={key: ConformalTest.fit(baseline[key], tolerance=0.01, min_std=0.005) for key in keys},
        shares=weights(keys, {key.watch: "integrity" for key in keys[:4]}),
        min_rows=1,
    )
    simulated = SimulatedStreams(test, baseline, rng, simulations=20, windows=50)

    def alone(key: WatchKey, rise: float) -> NDArray[np.float64]:
        runs = VectorizedTests([test.tests[key]], 20)
        scores = simulated.scores[key] + rise
        return np.stack([runs.step(scores[:, [at]])[:, 0] * test.shares[key] for at in range(50)], axis=1)

    for rise in (0.0, 0.02, 0.3):
        for harmed in (keys[1], keys[2]):
            expected = np.zeros((20, 50))
            for key in keys:
                if key != harmed:
                    expected += alone(key, 0.0)
            found = simulated.evidence({harmed: rise})
            np.testing.assert_array_equal(found, expected + alone(harmed, rise))
