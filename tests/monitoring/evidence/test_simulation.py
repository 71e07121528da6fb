"""Many streams at once are the monitor's own test, window by window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.autocorrelation import ar1_update_due, level_ar1
from monitoring.evidence.budget import Budget, weights
from monitoring.evidence.conformal import ConformalTest, WatchState
from monitoring.evidence.level import LevelState, LevelTest
from monitoring.evidence.simulation import MAX_EVIDENCE, SimulatedStreams, StreamSampling, VectorizedTests
from monitoring.records import SCORE_ONE, Direction, ScoreSum, WatchKey

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
    return test, SimulatedStreams(test, baseline, rng, StreamSampling(simulations=simulations, windows=windows))


def test_the_many_streams_at_once_are_the_test_itself_window_by_window() -> None:
    test, simulated = streams()
    evidence = simulated.evidence()
    for stream in range(5):
        state = LevelState()
        for window in range(evidence.shape[1]):
            sums = {
                key: ScoreSum(1, int(scores[stream, window] * SCORE_ONE))
                for key, scores in simulated.scores.items()
                if key == ERROR or not waits(window)
            }
            state, reading = test.step(state, sums)
            np.testing.assert_allclose(evidence[stream, window], reading.evidence, rtol=1e-9)


def waits(window: int) -> bool:
    """Whether a watch with 70 of 90 baseline windows waits for more rows."""
    return (window + 1) * 70 // 90 == window * 70 // 90


def test_a_watch_that_was_pooled_in_the_baseline_is_evaluated_as_often_as_there() -> None:
    rng = np.random.default_rng(7)
    baseline = {ERROR: np.full(60, 0.2), BRIER: rng.normal(0.2, 0.03, 20)}
    tests = {key: ConformalTest.fit(scores, tolerance=0.0, min_std=1e-3) for key, scores in baseline.items()}
    test = LevelTest(
        level="page", budget=Budget(alarms=1, windows=100), tests=tests, shares={ERROR: 0.0, BRIER: 1.0}, min_rows=1
    )
    simulated = SimulatedStreams(test, baseline, rng, StreamSampling(simulations=3, windows=60))
    changes = (np.diff(simulated.evidence(), axis=1) != 0.0).sum(axis=1)
    assert changes.tolist() == [20, 20, 20]


def test_single_innovations_are_put_together_with_the_coefficient_of_the_test() -> None:
    """Streams and references have the baseline's mean, standard deviation and autocorrelation."""
    rng = np.random.default_rng(8)
    series = [0.0]
    for _ in range(399):
        series.append(0.6 * series[-1] + float(rng.normal()))
    baseline = {ERROR: 0.2 + 0.01 * np.array(series)}
    test = LevelTest(
        level="page",
        budget=Budget(alarms=1, windows=100),
        tests={ERROR: ConformalTest.fit(baseline[ERROR], tolerance=0.0, ar1=0.6)},
        shares={ERROR: 1.0},
        min_rows=1,
    )
    sampling = StreamSampling(simulations=50, windows=400, length=1, resample_reference=True)
    scores = SimulatedStreams(test, baseline, rng, sampling).scores[ERROR]
    off = scores - scores.mean()
    correlation = (off[:, 1:] * off[:, :-1]).mean() / (off**2).mean()
    assert abs(correlation - 0.6) < 0.03
    assert abs(scores.mean() - baseline[ERROR].mean()) < 0.001
    assert abs(scores.std() / baseline[ERROR].std() - 1.0) < 0.1


def test_streams_that_update_their_coefficients_are_the_test_with_those_of_its_own_windows() -> None:
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


def test_a_larger_harm_is_never_detected_later() -> None:
    _, simulated = streams()
    before = simulated.first_alarms()
    for size in (0.02, 0.05, 0.1, 0.3):
        after = simulated.first_alarms({ERROR: size, BRIER: size})
        assert (after <= before).all()
        before = after


def test_a_stream_without_an_alarm_has_one_past_the_last_window() -> None:
    _, simulated = streams(simulations=10, windows=5)
    assert (simulated.first_alarms({ERROR: -0.2}) == 6).all()


def test_a_restart_drops_evidence_and_live_windows_but_not_the_previous_score() -> None:
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


def test_watches_that_are_alike_are_simulated_once_to_the_same_bits() -> None:
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
    simulated = SimulatedStreams(test, baseline, rng, StreamSampling(simulations=20, windows=50))

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


def test_evidence_is_capped_far_above_any_threshold() -> None:
    test = ConformalTest.fit(np.random.default_rng(6).normal(0.2, 0.02, 90), tolerance=0.1, min_std=0.02)
    assert not test.adds_live_windows
    tests = VectorizedTests([test], 1)
    found = [float(tests.step(np.array([[0.9]]))[0, 0]) for _ in range(400)]
    assert found[-1] == MAX_EVIDENCE


def test_one_sided_and_two_sided_watches_go_together_as_they_do_apart() -> None:
    rng = np.random.default_rng(7)
    baselines = [rng.normal(0.2, 0.02, size) for size in (40, 40, 90)]
    directions: tuple[Direction, ...] = ("up", "both", "up")
    tests = [
        ConformalTest.fit(scores, tolerance=0.001, direction=direction, ar1=0.2)
        for scores, direction in zip(baselines, directions, strict=True)
    ]
    scores = rng.normal(0.21, 0.02, (3, 20, 3))
    together = VectorizedTests(tests, 3)
    apart = [VectorizedTests([test], 3) for test in tests]
    for window in range(20):
        found = together.step(scores[:, window])
        expected = [one.step(scores[:, window, [place]])[:, 0] for place, one in enumerate(apart)]
        np.testing.assert_allclose(found, np.stack(expected, axis=1), rtol=1e-12)


def test_streams_are_drawn_from_the_baselines_own_windows_and_all_watches_by_the_same_days() -> None:
    rng = np.random.default_rng(8)
    days = rng.uniform(0.1, 0.3, 60)
    baseline = {ERROR: days, BRIER: days / 2.0}
    test = LevelTest(
        level="page",
        budget=Budget(alarms=1, windows=100),
        tests={key: ConformalTest.fit(scores, tolerance=0.0) for key, scores in baseline.items()},
        shares=weights(baseline),
        min_rows=1,
    )
    simulated = SimulatedStreams(test, baseline, rng, StreamSampling(simulations=10, windows=150))
    assert simulated.scores[ERROR].shape == (10, 150)
    assert set(simulated.scores[ERROR].ravel().tolist()) <= set(days.tolist())
    np.testing.assert_array_equal(simulated.scores[BRIER], simulated.scores[ERROR] / 2.0)


def test_a_shift_of_a_watch_that_the_level_does_not_have_changes_nothing() -> None:
    _, simulated = streams(simulations=8, windows=20)
    np.testing.assert_array_equal(simulated.evidence({WatchKey(watch="other"): 0.5}), simulated.evidence())
