from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.predictions import Predictions
from monitoring.judging.event_windows import LABELS_KIND, labels_of_one_event
from monitoring.judging.judge import Judgement
from monitoring.judging.window.event_scores import EventScores
from monitoring.records import EXPECTED_EVENT, FACT_WATCH
from monitoring.timestamps import as_datetime, as_microseconds
from monitoring.traffic.expected_events import EventCalendar, ExpectedEvent
from tests.monitoring.judging.small_judge import (
    BASELINE_DAYS,
    HORIZON,
    SmallJudge,
    day,
    rows_of_days,
    small_judge,
    with_feature,
)

#: Days of live traffic that are holidays, three occurrences of two days each.
HOLIDAYS = (3, 8, 13)


def holidays(start: datetime, end: datetime) -> Iterable[ExpectedEvent]:
    return [
        ExpectedEvent(start=day(BASELINE_DAYS + first).start, end=day(BASELINE_DAYS + first + 1).end, name="Holiday")
        for first in HOLIDAYS
    ]


CALENDAR = EventCalendar(sources=(holidays,))


def with_wrong_labels(rows: Predictions, days: Iterable[int], share: float = 0.7) -> Predictions:
    """The rows with a share of the labels of some live days inverted."""
    number = (rows.event_times - as_microseconds(day(0).start)) // 86_400_000_000 - BASELINE_DAYS
    chosen = np.isin(number, list(days)) & (np.random.default_rng(0).random(len(rows)) < share) & (rows.labels >= 0)
    return replace(rows, labels=np.where(chosen, 1 - rows.labels, rows.labels))


def judged(small: SmallJudge, rows: Predictions, days: int) -> list[Judgement]:
    return small.run([small.traffic(rows, BASELINE_DAYS + number) for number in range(days)])


@pytest.fixture(scope="module")
def small() -> SmallJudge:
    return small_judge(calendar=CALENDAR)


@pytest.fixture(scope="module")
def rows() -> Predictions:
    return rows_of_days(BASELINE_DAYS, 16, seed=5)


def test_an_event_that_is_not_known_costs_no_evidence_and_opens_nothing(small: SmallJudge, rows: Predictions) -> None:
    """Nearly half of the labels inverted pages on other days."""
    wrong = with_wrong_labels(rows, (3, 4, 8, 9), share=0.45)
    found = judged(small, wrong, 12)
    plain = judged(small_judge(), wrong, 12)
    assert any(one.state.incidents for one in plain)
    assert not any(one.state.incidents for one in found)
    before, during, after = (found[number] for number in (2, 3, 5))
    assert during.window.page_log_evidence == before.window.page_log_evidence
    assert during.state.levels["page"].watches == before.state.levels["page"].watches
    assert after.window.page_log_evidence != before.window.page_log_evidence
    error = next(one for one in during.window.scores if one.watch == "error" and not one.slice)
    assert error.value is not None, "shown"
    assert error.value > 0.4
    assert [one.message for one in during.window.findings if one.kind == EXPECTED_EVENT] == [
        "expected: Holiday; shown and not tested, as it has not been seen before"
    ]


def test_a_fact_on_a_holiday_pages(small: SmallJudge, rows: Predictions) -> None:
    gone = with_feature(rows, "temp", pa.nulls(len(rows), pa.float64()))
    found = small.run(
        [*(small.traffic(rows, BASELINE_DAYS + number) for number in range(3)), small.traffic(gone, BASELINE_DAYS + 3)]
    )
    assert [(one.level, one.watch) for one in found[3].state.incidents] == [("page", FACT_WATCH)]


def test_an_event_seen_twice_is_compared_with_itself(small: SmallJudge, rows: Predictions) -> None:
    """Holidays with a third of the labels inverted are usual the third time; worse ones are evidence."""
    usual = judged(small, with_wrong_labels(rows, (3, 4, 8, 9, 13, 14), share=0.35), 16)
    assert not any(one.level == "page" for state in usual for one in state.state.incidents)
    assert usual[13].window.page_log_evidence != usual[12].window.page_log_evidence
    assert "compared with its 2 earlier occurrences" in usual[13].window.findings[0].message
    worse = judged(small, with_wrong_labels(rows, (13, 14), share=0.5), 16)
    assert worse[14].window.page_log_evidence > usual[14].window.page_log_evidence + 4.0


def test_the_state_comes_back_from_its_text(small: SmallJudge, rows: Predictions) -> None:
    state = judged(small, rows, 5)[-1].state
    assert EventScores.from_text(state.events.to_text()) == state.events
    assert len(state.events.occurrences["Holiday"]) == 1


def test_holidays_of_the_reference_are_kept_apart_from_it() -> None:
    def earlier(start: datetime, end: datetime) -> Iterable[ExpectedEvent]:
        return [ExpectedEvent(start=day(number).start, end=day(number + 1).end, name="Holiday") for number in (30, 50)]

    small, plain = small_judge(calendar=EventCalendar(sources=(earlier,))), small_judge()
    assert set(small.fit.events.occurrences) == {"Holiday"}
    assert len(small.fit.events.occurrences["Holiday"]) == 2
    windows = [next(iter(one.fit.tests["page"].tests.values())).windows for one in (plain, small)]
    assert windows[0] - windows[1] == 4


def test_late_labels_of_a_holiday_are_left_out_of_an_ordinary_windows_losses(
    small: SmallJudge, rows: Predictions
) -> None:
    ordinary, holiday = (small.traffic(rows, BASELINE_DAYS + number).labelled for number in (5, 3))
    mixed = replace(ordinary, tallies={**ordinary.tallies, **holiday.tallies}, whole=ordinary.whole + holiday.whole)
    kept, event = labels_of_one_event(mixed, CALENDAR, HORIZON / 7)
    most = ordinary if ordinary.whole.number("rows") >= holiday.whole.number("rows") else holiday
    assert kept.whole.number("rows") == most.whole.number("rows")
    assert (event is None) == (most is ordinary)
    assert [as_datetime(start) for start in most.tallies] == [as_datetime(start) for start in kept.tallies]


def test_a_window_whose_labels_are_a_holidays_says_so(small: SmallJudge, rows: Predictions) -> None:
    traffic = [small.traffic(rows, BASELINE_DAYS + number) for number in range(6)]
    late = replace(traffic[5], labelled=traffic[3].labelled)
    found = small.run([*traffic[:5], late])
    finding = next(one for one in found[-1].window.findings if one.kind == LABELS_KIND)
    assert finding.message == "most labels are of rows of Holiday; shown and not tested, as it has not been seen before"
