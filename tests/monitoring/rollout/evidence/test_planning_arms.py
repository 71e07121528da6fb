"""Plans of a split, by the test that is made later."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.rollout.evidence.arms import compare_arms
from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.rollout.evidence.planning import UnitStream, promise
from monitoring.rollout.evidence.terms import BETTER, WORSE, Rules

RULES = Rules(margin=0.01)
STREAM = UnitStream(rows=4_000, share=0.25, mean=0.2, square=0.2)


@pytest.mark.parametrize(("effect", "word"), [(-0.05, BETTER), (0.05, WORSE)])
def test_ninety_percent_of_splits_have_their_verdict_in_the_time_promised(effect: float, word: str) -> None:
    found = promise(STREAM, effect, RULES, np.random.default_rng(0), max_windows=60)
    assert found.word == word
    median, ninety = found.windows
    assert median is not None
    assert ninety is not None
    assert found.rows == (4_000 * median, 4_000 * ninety)
    draws, in_time, in_half = np.random.default_rng(1), 0, 0
    for _ in range(40):
        days = [
            [PairedSums.of(draws.binomial(1, share, units).astype(np.float64)) for _ in range(ninety)]
            for share, units in ((0.2, 3_000), (0.2 + effect, 1_000))
        ]
        in_time += compare_arms(days[0], days[1], RULES).word == word
        in_half += compare_arms(days[0][:median], days[1][:median], RULES).word == word
    assert in_time >= 30  # .9 of 40 less three standard errors
    assert in_half >= 10


def test_more_keys_and_an_even_split_are_faster_and_missing_labels_slower() -> None:
    def windows(stream: UnitStream) -> int:
        ninety = promise(stream, -0.03, RULES, np.random.default_rng(0), max_windows=60).windows[1]
        return 61 if ninety is None else ninety

    usual = windows(STREAM)
    assert windows(UnitStream(rows=4_000, share=0.5, mean=0.2, square=0.2)) < usual
    assert windows(UnitStream(rows=1_000, share=0.25, mean=0.2, square=0.2)) > usual
    assert windows(UnitStream(rows=4_000, share=0.25, mean=0.2, square=0.05)) < usual  # losses are of one size
    assert windows(UnitStream(rows=4_000, share=0.25, mean=0.2, square=0.2, coverage=0.9)) > 60  # each may be the worst
