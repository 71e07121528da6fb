from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.baseline.predictions import Predictions
from monitoring.evidence.level import LevelState
from monitoring.incidents.alarm import HISTORY
from monitoring.judging.judge import Judgement
from monitoring.judging.judge_state import JudgeState, last_closed
from monitoring.judging.window_scorer import ScoringState
from monitoring.records import FACT_WATCH, LEVELS, Finding, IncidentRecord, MonitorStatus, WatchKey
from monitoring.sentences.incident_text import incident_text
from monitoring.tasks.task import NO_LABEL
from monitoring.watches.early_labels import COMPLETE, EarlyLabels
from monitoring.watches.joint import RecentWindows
from monitoring.watches.label_coverage import PendingLabels
from tests.incident_words import worded
from tests.monitoring.judging.small_judge import (
    BASELINE_DAYS,
    MIN_ROWS,
    ROWS_A_DAY,
    SmallJudge,
    day,
    rows_of_days,
    small_judge,
)
from tests.own_table import own_rows, watch
from tests.small_deployment import Days

LIVE = range(BASELINE_DAYS, BASELINE_DAYS + 20)
WRONG_FROM = BASELINE_DAYS + 10


def judged(rows: Predictions, days: Sequence[int] = LIVE, **fields: object) -> list[Judgement]:
    judge = small_judge()
    return judge.run([judge.traffic(rows, number, **fields) for number in days])


@pytest.fixture(scope="module")
def sound() -> list[Judgement]:
    return judged(rows_of_days(LIVE[0], len(LIVE), seed=2))


@pytest.fixture(scope="module")
def wrong() -> list[Judgement]:
    return judged(rows_of_days(LIVE[0], len(LIVE), seed=2, wrong_from=WRONG_FROM))


def stored(state: JudgeState) -> JudgeState:
    """The state as the store gives it back: every part by way of its text."""
    scoring = state.scoring
    return replace(
        state,
        levels={level: LevelState.from_text(one.to_text()) for level, one in state.levels.items()},
        scoring=ScoringState(
            recent=RecentWindows.from_text(scoring.recent.to_text()),
            pending_labels=PendingLabels.from_text(scoring.pending_labels.to_text()),
            early_labels=EarlyLabels.from_text(scoring.early_labels.to_text()),
            statistics=scoring.statistics,
        ),
    )


def test_sound_traffic_opens_no_incident(sound: list[Judgement]) -> None:
    assert {one.window.status for one in sound} == {"ok"}
    assert all(one.changed == () and one.state.incidents == () for one in sound)


def test_a_model_gone_wrong_is_a_page_within_days_and_stays_one(wrong: list[Judgement]) -> None:
    statuses = [one.window.status for one in wrong]
    first = statuses.index("page")
    assert 10 <= first <= 13
    assert set(statuses[:first]) == {"ok"}
    assert set(statuses[first:]) == {"page"}
    opened = {one.number: one for judgement in wrong for one in judgement.changed if one.watch != FACT_WATCH}
    [incident] = [one for one in opened.values() if one.level == "page"]
    assert incident.watch == "surprise_brier"
    assert "the model is overconfident" in incident_text(incident).cause
    assert day(WRONG_FROM).end < incident.opened_at <= day(WRONG_FROM + 3).end
    assert 0 < len(incident.detail.rows) <= 10


def test_the_cause_of_an_open_incident_is_assessed_again(wrong: list[Judgement]) -> None:
    versions = [one for judgement in wrong for one in judgement.changed if one.watch == "surprise_brier"]
    first, last = versions[0], versions[-1]
    assert " Assessed again " not in incident_text(first).message
    opening, _, again = incident_text(last).message.partition(" Assessed again ")
    assert incident_text(first).message.startswith(opening)
    assert " Assessed again " not in again, "only what is known by now"
    assert "No input moved since then (false discovery rate 5 %)." in again
    assert last.detail.rows == first.detail.rows
    assert len(last.history) <= 2, "nobody is notified of it"


def test_the_same_windows_and_states_give_the_same_judgements_also_out_of_the_store(wrong: list[Judgement]) -> None:
    judge, rows = small_judge(), rows_of_days(LIVE[0], len(LIVE), seed=2, wrong_from=WRONG_FROM)
    state = JudgeState()
    for number, before in zip(LIVE, wrong, strict=True):
        again = judge.judge.judge(stored(state), judge.traffic(rows, number))
        assert (again.window, again.changed) == (before.window, before.changed)
        state = again.state


