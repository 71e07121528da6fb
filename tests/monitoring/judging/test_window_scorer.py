from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitoring.baseline.spec import Embedding
from monitoring.judging.fit.baseline_sums import answer_sums, baseline_scorer, label_sums
from monitoring.judging.input_check import CheckResult, InputCheck
from monitoring.judging.window_scorer import ScoringState, WindowScorer
from monitoring.records import Finding, WatchKey
from monitoring.tasks.task import NO_LABEL
from monitoring.watches import joint
from monitoring.watches.early_labels import COMPLETE
from monitoring.watches.embedding import EmbeddingSource
from monitoring.watches.label_shares import ANSWERED
from tests.monitoring.judging.small_judge import (
    BASELINE_DAYS,
    HORIZON,
    MIN_ROWS,
    PLAN,
    ROWS_A_DAY,
    day,
    no_schema,
    rows_of_days,
    small_judge,
)

FIRST = BASELINE_DAYS
JOINT = WatchKey(watch=joint.WATCH.name)
READY = ScoringState(early_labels=COMPLETE)


def test_a_window_has_a_sum_of_every_watch_but_of_the_label_coverage_that_is_not_due() -> None:
    judge, rows = small_judge(), rows_of_days(FIRST, 1, seed=1)
    window = judge.judge.scorer.score(READY, judge.traffic(rows, FIRST))
    due_later = {key for key in judge.catalogue.keys if key.watch.startswith("labelled:")}
    asked = {key for key in window.sums if not key.watch.startswith(ANSWERED)}
    assert asked == set(judge.catalogue.keys) - due_later
    assert window.rows == ROWS_A_DAY
    assert window.phases == PLAN.phases(day(FIRST).start)


def test_every_window_names_the_watches_that_are_never_judged() -> None:
    judge = small_judge()
    unfitted = (WatchKey(watch="error", slice="origin=LGA"),)
    scorer = WindowScorer(
        judge.catalogue,
        replace(judge.fit, unfitted=unfitted),
        input_check=InputCheck(judge.catalogue.bins, no_schema, min_rows=MIN_ROWS),
        phases=PLAN.phases,
    )
    window = scorer.score(READY, judge.traffic(rows_of_days(FIRST, 1, seed=1), FIRST))
    assert [finding.kind for finding in window.findings] == ["never judged"]
    assert "origin = LGA" in window.findings[0].message


def test_sums_are_those_that_the_watches_have_over_the_rows() -> None:
    judge, rows = small_judge(), rows_of_days(FIRST, 1, seed=2)
    traffic = judge.traffic(rows, FIRST)
    window = judge.judge.scorer.score(READY, traffic)
    scorer = baseline_scorer(judge.catalogue)
    (expected,) = answer_sums(scorer, rows, traffic.answered.counts, powers=(1,))
    expected |= label_sums(scorer, rows, powers=(1,))[0]
    assert {key: window.sums[key] for key in expected} == expected


def test_the_joint_watch_scores_the_sampled_rows_and_keeps_them_for_the_next_window() -> None:
    judge, rows = small_judge(), rows_of_days(FIRST, 3, seed=3)
    state, scored = READY, []
    for number in range(3):
        window = judge.judge.scorer.score(state, judge.traffic(rows, FIRST + number))
        scored.append(window.sums[JOINT].rows)
        assert window.state.recent != state.recent
        state = window.state
    assert scored == [0, ROWS_A_DAY, ROWS_A_DAY]  # the first window has none before it to be compared with


def test_the_label_coverage_of_a_window_is_scored_once_its_labels_are_no_longer_waited_for() -> None:
    judge = small_judge()
    days = HORIZON.days + 3
    rows = rows_of_days(FIRST, days, seed=4)
    state, due = READY, []
    for number in range(days):
        window = judge.judge.scorer.score(state, judge.traffic(rows, FIRST + number))
        state = window.state
        if any(key.watch.startswith("labelled:") for key in window.sums):
            due.append(number)
            total = next(total for key, total in window.sums.items() if key.watch.startswith("labelled:"))
            first = (len(due) - 1) * ROWS_A_DAY
            assert total.rows == int((rows.labels[first : first + ROWS_A_DAY] != NO_LABEL).sum())
    assert due == [HORIZON.days, HORIZON.days + 1, HORIZON.days + 2]
    assert len(state.pending_labels.windows) == HORIZON.days


