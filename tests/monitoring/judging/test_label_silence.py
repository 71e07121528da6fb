"""Labels that stop are told once they are unusual by what came before, and told once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.judging.judge import Judgement
from monitoring.judging.label_silence import MIN_LABELLED_WINDOWS, LabelSilence
from monitoring.records import LABELS_STOPPED
from monitoring.sentences.finding_text import finding_text
from monitoring.sentences.incident_text import incident_text
from monitoring.tasks.task import NO_LABEL
from monitoring.watches.label_coverage import LabelWindow
from tests.monitoring.judging.small_judge import BASELINE_DAYS, rows_of_days, small_judge

DAY = 86_400_000_000
Arrives = Callable[[int], bool]


def told(
    arrives: Arrives, count: int, *, length: int = DAY, answered: Arrives = lambda _: True, usual_gap: int | None = None
) -> list[int]:
    """The windows in which a new silence is told; the label horizon is seven days."""
    state, new = LabelSilence(), []
    for number in range(count):
        window = LabelWindow(start=number * length, end=(number + 1) * length, horizon=7 * DAY)
        recent = [one for one in range(max(number + 1 - 7 * DAY // length, 0), number + 1) if answered(one)]
        state = state.updated(window, arrived=arrives(number), answered_windows=len(recent), usual_gap=usual_gap)
        state = LabelSilence.from_text(state.to_text())
        new += [number] if any(one.fact for one in state.findings(window.end, is_open=False)) else []
    return new


@pytest.mark.parametrize(
    ("arrives", "first"),
    [
        (lambda _: True, 42),
        (lambda day: day % 7 < 5, 44),
        (lambda day: day % 7 == 0, None),  # a batch each week: few windows with labels so far
        (lambda _: False, None),
    ],
    ids=["each day", "not at weekends", "one day a week", "never"],
)
def test_labels_that_stop_are_told_by_what_was_usual(arrives: Arrives, first: int | None) -> None:
    stops = 40
    assert told(lambda day: arrives(day) and day < stops, 80) == ([] if first is None else [first])
    assert told(arrives, 80) == []


@pytest.mark.parametrize(
    ("arrives", "gap", "first"),
    [
        (lambda _: True, DAY // 24, 10),  # two windows at least
        (lambda day: day % 7 < 5, 3 * DAY, 14),
        (lambda day: day % 7 == 0, 7 * DAY, None),  # fewer than three windows with labels
        (lambda day: day < 2, DAY, None),
    ],
    ids=["each day", "not at weekends", "one day a week", "on two days alone"],
)
def test_labels_that_stop_soon_after_the_start_are_told_by_the_reference(
    arrives: Arrives, gap: int, first: int | None
) -> None:
    stops = 8
    assert told(lambda day: arrives(day) and day < stops, 40) == []
    assert told(lambda day: arrives(day) and day < stops, 40, usual_gap=gap) == ([] if first is None else [first])
    assert told(arrives, 80, usual_gap=gap) == []


def test_a_batch_each_night_and_none_at_weekends_is_usual_by_hours() -> None:
    def nightly(hour: int) -> bool:
        return hour % 24 == 2 and hour // 24 % 7 < 5

    assert told(nightly, 24 * 60, length=DAY // 24) == []
    stopped = told(lambda hour: nightly(hour) and hour < 24 * 42, 24 * 60, length=DAY // 24)
    assert [hour // 24 for hour in stopped] == [45], "a weekend is 71 hours without labels"


def test_labels_that_end_because_nothing_was_answered_are_not_told() -> None:
    quiet = range(40, 60)
    assert told(lambda day: day - 3 not in quiet, 90, answered=lambda day: day not in quiet) == []


def test_an_expected_event_is_no_silence_and_does_not_shorten_one_that_was_told() -> None:
    state = LabelSilence()
    for number in range(60):
        window = LabelWindow(start=number * DAY, end=(number + 1) * DAY, horizon=7 * DAY)
        event = number in range(20, 30) or number in range(50, 55)
        state = state.updated(
            window, arrived=number < 20 or number in range(30, 40), answered_windows=7, expected=not event
        )
        assert state.silent == (number >= 42), number
    (finding,) = state.findings(60 * DAY, is_open=True)
    assert finding_text(finding).startswith("No label of a known prediction has arrived for 20 days.")


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_nothing_is_told_before_enough_windows_had_labels(arrived: Sequence[bool]) -> None:
    for number in told(lambda day: arrived[day], len(arrived)):
        assert sum(arrived[:number]) >= MIN_LABELLED_WINDOWS
        assert not any(arrived[number - 2 : number + 1])


def without_labels(first: int, last: int, days: int = 40) -> list[Judgement]:
    rows = rows_of_days(BASELINE_DAYS, days, seed=5)
    number = (rows.label_times - rows.label_times[0]) // DAY
    silent = (number >= first) & (number < last)
    rows = replace(rows, labels=np.where(silent, NO_LABEL, rows.labels))
    small = small_judge()
    return small.run([small.traffic(rows, BASELINE_DAYS + day) for day in range(days)])


def test_it_is_a_page_and_closes_when_labels_come_back() -> None:
    found = without_labels(20, 32)
    changed = [one for judgement in found for one in judgement.changed if incident_text(one).cause == LABELS_STOPPED]
    assert [event.state for event in changed[-1].history] == ["open", "recovering", "closed"]
    assert changed[0].level == "page"
    assert changed[0].opened_at == found[22].window.end
    assert incident_text(changed[0]).message.startswith(
        "Labels stopped: no label of a known prediction has arrived for 3 days. Losses are not judged. Next step: "
        "check the job that delivers labels; "
    )
    assert changed[-1].closed_at is not None
    assert changed[-1].closed_at >= found[32].window.end + timedelta(days=1)


def test_one_that_a_person_closes_does_not_come_back_without_labels() -> None:
    found = without_labels(20, 40)
    state = found[24].state
    closed = tuple(one.entered("closed", found[24].window.end) for one in state.incidents)
    rows = rows_of_days(BASELINE_DAYS, 40, seed=5)
    rows = replace(rows, labels=np.full(rows.labels.size, NO_LABEL))
    small = small_judge()
    after = small.run(
        [small.traffic(rows, BASELINE_DAYS + day) for day in range(25, 40)], replace(state, incidents=closed)
    )
    assert not [
        one
        for judgement in after
        for one in judgement.changed
        if incident_text(one).cause == LABELS_STOPPED and one.state == "open"
    ]
    assert all(any(f.kind == LABELS_STOPPED and not f.fact for f in judgement.window.findings) for judgement in after)
