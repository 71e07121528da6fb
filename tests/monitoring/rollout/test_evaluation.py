"""The result of a rollout, from windows of evidence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from monitoring.records import LabelSample, RolloutGuard, RolloutResult
from monitoring.rollout.comparing import PAIRED
from monitoring.rollout.decision_rules import DecisionRules, GuardRule
from monitoring.rollout.evaluation import evaluate, guard_comparisons
from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.rollout.evidence.verdict import Comparison
from monitoring.rollout.pairs import (
    CALIBRATION,
    CANDIDATE,
    ERRORS,
    LOSS,
    Measures,
    PairedRows,
    WindowEvidence,
    arm_name,
)
from monitoring.tasks.classification import Classification
from monitoring.tasks.task import NO_LABEL
from monitoring.traffic.windows import Window
from tests.monitoring.rollout.test_pairs import paired

TASK = Classification(classes=("no", "yes"))
MEASURES = Measures(task=TASK, loss="error", slices={"origin": ("EWR", "JFK")}, guards=frozenset({ERRORS}))
START = datetime(2026, 3, 1, tzinfo=UTC)


def day(rng: np.random.Generator, gain: float, *, rows: int = 1_000, labelled: float = 1.0) -> PairedRows:
    """Rows on a tenth of which one version alone is right."""
    labels = rng.integers(0, 2, rows)
    other, differ = rng.random(rows) < 0.8, rng.random(rows) < 0.1
    other = np.where(differ, rng.random(rows) < 0.5 + gain * 5.0, other)
    right = np.where(differ, ~other, other)
    known = np.where(rng.random(rows) < labelled, labels, NO_LABEL)

    def answers(correct: np.ndarray) -> np.ndarray:
        return np.eye(2)[np.where(correct, labels, 1 - labels)]

    return paired(answers(right), answers(other), known, rng.choice(["EWR", "JFK"], rows).tolist())


def windows(gain: float, *, days: int = 12, seed: int = 0, labelled: float = 1.0) -> list[WindowEvidence]:
    rng = np.random.default_rng(seed)
    found = []
    for number in range(days):
        start = START + timedelta(days=number)
        window = Window(start=start, end=start + timedelta(days=1))
        found.append(MEASURES.window(window, day(rng, gain, labelled=labelled)))
    return found


def result(gain: float, **how: float) -> RolloutResult:
    return evaluate(windows(gain, **how), MEASURES, DecisionRules())  # type: ignore[arg-type]  # days are whole


def test_a_better_candidate_is_promoted_once_every_guard_has_shown_itself() -> None:
    found = result(0.05, days=40)
    assert found.verdict == found.decided == "better"
    assert found.promotable
    assert not found.reasons
    assert not found.harmful
    assert found.decided_at is not None
    assert START < found.decided_at < START + timedelta(days=40)
    assert [guard.name for guard in found.guards] == ["origin=EWR", "origin=JFK", "errors"]
    assert found.guards[-1].limit == 0.001
    assert found.candidate is not None
    assert found.champion is not None
    assert found.candidate < found.champion
    assert len(found.looks) == len(found.windows) == 40
    assert found.looks[-1].interval == found.interval
    assert sum(window.rows for window in found.windows) == found.rows == 40_000


def test_harm_of_a_guard_is_harm_once_it_outweighs_all_others() -> None:
    days = windows(0.05, days=10)
    failing = {"errors": PairedSums.of(np.ones(40))}
    found = evaluate([replace(day, measures={**day.measures, **failing}) for day in days], MEASURES, DecisionRules())
    e_values = {guard.name: guard.harm for guard in found.guards}
    assert e_values["errors"] == 1e12
    assert all(value is not None and value < 1.0 for name, value in e_values.items() if name != "errors")
    assert found.harm >= 1e12 / (1 + len(e_values))
    assert found.harmful
    assert found.verdict == "better"


def test_the_first_verdict_is_that_of_the_look_at_which_it_was_reached() -> None:
    found = result(-0.05)
    first = next(look for look in found.looks if look.interval.verdict != "can't tell yet")
    assert (found.decided, found.decided_at) == (first.interval.verdict, first.at) == ("worse", first.at)
    assert found.harmful
    assert not found.promotable


def test_without_rows_there_is_no_verdict_and_a_reason() -> None:
    found = evaluate([], MEASURES, DecisionRules(require="not worse", min_effect=2.0))
    assert found.verdict == "can't tell yet"
    assert not found.promotable
    assert "No rows have been compared" in found.obstacles[0]
    assert found.needed is None
    assert found.champion is None


def test_a_candidate_that_answers_nothing_is_no_verdict() -> None:
    rows = day(np.random.default_rng(0), 0.0)
    rows.candidate[:] = np.nan
    days = [
        Window(start=START + place * timedelta(days=1), end=START + (place + 1) * timedelta(days=1))
        for place in range(7)
    ]
    found = evaluate([MEASURES.window(window, rows) for window in days], MEASURES, DecisionRules())
    assert found.verdict == "can't tell yet"
    assert found.interval.verdict == "worse"
    assert found.harmful
    assert "no usable answer" in found.obstacles[0]


def test_what_is_still_needed_is_rows_labels_and_days() -> None:
    found = result(0.012, days=5)
    assert found.verdict == "can't tell yet"
    assert found.needed is not None
    assert found.needed.rows > found.needed.labels > 0
    assert found.needed.days == pytest.approx(found.needed.rows / 1_000)


def test_rows_without_a_label_are_shown_in_both_ways() -> None:
    found = result(0.05, days=40, labelled=0.5)
    assert found.missing > 0
    assert found.interval.verdict == found.verdict == "can't tell yet"
    assert found.at_random.verdict == "better"
    at_random = evaluate(windows(0.05, days=40, labelled=0.5), MEASURES, DecisionRules(missing_labels="at random"))
    assert at_random.verdict == "better"


@pytest.mark.parametrize("loss", ["error", "brier"])
def test_no_verdict_depends_on_the_last_digits_of_scores(loss: str) -> None:
    """Other batches round otherwise: by as much as 5e-7, which is seen nowhere."""
    measures = replace(MEASURES, loss=loss, guards=frozenset({ERRORS, "calibration"}))
    rng, last = np.random.default_rng(0), np.random.default_rng(1)
    first, again = [], []
    for number in range(24):
        rows = day(rng, 0.05)
        sure = rng.uniform(0.5, 1.0, (len(rows), 1)).astype(np.float32)
        rows.candidate[:] = np.where(rows.candidate == 1.0, sure, 1.0 - sure)
        moved = rows.candidate + last.integers(-8, 9, rows.candidate.shape) * np.spacing(np.float32(0.5))
        start = START + timedelta(days=number)
        window = Window(start=start, end=start + timedelta(days=1))
        first.append(measures.window(window, rows))
        again.append(measures.window(window, replace(rows, candidate=moved)))
    found, other = (evaluate(windows, measures, DecisionRules()) for windows in (first, again))
    assert found.verdict == "better"
    assert first != again or loss == "error"
    assert [look.interval.verdict for look in found.looks] == [look.interval.verdict for look in other.looks]
    assert [guard.passes for guard in found.guards] == [guard.passes for guard in other.guards]
    for one, two in zip(found.looks, other.looks, strict=True):
        assert (one.interval.low, one.interval.high) == pytest.approx((two.interval.low, two.interval.high), abs=1e-6)


@pytest.mark.parametrize(("rows", "days", "passes"), [(150, 30, True), (150, 5, False), (1_000, 14, True)])
def test_rows_without_an_error_pass_the_guard_of_errors_within_weeks(rows: int, days: int, passes: bool) -> None:
    window = PairedSums.of(np.zeros(rows))

    def found(*guards: GuardRule) -> RolloutGuard:
        rules = DecisionRules(guards=guards) if guards else DecisionRules()
        return next(guard for guard in evaluate(counted, MEASURES, rules).guards if guard.name == ERRORS)

    day = timedelta(days=1)
    measures = {LOSS: window, ERRORS: window}
    counted = [
        WindowEvidence(start=START + place * day, end=START + (place + 1) * day, measures=measures, labelled=rows)
        for place in range(days)
    ]
    guard = found()
    assert guard.passes == passes
    assert guard.limit == pytest.approx(max(0.001, 2 * np.log(20) / (14 * rows)))
    assert found(GuardRule(name=ERRORS, limit=0.001)).limit == 0.001


def calibration(champion: float, candidate: float, **how: float) -> tuple[Comparison, list[WindowEvidence]]:
    """The guard of calibration of versions that are right on .9 and say they are so by as much more, and the days."""
    measures = replace(MEASURES, guards=frozenset({CALIBRATION}))
    rng, found = np.random.default_rng(5), []
    for number in range(14):
        rows = day(rng, 0.0, **how)  # type: ignore[arg-type]  # rows are whole
        for answers, gap in ((rows.champion, champion), (rows.candidate, candidate)):
            right = (answers.argmax(axis=1) == rows.labels)[rows.labels != NO_LABEL].mean()
            answers[:] = np.where(answers == 1.0, right + gap, 1.0 - right - gap)
        start = START + timedelta(days=number)
        found.append(measures.window(Window(start=start, end=start + timedelta(days=1)), rows))
    return guard_comparisons(found, measures, DecisionRules(), PAIRED)[CALIBRATION], found


@pytest.mark.parametrize(
    ("champion", "candidate", "passes", "worse"),
    [
        (0.0, 0.0, True, False),
        (-0.15, 0.0, True, False),  # the champion is too unsure: its surprise is below 0
        (-0.15, -0.15, True, False),
        (0.1, 0.1, True, False),  # too sure, as the champion is
        (-0.15, 0.08, False, True),
        (0.0, 0.08, False, True),
    ],
)
def test_a_candidate_is_too_sure_beyond_the_champion_and_beyond_what_is_right(
    champion: float, candidate: float, passes: bool, worse: bool
) -> None:
    guard, _ = calibration(champion, candidate)
    assert (guard.not_worse, guard.is_worse, guard.log_harm > 3.0) == (passes, worse, worse)


def test_evidence_of_an_earlier_release_has_the_difference_of_two_surprises_alone() -> None:
    _, days = calibration(-0.15, 0.0)
    own = arm_name(CALIBRATION, CANDIDATE)
    former = [
        replace(one, measures={name: sums for name, sums in one.measures.items() if name != own}) for one in days[:3]
    ]
    measures = replace(MEASURES, guards=frozenset({CALIBRATION}))
    found = guard_comparisons([*former, *days[3:]], measures, DecisionRules(), PAIRED)[CALIBRATION]
    assert (found.not_worse, found.is_worse) == (False, True)


def test_labels_that_were_asked_for_where_versions_disagree_show_nothing_of_one_version_alone() -> None:
    rows = day(np.random.default_rng(0), 0.0)
    window = Window(start=START, end=START + timedelta(days=1))
    sample = LabelSample(start=window.start, end=window.end, due=window.end, salt="s", probability=0.5)
    sums = replace(MEASURES, guards=frozenset({CALIBRATION})).window(window, rows, sample).measures
    own = sums[arm_name(CALIBRATION, CANDIDATE)]
    assert (own.labelled, own.unknown_share) == (0, 0.5)