def test_early_labels_count_in_no_loss_and_are_reported() -> None:
    judge, rows = small_judge(), rows_of_days(FIRST, 1, seed=5)
    few = replace(rows, labels=np.where(np.arange(len(rows)) < 20, rows.labels, NO_LABEL))
    window = judge.judge.scorer.score(ScoringState(), judge.traffic(few, FIRST))
    assert window.sums[WatchKey(watch="error")].rows == 0
    assert window.labelled.rows == int((few.labels != NO_LABEL).sum())
    assert [finding.kind for finding in window.findings] == ["labels still arriving"]
    assert not window.state.early_labels.complete


def test_findings_come_in_the_order_of_traffic_labels_and_inputs() -> None:
    judge, rows = small_judge(), rows_of_days(FIRST, 1, seed=6)
    few = replace(rows, labels=np.where(np.arange(len(rows)) < 20, rows.labels, NO_LABEL))
    late = Finding(kind="late rows", feature="", message="")
    traffic = judge.traffic(few, FIRST, findings=(late,), input_problems=(("temp", "absent"),))
    window = judge.judge.scorer.score(ScoringState(), traffic)
    assert [finding.kind for finding in window.findings] == ["late rows", "labels still arriving", "column gone"]


def test_what_the_schema_compares_next_is_what_the_check_left() -> None:
    judge, rows = small_judge(), rows_of_days(FIRST, 2, seed=7)
    asked: list[str] = []

    def schema(_counts: object, _absent: tuple[str, ...], previous: str) -> CheckResult:
        asked.append(previous)
        return CheckResult(statistics=f"{previous}+")

    check = InputCheck(judge.baseline.bins, schema, min_rows=MIN_ROWS)
    scorer = WindowScorer(judge.catalogue, judge.fit, input_check=check, phases=PLAN.phases)
    state = ScoringState(statistics="0")
    for number in range(2):
        state = scorer.score(state, judge.traffic(rows, FIRST + number)).state
    assert (asked, state.statistics) == (["0", "0+"], "0++")


def test_a_window_without_rows_leaves_every_watch_as_it_was() -> None:
    judge = small_judge()
    before = judge.judge.scorer.score(READY, judge.traffic(rows_of_days(FIRST, 1, seed=8), FIRST)).state
    window = judge.judge.scorer.score(before, judge.traffic(rows_of_days(FIRST, 0), FIRST + 1))
    assert {total.rows for total in window.sums.values()} == {0}
    assert window.findings == ()
    counted = replace(before.usual, gap=1)  # windows without rows in a row
    assert window.state == replace(before, usual=counted)


@pytest.mark.parametrize("embeds", [False, True])
def test_sampled_rows_without_an_embedding_are_reported(embeds: bool) -> None:
    judge, rows = small_judge(), rows_of_days(FIRST, 2, seed=9)
    before = judge.judge.scorer.score(READY, judge.traffic(rows, FIRST)).state
    embedding = Embedding(tensors=("temp",), columns=("temp",))
    source = EmbeddingSource(
        embedding=embedding, embed=(lambda found: np.asarray(found["temp"])[:, None]) if embeds else None
    )
    watched = replace(judge.catalogue, embedding=source)
    check = InputCheck(judge.baseline.bins, lambda *_: CheckResult(), min_rows=MIN_ROWS)
    scorer = WindowScorer(watched, judge.fit, input_check=check, phases=PLAN.phases)
    window = scorer.score(before, judge.traffic(rows, FIRST + 1))
    assert [finding.kind for finding in window.findings] == ([] if embeds else ["not embedded"])
    assert window.sums[JOINT].rows == (ROWS_A_DAY if embeds else 0)
