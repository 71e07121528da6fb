"""Labels that lost a class, and shares of labels that jumped."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.evidence.sampling_variance import SamplingVariance
from monitoring.judging.facts.label_facts import ClassRun, LabelLimits, LabelRuns, ShareLimit, gap_scores
from monitoring.judging.facts.window_limit import WindowLimit
from monitoring.records import SCORE_ONE, Finding, ScoreSum, WatchKey
from monitoring.sentences.finding_text import finding_text
from monitoring.watches.label_shares import ANSWERED

NAME = "label:late"
ALPHA = 1e-6
ROWS = 300
RNG = np.random.default_rng(0)


def total(share: float, rows: int = ROWS) -> ScoreSum:
    return ScoreSum(rows, round(share * rows * SCORE_ONE))


def limits(windows: int = 60) -> LabelLimits:
    """A class of 14 %, whose share varies between windows, and of which the answers say most."""
    odds = np.log(0.14 / 0.86) + 0.2 * RNG.standard_normal(windows)
    said = 1.0 / (1.0 + np.exp(-odds))
    sums = [total(count / ROWS) for count in RNG.binomial(ROWS, said).tolist()]
    scores = np.array([one.mean for one in sums])
    limit = WindowLimit.fit(scores, SamplingVariance.fit(scores, scores, np.full(windows, ROWS)))
    run = ClassRun.fit(sums)
    assert run is not None
    share = ShareLimit.fit(limit, scores, gap_scores(sums, [total(one) for one in said.tolist()]))
    return LabelLimits(runs={NAME: run}, shares={NAME: share})


LIMITS = limits()


def jumps(share: float, said: float) -> tuple[Finding, ...]:
    sums = {WatchKey(watch=NAME): total(share), WatchKey(watch=f"{ANSWERED}{NAME}"): total(said)}
    return LIMITS.jumps(sums, (), alpha=ALPHA, phases={})


def lost(runs: int) -> tuple[Finding, ...]:
    return LIMITS.lost_classes(LabelRuns(labels={NAME: runs}), {WatchKey(watch=NAME): total(0.0)}, ALPHA)


def test_a_class_that_never_comes_any_more_is_lost_once_as_many_were_due() -> None:
    assert lost(150) == ()
    (fact,) = lost(300)
    assert fact.fact
    assert (fact.kind, fact.feature) == ("labels lost a class", "labels")
    assert finding_text(fact).startswith("Labels of class late: none among the last 300 labels; 4")
    assert finding_text(fact).endswith(" % in the baseline).")


def test_a_rare_class_takes_more_labels() -> None:
    rare = ClassRun(share=0.01, longest=100)
    assert [rare.is_lost(run, ALPHA) for run in (500, 2_000, 3_000)] == [False, False, True]


def test_a_class_that_comes_in_batches_is_lost_after_twice_its_longest_absence() -> None:
    monthly = ClassRun.fit([total(0.0)] * 20 + [total(0.9)] + [total(0.0)] * 29 + [total(0.9)])
    assert monthly is not None
    assert monthly.longest == 29 * ROWS
    assert [monthly.is_lost(windows * ROWS, ALPHA) for windows in (40, 58, 59)] == [False, False, True]


def test_without_a_label_in_the_window_nothing_is_said_again() -> None:
    assert LIMITS.lost_classes(LabelRuns(labels={NAME: 900}), {WatchKey(watch=NAME): ScoreSum()}, ALPHA) == ()


@pytest.mark.parametrize(
    ("share", "said", "told"),
    [(0.14, 0.14, False), (0.5, 0.15, True), (0.5, 0.49, False), (0.01, 0.14, True), (0.05, 0.06, False)],
)
def test_a_share_jumped_if_the_answers_to_its_rows_do_not_say_so(share: float, said: float, told: bool) -> None:
    assert [(one.kind, one.fact) for one in jumps(share, said)] == [("label shares jumped", True)] * told


def test_a_jump_is_told_with_its_numbers() -> None:
    (fact,) = jumps(0.5, 0.15)
    assert finding_text(fact).startswith(
        "Labels of class late 50.0 % of 300 labels; the baseline's 60 windows lie between "
    )
    assert finding_text(fact).endswith("and the answers to these rows say 15.0 %.")


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=20))
def test_runs_count_the_labels_since_the_last_of_a_class(windows: list[tuple[int, bool]]) -> None:
    runs, expected = LabelRuns(), 0
    for rows, comes in windows:
        there = comes and rows > 0
        runs = LabelRuns.from_text(runs.updated({NAME: ScoreSum(rows, SCORE_ONE if there else 0)}).to_text())
        expected = 0 if there else expected + rows
    assert runs.labels.get(NAME, 0) == expected


def test_false_facts_of_ordinary_days_are_within_their_share() -> None:
    """Of 20 baselines and 1,000 windows each: .02 at ALPHA for both sides of a share."""
    found = 0
    for _ in range(20):
        mine = limits()
        odds = np.log(0.14 / 0.86) + 0.2 * RNG.standard_normal(1000)
        for said in (1.0 / (1.0 + np.exp(-odds))).tolist():
            sums = {
                WatchKey(watch=NAME): total(RNG.binomial(ROWS, said) / ROWS),
                WatchKey(watch=f"{ANSWERED}{NAME}"): total(said),
            }
            found += len(mine.jumps(sums, (), alpha=ALPHA, phases={}))
    assert found == 0


@pytest.mark.parametrize(
    ("name", "is_class"),
    [("label:location", False), ("label:location", True), ('label:"location"', True)],
    ids=["of numbers", "of a class in an earlier store", "of a class"],
)
def test_a_share_of_a_class_that_is_called_location_is_said_of_no_numbers(*, name: str, is_class: bool) -> None:
    runs = {name: LIMITS.runs[NAME]} if is_class else {}
    named = LabelLimits(runs=runs, shares={name: LIMITS.shares[NAME]})
    sums = {WatchKey(watch=name): total(0.6), WatchKey(watch=f"{ANSWERED}{name}"): total(0.14)}
    (fact,) = named.jumps(sums, (), alpha=ALPHA, phases={})
    assert ("labels are higher: on average one exceeds 60 %" in finding_text(fact).lower()) is not is_class
