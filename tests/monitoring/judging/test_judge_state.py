from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitoring.evidence.level import LevelState
from monitoring.judging.burn_in import BurnIn
from monitoring.judging.judge_state import JudgeState
from monitoring.judging.window_scorer import ScoringState
from monitoring.records import JUDGED_AGAIN, IncidentRecord, WatchKey
from monitoring.watches.early_labels import COMPLETE, EarlyLabels

APRIL = datetime(2013, 4, 1, tzinfo=UTC)


def incident(number: int, closed_from: str = "") -> IncidentRecord:
    return IncidentRecord(
        number=number,
        level="page",
        state="closed",
        opened_at=APRIL,
        window_start=APRIL,
        window_end=APRIL + timedelta(days=1),
        watch="error",
        slice="",
        closed_at=APRIL,
        closed_from=closed_from,  # type: ignore[arg-type]
    )


@given(scale=st.floats(-5, 5), statistics=st.text(), days=st.integers(1, 90), declared=st.booleans())
def test_a_state_is_taken_up_as_it_was_stored(scale: float, statistics: str, days: int, declared: bool) -> None:
    state = JudgeState(
        levels={"page": LevelState(log_scale=scale), "notice": LevelState()},
        scoring=ScoringState(statistics=statistics),
        burn_in=BurnIn(start=APRIL, until=APRIL + timedelta(days=days)) if declared else BurnIn(),
    )
    texts = state.to_texts()
    assert ("burn_in" in texts) == declared
    assert JudgeState.from_texts(texts).to_texts() == texts


def test_what_earlier_versions_did_not_store_begins_anew() -> None:
    begun, fresh = JudgeState.from_texts({}), JudgeState.from_texts({}, begun=False)
    assert (begun.levels, begun.burn_in, begun.next_number) == ({}, BurnIn(), 1)
    assert (begun.scoring.early_labels, fresh.scoring.early_labels) == (COMPLETE, EarlyLabels())


def test_incidents_that_are_judged_again_have_their_number_and_are_no_earlier_ones() -> None:
    state = JudgeState.from_texts({}, incidents=[incident(1), incident(2, JUDGED_AGAIN)])
    assert (state.next_number, state.closed) == (3, {WatchKey(watch="error", slice=""): 1})
