"""Plans: how long a verdict takes, by the test that is made later."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.rollout.evidence.planning import (
    PairedStream,
    PlannedGuard,
    guard_windows,
    last_guard,
    promise,
    windows_to_word,
)
from monitoring.rollout.evidence.terms import BETTER, NO_DIFFERENCE, WORSE, Rules
from monitoring.rollout.evidence.verdict import compare

RULES = Rules(margin=0.005)
STREAM = PairedStream(rows=1_000, disagreement=0.06)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize(("effect", "word"), [(-0.03, BETTER), (0.03, WORSE), (0.0, NO_DIFFERENCE)])
def test_ninety_percent_of_real_rollouts_have_their_verdict_in_the_time_promised(effect: float, word: str) -> None:
    found = promise(STREAM, effect, RULES, rng())
    assert found.word == word
    median, ninety = found.windows
    assert median is not None
    assert ninety is not None
    draws, in_time, in_half = np.random.default_rng(1), 0, 0
    shares = [0.03 - effect / 2, 0.94, 0.03 + effect / 2]
    for _ in range(60):
        days = [PairedSums.of(draws.choice([-1.0, 0.0, 1.0], 1_000, p=shares)) for _ in range(ninety)]
        in_time += compare(days, RULES).word == word
        in_half += compare(days[:median], RULES).word == word
    assert in_time >= 47  # .9 of 60 less three standard errors
    assert in_half >= 18  # .5 less as many; days are whole, so that more have it on the promised one


def test_larger_effects_and_more_rows_are_faster_and_missing_labels_slower() -> None:
    def windows(stream: PairedStream, effect: float) -> int:
        ninety = promise(stream, effect, RULES, rng()).windows[1]
        assert ninety is not None
        return ninety

    usual = windows(STREAM, -0.02)
    assert windows(STREAM, -0.04) < usual
    assert windows(PairedStream(rows=4_000, disagreement=0.06), -0.02) < usual
    assert windows(PairedStream(rows=1_000, disagreement=0.3), -0.02) > usual
    assert windows(PairedStream(rows=1_000, disagreement=0.06, coverage=0.9), -0.02) > usual
    assert windows(PairedStream(rows=1_000, disagreement=0.06, days=(0.0,)), -0.02) == pytest.approx(usual, abs=2)
    assert windows(PairedStream(rows=1_000, disagreement=0.06, days=(0.02, 0.03)), -0.02) > usual


def test_a_promotion_waits_for_the_slowest_guard_and_a_rollback_for_none() -> None:
    slow = PlannedGuard("calibration", PairedStream(rows=30, disagreement=0.06), Rules(margin=0.02))
    quick = PlannedGuard("errors", PairedStream(rows=1_000, disagreement=0.0), Rules(margin=0.01))
    waits = guard_windows((slow, quick), rng())
    guarded, plain = (promise(STREAM, -0.03, RULES, rng(), guards=guards) for guards in (waits, {}))
    assert guarded.windows[1] is not None
    assert plain.windows[1] is not None
    assert guarded.windows[1] > 3 * plain.windows[1]
    assert promise(STREAM, 0.03, RULES, rng(), guards=waits) == promise(STREAM, 0.03, RULES, rng())
    assert last_guard(waits) == ("calibration", guarded.windows[1])
    assert last_guard(waits, 10) == ("calibration", None)


def test_what_takes_too_long_is_not_promised() -> None:
    found = promise(PairedStream(rows=10, disagreement=0.06), -0.01, RULES, rng(), max_windows=20)
    assert found.windows == found.rows == found.labels == (None, None)


def test_rows_and_labels_are_those_of_the_windows() -> None:
    found = promise(STREAM, -0.03, RULES, rng())
    for windows, rows, labels in zip(found.windows, found.rows, found.labels, strict=True):
        assert windows is not None
        assert (rows, labels) == (1_000 * windows, 60 * windows)


def test_labels_that_are_half_missing_allow_no_verdict_unless_they_are_like_the_others() -> None:
    stream = PairedStream(rows=1_000, disagreement=0.06, coverage=0.5)
    bounded = windows_to_word(stream, -0.02, BETTER, RULES, rng(), max_windows=100)
    at_random = windows_to_word(stream, -0.02, BETTER, Rules(margin=0.005, missing="at random"), rng(), max_windows=100)
    assert (bounded > 100).all()
    assert np.median(at_random) < 100