def test_judging_changes_neither_the_state_nor_the_judge(wrong: list[Judgement]) -> None:
    judge, rows = small_judge(), rows_of_days(LIVE[0], len(LIVE), seed=2, wrong_from=WRONG_FROM)
    state, traffic = wrong[14].state, judge.traffic(rows, LIVE[15])
    before = stored(state)
    one, two = judge.judge.judge(state, traffic), judge.judge.judge(state, traffic)
    assert (one.window, one.changed) == (two.window, two.changed) == (wrong[15].window, wrong[15].changed)
    assert stored(state) == before


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6))
def test_the_order_of_a_windows_rows_does_not_change_its_record(seed: int) -> None:
    judge, rows = small_judge(), rows_of_days(LIVE[0], 1, seed=3)
    shuffled = rows.take(np.random.default_rng(seed).permutation(len(rows)))
    one, two = (judge.run([judge.traffic(some, LIVE[0])])[0].window for some in (rows, shuffled))
    assert one == two


def test_a_record_has_every_score_of_its_levels_and_the_counts_of_its_traffic() -> None:
    judge, rows = small_judge(), rows_of_days(LIVE[0], 1, seed=4)
    found = Finding(kind="late rows", feature="", message="")
    counts = {"repeats": 3, "labels_unknown": 4, "labels_conflicting": 5, "missing_rows": 6, "late_rows": 7}
    traffic = judge.traffic(rows, LIVE[0], findings=(found,), **counts)
    record = judge.run([traffic])[0].window
    labels = int((rows.labels != NO_LABEL).sum())
    assert (record.rows, record.labels, record.labels_due) == (ROWS_A_DAY, labels, ROWS_A_DAY + 7)
    assert (record.repeats, record.labels_unknown, record.labels_conflicting, record.unseen) == (3, 4, 5, 6)
    assert record.findings == (found,)
    assert sum(record.label_delays) == labels
    by_level = {level: {(s.watch, s.slice) for s in record.scores if s.level == level} for level in LEVELS}
    excluded = {("estimated_error", ""), ("estimated_brier", "")}
    assert by_level["page"] == {(key.watch, key.slice) for key in judge.fit.tests["page"].tests}
    assert by_level["notice"] == {(key.watch, key.slice) for key in judge.fit.tests["notice"].tests} - excluded


def test_scores_are_in_the_unit_of_their_watch() -> None:
    judge, rows = small_judge(), rows_of_days(LIVE[0], 1, seed=5)
    scores = {s.watch: s.value for s in judge.run([judge.traffic(rows, LIVE[0])])[0].window.scores if not s.slice}
    known = rows.labels != NO_LABEL
    wrong = (rows.probabilities.argmax(axis=1) != rows.labels)[known]
    assert judge.catalogue.calibration is not None
    calibrated = judge.catalogue.calibration.calibrated(rows.probabilities)
    expected = 1.0 - calibrated[np.arange(len(rows)), rows.probabilities.argmax(axis=1)][known]
    assert scores["error"] == pytest.approx(wrong.mean(), abs=1e-8)
    assert scores["material_error"] == scores["error"]
    assert scores["surprise_error"] == pytest.approx(wrong.mean() - expected.mean(), abs=1e-8)


def test_windows_of_too_few_rows_are_thin_and_are_pooled_until_there_are_enough() -> None:
    judge, rows = small_judge(), rows_of_days(LIVE[0], 4, seed=6)
    few = rows.take(np.arange(len(rows)) % ROWS_A_DAY < 8)
    found = [one.window for one in judge.run([judge.traffic(few, number) for number in LIVE[:4]])]
    assert [one.status for one in found] == ["thin"] * 4
    outputs = [next(s for s in one.scores if s.watch == "output:late") for one in found]
    assert [one.rows for one in outputs] == [8, 16, 24, 8]
    assert [one.value is None for one in outputs] == [True, True, False, True]


def test_a_window_without_rows_has_no_evidence_and_no_findings() -> None:
    judge = small_judge()
    [found] = judge.run([judge.traffic(rows_of_days(LIVE[0], 0), LIVE[0])])
    assert (found.window.rows, found.window.status, found.window.findings) == (0, "thin", ())
    assert found.window.page_log_evidence == -math.inf
    assert {score.value for score in found.window.scores} == {None}


def test_the_history_is_bounded_and_ends_with_the_last_window(sound: list[Judgement]) -> None:
    judge, rows = small_judge(), rows_of_days(LIVE[0], 1, seed=7)
    record = replace(sound[0].window, status="ok")
    state = replace(sound[-1].state, history=(record,) * HISTORY)
    after = judge.judge.judge(state, judge.traffic(rows, LIVE[0]))
    assert len(after.state.history) == HISTORY
    assert after.state.history[-1] == after.window


