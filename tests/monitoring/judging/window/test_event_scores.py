from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from monitoring.evidence.conformal import ConformalTest
from monitoring.judging.window.event_scores import MAX_OCCURRENCES, EventScores
from monitoring.records import WatchKey
from monitoring.traffic.expected_events import ExpectedEvent

ERROR = WatchKey(watch="error", slice="origin=EWR")
TEST = ConformalTest.fit(np.random.default_rng(0).normal(0.2, 0.02, 40), tolerance=0.0)


def occurrence(year: int) -> ExpectedEvent:
    start = datetime(year, 12, 25, tzinfo=UTC)
    return ExpectedEvent(start=start, end=start + timedelta(days=2), name="Christmas")


def seen(*years: int, score: float = 0.3) -> EventScores:
    found = EventScores()
    for year in years:
        for _ in range(2):
            found = found.with_window(occurrence(year), {ERROR: score})
    return found


def test_an_event_is_known_once_it_was_seen_twice_before() -> None:
    assert not seen(2021).reference(occurrence(2022), EventScores()).is_known
    assert seen(2021, 2022).reference(occurrence(2023), EventScores()).is_known
    assert seen(2022).reference(occurrence(2023), seen(2021)).is_known, "in the baseline, or in traffic"
    assert not seen(2021, 2022, 2023).reference(occurrence(2022), EventScores()).is_known, "only those before count"


def test_a_score_as_in_earlier_occurrences_stands_for_the_baselines_mean() -> None:
    reference = seen(2021, 2022).reference(occurrence(2023), EventScores())
    assert reference.adjusted(ERROR, 0.3, TEST) == pytest.approx(TEST.mean)
    above = reference.adjusted(ERROR, 0.3 + TEST.std, TEST)
    assert above is not None
    assert TEST.mean < above < TEST.mean + TEST.std, "four windows know their mean with an error"
    assert reference.adjusted(WatchKey(watch="brier"), 0.3, TEST) is None


def test_an_event_that_varies_more_than_ordinary_days_counts_by_its_own_deviation() -> None:
    scores = EventScores()
    for year, score in ((2021, 0.1), (2022, 0.5)):
        scores = scores.with_window(occurrence(year), {ERROR: score})
    adjusted = scores.reference(occurrence(2023), EventScores()).adjusted(ERROR, 0.5, TEST)
    assert adjusted is not None
    assert adjusted < TEST.mean + TEST.std


def test_the_text_gives_the_same_scores_and_old_occurrences_are_dropped() -> None:
    scores = seen(*range(2010, 2020))
    assert EventScores.from_text(scores.to_text()) == scores
    assert EventScores.from_text("") == EventScores()
    assert len(scores.occurrences["Christmas"]) == MAX_OCCURRENCES
