"""Incidents that the same windows open again have the numbers that they had, and others count on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitoring.judging.judge import Judgement, with_numbers_of
from monitoring.judging.judge_state import JudgeState
from monitoring.records import IncidentRecord, WindowRecord

START = datetime(2013, 4, 1, tzinfo=UTC)
END = START + timedelta(days=1)
HARMS = st.lists(st.sampled_from(["error", "brier", "temp"]), max_size=6)


def incident(number: int, watch: str) -> IncidentRecord:
    return IncidentRecord(
        number=number,
        level="page",
        state="open",
        opened_at=END,
        window_start=START,
        window_end=END,
        watch=watch,
        slice="",
    )


def judgement(opened: list[IncidentRecord]) -> Judgement:
    window = WindowRecord(
        start=START,
        end=END,
        rows=1,
        labels=0,
        labels_due=1,
        labels_unknown=0,
        repeats=0,
        status="ok",
        page_log_evidence=0.0,
        notice_log_evidence=0.0,
        scores=(),
    )
    following = 1 + max((one.number for one in opened), default=0)
    state = JudgeState(incidents=tuple(opened), next_number=following)
    return Judgement(state=state, window=window, changed=tuple(opened))


@given(HARMS, HARMS)
def test_each_number_is_taken_up_once_and_new_ones_count_on(before: list[str], opened: list[str]) -> None:
    known = {number: incident(number, watch) for number, watch in enumerate(before, start=1)}
    first = len(known) + 1
    new = [incident(first + place, watch) for place, watch in enumerate(opened)]
    found, again = with_numbers_of(judgement(new), known, first_number=first)
    assert [one.watch for one in found.changed] == opened
    numbers = [one.number for one in found.changed]
    assert len(set(numbers)) == len(numbers)
    for one in found.changed:
        assert one.number >= first or known[one.number].watch == one.watch
    assert again == {number for number in numbers if number < first}
    assert len(again) == sum(min(before.count(watch), opened.count(watch)) for watch in set(before))
    assert sorted(number for number in numbers if number >= first) == list(range(first, found.state.next_number))
    assert found.state.incidents == found.changed


def test_an_incident_that_was_open_before_keeps_its_number() -> None:
    open_before, opened = incident(1, "error"), incident(4, "brier")
    given_state = judgement([open_before, opened])
    known = {2: incident(2, "error"), 3: replace(incident(3, "brier"), level="notice")}
    found, again = with_numbers_of(given_state, known, first_number=4)
    assert [one.number for one in found.changed] == [1, 4]
    assert again == frozenset()