def test_an_incident_that_is_over_is_closed_and_its_watches_are_tested_against_the_baseline_again() -> None:
    days = range(BASELINE_DAYS, BASELINE_DAYS + 60)
    sound, wrong = (rows_of_days(days[0], 14, seed=8, wrong_from=number) for number in (None, days[0] + 4))
    half = np.arange(len(wrong)) % 2 == 0  # of no window so much that it is a fact
    wrong = replace(wrong, labels=np.where(half, wrong.labels, sound.labels))
    good = rows_of_days(days[0] + 14, len(days) - 14, seed=9)
    judge = small_judge()
    found = judge.run([judge.traffic(wrong if number < days[0] + 14 else good, number) for number in days])
    closings = [
        (number, incident)
        for number, one in enumerate(found)
        for incident in one.changed
        if incident.state == "closed" and incident.level == "page"
    ]
    [(closing, closed)] = closings
    assert closed.closed_at == found[closing].window.end
    key = WatchKey(watch=closed.watch, slice=closed.slice)
    assert key in found[closing - 1].state.levels["page"].offsets
    assert not found[closing].state.levels["page"].offsets
    assert not found[-1].state.incidents
    numbers = {incident.number for one in found for incident in one.changed}
    assert found[-1].state.next_number == max(numbers) + 1 == len(numbers) + 1


def incident(level: str) -> IncidentRecord:
    when = day(LIVE[0])
    return IncidentRecord(
        number=1,
        level=level,  # type: ignore[arg-type]  # a test names the level by a string
        state="acknowledged",
        opened_at=when.end,
        window_start=when.start,
        window_end=when.end,
        watch="schema",
        slice="temp",
        diagnoses=worded("column gone", watch="schema", slice_="temp"),
        recovery="0",
    )


@pytest.mark.parametrize(
    ("levels", "rows", "status"),
    [
        ((), ROWS_A_DAY, "ok"),
        (("notice",), ROWS_A_DAY, "notice"),
        (("notice", "page"), ROWS_A_DAY, "page"),
        ((), MIN_ROWS - 1, "thin"),
        (("notice",), MIN_ROWS - 1, "thin"),
        (("page",), MIN_ROWS - 1, "page"),
    ],
)
def test_a_windows_status_is_its_highest_open_level_unless_it_is_thin(
    levels: tuple[str, ...], rows: int, status: str
) -> None:
    judge, live = small_judge(), rows_of_days(LIVE[1], 1, seed=10).take(np.arange(rows))
    state = JudgeState(incidents=tuple(incident(level) for level in levels), next_number=3)
    assert judge.run([judge.traffic(live, LIVE[1])], state)[0].window.status == status


def test_losses_wait_until_early_labels_are_representative() -> None:
    judge, rows = small_judge(), rows_of_days(LIVE[0], 2, seed=11)
    early = replace(rows, labels=np.where(np.arange(len(rows)) % 3 == 0, rows.labels, NO_LABEL))
    first = judge.run([judge.traffic(early, LIVE[0])])[0]
    assert {s.rows for s in first.window.scores if s.watch == "error"} == {0}
    assert [f.kind for f in first.window.findings] == ["labels still arriving"]
    state = replace(first.state, scoring=replace(first.state.scoring, early_labels=COMPLETE))
    second = judge.run([judge.traffic(early, LIVE[1])], state)[0]
    assert max(s.rows for s in second.window.scores if s.watch == "error") == second.window.labels


def test_an_input_that_is_gone_is_a_page_at_once_beside_the_levels_own() -> None:
    judge = small_judge()
    rows = rows_of_days(LIVE[0], 3, seed=12)
    gone = judge.traffic(rows, LIVE[1], input_problems=(("temp", "absent"),))
    found = judge.run([judge.traffic(rows, LIVE[0]), gone, judge.traffic(rows, LIVE[2])])
    assert [one.window.status for one in found] == ["ok", "page", "page"]
    [opened] = found[1].changed
    assert (opened.watch, opened.slice, incident_text(opened).cause) == ("schema", "temp", "column gone")
    assert [incident.state for incident in found[2].changed] == ["recovering"]


def test_traffic_of_another_distribution_is_a_notice_that_names_the_input() -> None:
    judge = small_judge()
    rows = rows_of_days(LIVE[0], len(LIVE), seed=13)
    later = rows.event_times >= int(rows.event_times[10 * ROWS_A_DAY])
    temp = np.where(later, rows.features["temp"].to_numpy() + 40.0, rows.features["temp"].to_numpy())
    moved = replace(rows, features=rows.features.set_column(0, "temp", pa.array(temp)))
    found = judge.run([judge.traffic(moved, number) for number in LIVE])
    opened = [incident for one in found for incident in one.changed if incident.opened_at == one.window.end]
    assert {incident.level for incident in opened} == {"notice"}
    assert "temp" in incident_text(opened[0]).message
    assert found[-1].window.status == "notice"


