"""What the rows of an alarm's window add to its cause."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.predictions import Predictions
from monitoring.incidents.alarm import Alarm
from monitoring.incidents.cause import explain
from monitoring.judging.incident_causes import with_explained_losses, with_rows
from monitoring.judging.judge_state import JudgeState
from monitoring.judging.window_scorer import ScoredWindow
from tests.monitoring.incidents.alarms import alarm, windows
from tests.monitoring.judging.small_judge import BASELINE_DAYS, SmallJudge, day, rows_of_days, small_judge, with_feature


@pytest.fixture
def made() -> SmallJudge:
    return small_judge()


def scored(made: SmallJudge, *, faulty: bool) -> ScoredWindow:
    """A day on which four of ten temperatures are 0, and the answers to those rows wrong."""
    rows = rows_of_days(BASELINE_DAYS, 1, seed=3)
    if faulty:
        wrong = np.arange(len(rows)) % 5 < 2
        values = np.where(wrong, 0.0, np.asarray(rows.features["temp"]))
        answers = np.where(wrong[:, None], np.eye(2)[1 - rows.labels.clip(0)], rows.probabilities)
        rows = replace(with_feature(rows, "temp", pa.array(values)), probabilities=answers)
    return made.judge.scorer.score(JudgeState().scoring, made.traffic(rows, BASELINE_DAYS))


def of_brier(made: SmallJudge, window: ScoredWindow) -> Alarm:
    return with_explained_losses(alarm("brier", windows(brier=[0.4])), window, made.catalogue, made.fit)


def test_the_input_of_the_faulty_rows_explains_the_rise(made: SmallJudge) -> None:
    found = of_brier(made, replace(scored(made, faulty=True))).explained
    assert set(found) == {"temp", "origin"}
    assert found["temp"] > 0.5 > found["origin"]


def test_without_a_rise_without_labels_and_for_other_watches_nothing_is_explained(made: SmallJudge) -> None:
    window = scored(made, faulty=True)
    assert of_brier(made, replace(window, labelled=window.labelled.without_losses())).explained == {}
    other = alarm("input:x:location", windows(input__x__location=[0.2]), notice={"input:x:location": 90.0})
    assert with_explained_losses(other, window, made.catalogue, made.fit).explained == {}


def test_rows_to_look_at_first_are_the_window_s_worst(made: SmallJudge) -> None:
    window = scored(made, faulty=True)
    cause = with_rows(explain(alarm("brier", windows(brier=[0.4]))), window, made.catalogue)
    scores = [row.score for row in cause.detail.rows]
    assert len(scores) == 10
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(1.0)


def faulty_days(days: int) -> Predictions:
    """Days on which one in eight temperatures is 0, and the answers to those rows wrong."""
    rows = rows_of_days(BASELINE_DAYS, days, seed=3)
    wrong = np.arange(len(rows)) % 8 == 0
    answers = np.where(wrong[:, None], np.eye(2)[1 - rows.labels.clip(0)], rows.probabilities)
    temps = np.where(wrong, 0.0, np.asarray(rows.features["temp"]))
    return replace(with_feature(rows, "temp", pa.array(temps)), probabilities=answers)


def since(watch: str, days: int, last: int) -> Alarm:
    """An alarm whose onset is so many days before the last one's end."""
    records = [
        replace(record, start=day(last - days + 1 + at).start, end=day(last - days + 1 + at).end)
        for at, record in enumerate(windows(**{watch: [0.4] * days}))
    ]
    return alarm(watch, records)


def test_where_a_window_has_few_rows_those_since_the_onset_tell_which_input_it_is(made: SmallJudge) -> None:
    rows, last = faulty_days(6), BASELINE_DAYS + 5
    window = made.judge.scorer.score(JudgeState().scoring, made.traffic(rows, last))
    found = [
        with_explained_losses(since("brier", days, last), window, made.catalogue, made.fit).explained for days in (1, 6)
    ]
    assert found[0]["temp"] == 0.0
    assert found[1]["temp"] > 0.5 > found[1]["origin"]


def test_an_estimate_is_explained_by_the_losses_to_expect_of_answered_rows(made: SmallJudge) -> None:
    """Half of the answers are a coin's, in the rows without a temperature; no label is there."""
    rows = rows_of_days(BASELINE_DAYS, 6, seed=4)
    unsure = np.arange(len(rows)) % 2 == 0
    temps = np.where(unsure, np.nan, np.asarray(rows.features["temp"]))
    answers = np.where(unsure[:, None], 0.5, rows.probabilities)
    rows = replace(with_feature(rows, "temp", pa.array(temps)), probabilities=answers, labels=np.full(len(rows), -1))
    last = BASELINE_DAYS + 5
    window = made.judge.scorer.score(JudgeState().scoring, made.traffic(rows, last))
    found = with_explained_losses(since("estimated_error", 6, last), window, made.catalogue, made.fit).explained
    assert found["temp"] > 0.5 > found["origin"]
