"""A lasting change of rows or labels is told as long as it lasts, until a person accepts it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from monitoring.incidents.alarm import HISTORY
from monitoring.judging.facts.traffic_volume import FEWER_LABELS, LASTING
from monitoring.judging.facts.usual_level import FEWER_LABELS_SUBJECT, LASTING_SUBJECT, UsualLevels
from monitoring.judging.volume_check import WindowVolume, check_volume
from monitoring.records import EXPECTED_EVENT, FACT_WATCH, Finding, IncidentRecord, WindowRecord
from monitoring.sentences.incident_text import incident_text
from tests.incident_words import worded
from tests.monitoring.judging.small_judge import BASELINE_DAYS, rows_of_days, small_judge

DAY = timedelta(days=1)
FIRST = datetime(2026, 1, 5, tzinfo=UTC)
WAITS = 5


def closed_notice(subject: str) -> IncidentRecord:
    return IncidentRecord(
        number=1,
        level="notice",
        state="closed",
        opened_at=FIRST,
        window_start=FIRST,
        window_end=FIRST + DAY,
        watch=FACT_WATCH,
        slice=subject,
        diagnoses=worded("traffic volume changed", watch=FACT_WATCH, slice_=subject),
        recovery="0",
        closed_from="open",
    )


def told(
    rows: Sequence[int],
    labels: Sequence[int] | None = None,
    *,
    completed: Sequence[tuple[int, int]] = (),
    share: float = 0.0,
    closings: Collection[int] = (),
    events: Collection[int] = (),
) -> list[list[str]]:
    """What is told in each daily window; notices are closed by hand before the windows `closings`."""
    labels = rows if labels is None else labels
    history: tuple[WindowRecord, ...] = ()
    levels, found = UsualLevels(), []
    for number, count in enumerate(rows):
        if number in closings:
            notices = [closed_notice(LASTING_SUBJECT), closed_notice(FEWER_LABELS_SUBJECT)]
            levels = levels.after_actions(notices, history)
        levels = UsualLevels.from_text(levels.with_completed(completed[number : number + 1]).to_text())
        start = FIRST + number * DAY
        starts = (*(record.start for record in history), start)
        window = WindowVolume(
            start=start,
            history=history,
            places=[{"week": each.weekday()} for each in starts],
            rows=[*(record.rows for record in history), count],
            labels=[*(record.labels for record in history), labels[number]],
            waits=WAITS,
            is_expected=number in events,
        )
        findings, levels = check_volume(window, levels, (), share)
        event = (Finding(kind=EXPECTED_EVENT, feature="sale", message=""),) if number in events else ()
        record = WindowRecord(
            start=start,
            end=start + DAY,
            rows=count,
            labels=labels[number],
            labels_due=count,
            labels_unknown=0,
            repeats=0,
            status="ok",
            page_log_evidence=0.0,
            notice_log_evidence=0.0,
            findings=(*event, *findings),
        )
        history = (*history, record)[-HISTORY:]
        found.append([finding.kind for finding in findings])
    return found


def week(day: int, weekday: int = 200, weekend: int = 120) -> int:
    return weekday if day % 7 < 5 else weekend


@pytest.mark.parametrize("lost", [0.35, 0.5, 0.85])
def test_rows_that_are_lost_for_good_are_told_as_long_as_they_are(lost: float) -> None:
    days = [week(day) for day in range(300)]
    rows = [round((1.0 - lost) * count) if 40 <= day < 240 else count for day, count in enumerate(days)]
    found = told(rows, [0] * 300)
    assert [day for day, kinds in enumerate(found) if LASTING in kinds][:1] == [46]
    assert all(LASTING in kinds for kinds in found[46:240]), "for longer than the windows that are kept"
    assert not any(LASTING in kinds for kinds in found[247:]), "and the former level is no rise afterwards"


@pytest.mark.parametrize("lost", [0.5, 0.9])
def test_labels_that_are_lost_for_good_are_told_as_long_as_they_are(lost: float) -> None:
    usual = [week(day, weekend=0) for day in range(300)]
    labels = [round((1.0 - lost) * count) if 70 <= day < 270 else count for day, count in enumerate(usual)]
    found = told([200] * 300, labels)
    first = next(day for day, kinds in enumerate(found) if FEWER_LABELS in kinds)
    assert first <= 78
    assert all(kinds == [FEWER_LABELS] for kinds in found[first:270])
    assert not any(found[278:])


def test_a_level_that_a_person_accepts_by_closing_the_notice_is_usual_at_once_and_a_further_fall_is_told() -> None:
    rows = [400] * 40 + [200] * 100 + [100] * 20
    found = told(rows, [200] * 160, closings={60})
    assert found[59] == [LASTING]
    assert not any(found[60:146])
    assert all(kinds == [LASTING] for kinds in found[146:])


def test_a_level_of_labels_that_a_person_accepts_is_usual_at_once_and_a_further_fall_is_told() -> None:
    labels = [100] * 70 + [50] * 100 + [20] * 20
    found = told([400] * 190, labels, closings={90}, completed=[(400, 100)] * 190, share=0.3)
    assert found[89] == [FEWER_LABELS]
    assert not any(found[90:176])
    assert all(kinds == [FEWER_LABELS] for kinds in found[176:])


def test_labels_that_are_missing_from_the_first_window_on_are_told_by_the_reference_until_they_are_accepted() -> None:
    half = [(0, 0)] * WAITS + [(200, 100)] * 115
    found = told([200] * 120, [100] * 120, completed=half, share=0.98, closings={90})
    assert not any(found[: WAITS + 2])
    assert all(kinds == [FEWER_LABELS] for kinds in found[WAITS + 2 : 90])
    assert not any(found[90:])
    whole = [*half[:40], *[(200, 190)] * 80]
    found = told([200] * 120, [100] * 120, completed=whole, share=0.98)
    assert found[40] == [FEWER_LABELS]
    assert not any(found[50:])


@pytest.mark.parametrize(
    ("share", "labels"),
    [(0.98, 150), (0.4, 20), (0.0, 20), (0.98, 0)],
    ids=["some fewer", "a reference with few labels", "a reference without", "none, which is told by itself"],
)
def test_other_shares_of_labels_than_the_references_are_not_told(share: float, labels: int) -> None:
    assert not any(told([200] * 40, [100] * 40, completed=[(200, labels)] * 40, share=share))


def test_few_rows_lack_labels_by_chance() -> None:
    assert not any(told([6] * 40, [4] * 40, completed=[(6, 3)] * 40, share=0.9))


@pytest.mark.parametrize("seed", range(3))
def test_seasons_trends_and_chance_are_not_told(seed: int) -> None:
    rng, days = np.random.default_rng(seed), np.arange(400)
    level = (1.0 + 0.25 * np.sin(days / 365.0 * 2.0 * np.pi)) * 1.001**days
    rows = rng.poisson(np.where(days % 7 < 5, 200, 90) * level)
    labels = rng.binomial(np.roll(rows, WAITS), 0.9)
    whole = [(int(count), int(rng.binomial(count, 0.9))) for count in rows]
    assert not any(told(rows.tolist(), labels.tolist(), completed=whole, share=0.95))


def test_a_slow_growth_that_was_told_is_usual_once_it_is_accepted() -> None:
    rows = [round(400 * 1.02 ** min(day, 60)) for day in range(200)]
    found = told(rows, [0] * 200, closings={90})
    assert all(kinds == [LASTING] for kinds in found[61:90])
    assert not any(found[90:])


def test_the_first_windows_of_a_deployment_make_no_level_that_is_kept() -> None:
    found = told([100, 120, *[400] * 60], [0] * 62)
    assert not any(found[30:])


def test_an_expected_event_neither_ends_what_is_told_nor_begins_it() -> None:
    rows = [400] * 40 + [200] * 20 + [400] * 10 + [200] * 10
    found = told(rows, [0] * 80, events=range(60, 70))
    assert all(kinds == [LASTING] for kinds in found[46:])
    assert not any(told([400] * 40 + [200] * 10 + [400] * 20, [0] * 70, events=range(40, 50)))


def test_a_notice_stays_open_in_the_judge_until_it_is_closed_by_hand_and_says_so() -> None:
    rows, small = rows_of_days(BASELINE_DAYS, 50, seed=5), small_judge()
    hours = (rows.event_times - rows.event_times[0]) // 3_600_000_000
    rows = rows.take((hours < 20 * 24) | (hours % 2 == 0))
    windows = [small.traffic(rows, BASELINE_DAYS + day) for day in range(50)]
    found = small.run(windows[:45])
    (notice,) = [one for one in found[-1].state.incidents if incident_text(one).cause == LASTING]
    assert notice.opened_at == found[26].window.end
    assert "if this level is right and will stay, close the notice by hand" in incident_text(notice).message
    closed = replace(notice.entered("closed", found[-1].window.end), closed_from="open")
    after = small.run(windows[45:], replace(found[-1].state, incidents=(closed,)))
    assert not any(finding.kind == LASTING for judgement in after for finding in judgement.window.findings)
    assert not after[-1].state.incidents