def test_a_judge_of_no_slices_has_none() -> None:
    judge: SmallJudge = small_judge(())
    rows = rows_of_days(LIVE[0], 1, seed=14)
    [found] = judge.run([judge.traffic(rows, LIVE[0])])
    assert {score.slice for score in found.window.scores} == {""}


def test_the_last_closed_incident_of_each_watch_and_slice_is_the_one_of_the_largest_number(
    wrong: list[Judgement],
) -> None:
    one = wrong[-1].state.incidents[0]
    key = WatchKey(watch=one.watch, slice=one.slice)
    closed = [replace(one, number=number, state="closed") for number in (4, 2)]
    assert last_closed([*closed, replace(one, number=9)]) == {key: 4}
    assert last_closed(closed, {key: 7, WatchKey(watch="other", slice=""): 1}) == {
        key: 7,
        WatchKey(watch="other", slice=""): 1,
    }


DAYS = Days(days=20)


def broken(column: str, days: np.ndarray, part: float) -> pa.Table:
    """Twenty days of which `days` lack a part of one column's values."""
    rows = own_rows(DAYS)
    first = pc.min(rows["ts"]).as_py().replace(hour=0, minute=0, second=0, microsecond=0)
    number = np.array([(moment - first) // timedelta(days=1) for moment in rows["ts"].to_pylist()])
    gone = np.isin(number, days) & (np.arange(len(number)) % 100 < 100 * part)
    values = pc.if_else(pa.array(gone), None, rows[column])
    return rows.set_column(rows.column_names.index(column), column, values)


def pages(found: MonitorStatus) -> list[tuple[str, str, str]]:
    return [(i.watch, i.slice, i.state) for i in found.incidents if i.level == "page"]


@pytest.mark.parametrize(
    "part", [0.5, pytest.param(0.97, marks=pytest.mark.slow), pytest.param(1.0, marks=pytest.mark.slow)]
)
def test_unusable_answers_are_a_page_while_they_last(tmp_path: Path, part: float) -> None:
    """Of half, some windows are below the limit of a fact: the watch, which the page tells too, keeps it open."""
    watched = watch(tmp_path)
    watched.live("all.parquet", broken("late", np.arange(8, 20), part))
    _, found = watched.run()
    assert pages(found) == [("schema", "model answers", "open")], "the fact and the watch's evidence are one page"
    (incident,) = (i for i in found.incidents if i.level == "page")
    assert "Evidence of the watches: Invalid predictions 0 \N{RIGHTWARDS ARROW} " in incident_text(incident).message
    assert incident.window_start == found.windows[8].start
    assert incident.detail.rows


def test_a_page_of_unusable_answers_is_closed_when_they_are_back(tmp_path: Path) -> None:
    watched = watch(tmp_path)
    watched.live("all.parquet", broken("late", np.arange(2, 6), 1.0))
    _, found = watched.run()
    assert pages(found) == [("schema", "model answers", "closed")]


@pytest.mark.parametrize("thin", [pytest.param(0, marks=pytest.mark.slow), 5])
def test_days_without_enough_rows_do_not_close_a_fact(tmp_path: Path, thin: int) -> None:
    watched = watch(tmp_path)
    rows = broken("temp", np.arange(4, 20), 1.0)
    day = np.arange(len(rows)) // (len(rows) // 20)
    place = np.arange(len(rows)) % (len(rows) // 20)
    watched.live("all.parquet", rows.filter(pa.array((day < 8) | (day > 14) | (place < thin))))
    _, found = watched.run()
    assert [state for watch_, part, state in pages(found) if (watch_, part) == ("schema", "temp")] == ["open"]


@pytest.mark.parametrize(
    ("quiet", "moved"),
    [
        (0, 60.0),
        (2, -30.0),
        pytest.param(0, -30.0, marks=pytest.mark.slow),
        pytest.param(2, 60.0, marks=pytest.mark.slow),
    ],
)
def test_the_cause_names_the_onset_of_a_fall_too_and_after_days_without_rows(
    tmp_path: Path, moved: float, quiet: int
) -> None:
    watched = watch(tmp_path)
    rows = own_rows(DAYS)
    day = np.arange(len(rows)) // (len(rows) // 20)
    temp = np.asarray(rows["temp"]) + np.where(day >= 8, moved, 0.0).astype(np.float32)
    rows = rows.set_column(rows.column_names.index("temp"), "temp", pa.array(temp))
    watched.live("all.parquet", rows.filter(pa.array((day < 8 - quiet) | (day >= 8))))
    _, found = watched.run()
    incident = next(i for i in found.incidents if i.level == "notice")
    start = found.windows[8].start
    assert f"since {start.day} {start:%B %Y}" in incident_text(incident).message
