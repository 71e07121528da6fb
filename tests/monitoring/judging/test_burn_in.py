"""A burn-in: how much windows vary is learned and nothing is evidence; after it, a wider benchmark."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from monitoring.evidence.budget import Budget
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.level import LevelState, LevelTest
from monitoring.judging.burn_in import BurnIn, ScoreSpread, silenced
from monitoring.judging.level_evidence import LevelEvidence
from monitoring.records import AFTER_BURN_IN, BURN_IN, SCORE_ONE, ScoreSum, WatchKey

KEY = WatchKey(watch="brier")
ZONE = ZoneInfo("Asia/Tokyo")
START = datetime(2023, 12, 31, 15, tzinfo=UTC)
SCORES = np.random.default_rng(0).normal(0.2, 0.01, 60)
TEST = LevelTest(
    level="page",
    budget=Budget.parse("1 per 100 windows"),
    tests={KEY: ConformalTest.fit(SCORES, tolerance=0.0)},
    shares={KEY: 1.0},
    min_rows=1,
)


def after(score: float, state: LevelState) -> LevelEvidence:
    moved, reading = TEST.step(state, {KEY: ScoreSum(100, round(100 * score * SCORE_ONE))})
    return LevelEvidence(test=TEST, state=moved, reading=reading)


def test_spreads_are_those_of_numpy_and_never_narrow_the_benchmark() -> None:
    scores = np.random.default_rng(1).normal(0.0, 3.0, 40)
    spread = ScoreSpread()
    for score in scores:
        spread = spread.with_score(float(score), 1.0)
    assert spread.width == pytest.approx(scores.std(ddof=1))
    assert ScoreSpread(windows=40, squares=1.0, expected=40.0).width == 1.0
    assert ScoreSpread(windows=4, squares=1e6, expected=4.0).width == 1.0, "four windows say too little"
    assert ScoreSpread(windows=40, squares=1e6).width == 1.0, "a score that never varied in the reference"


def test_no_window_of_it_is_evidence_and_its_scores_are_shown() -> None:
    state, burn_in = LevelState(), BurnIn(start=START, until=START + timedelta(days=28))
    for score in np.random.default_rng(2).normal(0.2, 0.05, 28):
        found = after(float(score), state)
        burn_in, quiet = burn_in.with_window({"page": found}), silenced(found)
        assert not quiet.reading.alarm
        assert quiet.reading.log_evidence == -math.inf
        assert quiet.score(KEY) == found.score(KEY)
        state = quiet.state
    assert state.watches[KEY].live_windows == 0
    assert burn_in.widths[KEY] == pytest.approx(5.0, rel=0.35)


def test_a_window_says_until_when_it_lasts_and_later_ones_what_to_do_with_it() -> None:
    burn_in = BurnIn(
        start=START,
        until=START + timedelta(days=28),
        spreads={KEY: ScoreSpread(windows=28, squares=27.0 * 9.0, expected=28.0)},
    )
    (during,) = burn_in.findings(START, ZONE)
    (later,) = burn_in.findings(START + timedelta(days=28), ZONE)
    assert (during.kind, later.kind) == (BURN_IN, AFTER_BURN_IN)
    assert during.message.startswith("Burn-in until 29 January 2024: ")
    assert "Brier score 3.0" in later.message
    assert "pitfalls monitor rebaseline --from 2024-01-01 --to 2024-01-29" in later.message
    assert not during.fact
    assert not later.fact
    assert BurnIn().findings(START, ZONE) == ()
    calm = BurnIn(start=START, until=START + timedelta(days=28))
    assert "Windows vary about as much" in calm.findings(START + timedelta(days=40), ZONE)[0].message


def test_it_survives_text() -> None:
    burn_in = BurnIn(start=START, until=START + timedelta(days=1)).with_window({"page": after(0.21, LevelState())})
    assert BurnIn.from_text(burn_in.to_text()) == burn_in
    assert BurnIn.from_text("") == BurnIn()
    assert not BurnIn().covers(START)
    assert not BurnIn().is_over(START)
