"""One window whose losses lie far outside the baseline's: told at once, and hardly ever by chance."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.evidence.sampling_variance import SamplingVariance
from monitoring.judging.facts.loss_outliers import OUTLIER, LossLimit, loss_outlier, with_lean, with_unit_change
from monitoring.judging.facts.window_limit import WindowLimit
from monitoring.records import HIGHEST_LOSS, SCORE_ONE, Finding, ScoreRecord, ScoreSum, Watch, WatchKey, WindowRecord
from monitoring.records.loss_parts import AnswerLean, LossOutlier, LossProof, LossRange
from monitoring.sentences.finding_text import finding_text, lean_words
from monitoring.tasks.regression import Regression
from monitoring.watches.label_shares import ANSWERED

ERROR, BRIER = (Watch(name=name, family="performance", level="page", needs_label=True) for name in ("error", "brier"))
KEYS = tuple(WatchKey(watch=one.name) for one in (ERROR, BRIER))
ROWS = 400
ALPHA = 0.1 / 1825 / 12
START = datetime(2024, 1, 1, tzinfo=UTC)


def rates(windows: int, seed: int, *, level: float = 0.25, std: float = 0.1) -> np.ndarray:
    """Shares of `ROWS` rows, whose log odds vary between windows."""
    rng = np.random.default_rng(seed)
    odds = np.log(level / (1.0 - level)) + std * rng.standard_normal(windows)
    return np.asarray(rng.binomial(ROWS, 1.0 / (1.0 + np.exp(-odds))) / ROWS)


def limit(scores: np.ndarray, watch: Watch = ERROR) -> LossLimit:
    sampling = SamplingVariance.fit(scores, scores, np.full(scores.size, ROWS))
    return LossLimit(watch=watch, limit=WindowLimit.fit(scores, sampling))


def total(rate: float, rows: int = ROWS) -> ScoreSum:
    return ScoreSum(rows, round(rate * rows) * SCORE_ONE)


def window(rate: float, status: str = "ok") -> WindowRecord:
    score = ScoreRecord(level="page", watch="error", slice="", rows=ROWS, value=rate, log_evidence=0.0)
    return WindowRecord(
        start=START,
        end=START + timedelta(days=1),
        rows=ROWS,
        labels=ROWS,
        labels_due=ROWS,
        labels_unknown=0,
        repeats=0,
        status=status,  # type: ignore[arg-type]  # a test names the status by a string
        page_log_evidence=0.0,
        notice_log_evidence=0.0,
        scores=(score,),
    )


LIMIT = limit(rates(90, 0))


def findings(rate: float, history: tuple[WindowRecord, ...] = (), rows: int = ROWS) -> tuple[Finding, ...]:
    return loss_outlier({KEYS[0]: LIMIT}, {KEYS[0]: total(rate, rows)}, history, alpha=ALPHA, phases={})


def test_one_bad_day_is_told_on_that_day_with_its_numbers() -> None:
    (fact,) = findings(0.5)
    assert fact.fact
    assert (fact.kind, fact.feature) == ("losses far outside the baseline", "losses")
    assert finding_text(fact).startswith(
        "Error rate 50.0 % in this window (400 labelled rows); the baseline's 90 windows"
    )
    assert f"between {100 * LIMIT.limit.lowest:.1f} % and {100 * LIMIT.limit.highest:.1f} %" in finding_text(fact)


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.25, 0.33])
def test_a_window_like_the_worst_of_the_baseline_is_none(rate: float) -> None:
    assert findings(rate) == ()


def test_a_rare_loss_is_told_from_a_rate_far_below_a_half_on() -> None:
    fraud = limit(rates(90, 1, level=0.03, std=0.2))
    assert fraud.exceeded(total(0.28), fraud.limit.highest, ALPHA, {})
    assert not fraud.exceeded(total(0.08), fraud.limit.highest, ALPHA, {})


def test_a_window_worse_than_all_seen_is_told_though_windows_vary_too_much_for_a_page() -> None:
    few = LossLimit(watch=LIMIT.watch, limit=limit(rates(12, 3, std=0.6)).limit)
    highest = few.limit.highest
    between = (1.25 * highest + few.smallest_page(ROWS, highest, ALPHA)) / 2
    sums = {KEYS[0]: total(between)}
    (finding,) = loss_outlier({KEYS[0]: few}, sums, (), alpha=ALPHA, phases={})
    assert (finding.kind, finding.feature, finding.fact) == (HIGHEST_LOSS, "losses", False)
    page = few.smallest_page(ROWS, highest, ALPHA)
    assert f"One window of so many rows pages above {100 * page:.1f} %: check the labels" in finding_text(finding)
    assert loss_outlier({KEYS[0]: few}, {KEYS[0]: total(1.1 * highest)}, (), alpha=ALPHA, phases={}) == ()
    high = 0
    for seed in range(400):
        other = LossLimit(watch=LIMIT.watch, limit=limit(rates(12, seed, std=0.6)).limit)
        next_one = total(float(rates(1, 10_000 + seed, std=0.6)[0]))
        high += other.is_high(next_one, other.limit.highest, {})
    assert high <= 0.01 * 400 + 4


@given(few=st.integers(min_value=1, max_value=14))
def test_a_handful_of_rows_that_are_all_wrong_shows_nothing(few: int) -> None:
    assert findings(1.0, rows=min(few, 9)) == ()
    assert not LIMIT.exceeded(total(0.5, few), LIMIT.limit.highest, ALPHA, {})


def test_what_live_windows_reached_without_a_page_is_no_fact_and_with_one_it_is() -> None:
    assert findings(0.5, (window(0.48),)) == ()
    assert findings(0.5, (window(0.48, "page"),)) != ()


def test_heavy_tails_of_the_baseline_move_the_limit_away() -> None:
    snow = rates(90, 0)
    snow[3] = 0.6
    assert limit(snow).limit.degrees < 6.0 < LIMIT.limit.degrees
    assert not limit(snow).exceeded(total(0.6), 0.6, ALPHA, {})


def test_a_short_baseline_has_a_wider_limit() -> None:
    short = limit(rates(90, 0)[:10])
    assert short.limit.largest(ROWS, ALPHA) > LIMIT.limit.largest(ROWS, ALPHA)
    assert LIMIT.widened(0.5).limit.largest(ROWS, ALPHA) < LIMIT.limit.largest(ROWS, ALPHA)


def test_a_loss_that_never_occurred_needs_more_than_a_row() -> None:
    never = limit(np.zeros(30))
    assert not never.exceeded(total(0.01), 0.0, ALPHA, {})
    assert never.exceeded(total(0.5), 0.0, ALPHA, {})


def test_the_first_loss_is_named_and_what_was_to_be_expected_of_the_rows() -> None:
    limits = {KEYS[0]: LIMIT, KEYS[1]: replace(limit(rates(90, 2, level=0.15)), watch=BRIER)}
    gap = WatchKey(watch="surprise_error")
    sums = {KEYS[0]: total(0.5), KEYS[1]: total(0.4), gap: ScoreSum(ROWS, round((1.0 + 0.24) / 2.0 * ROWS * SCORE_ONE))}
    (fact,) = loss_outlier(limits, sums, (), alpha=ALPHA, phases={})
    assert "and the model's answers let expect 26.0 %." in finding_text(fact)
    assert "Besides: Brier score 0.400 (at most " in finding_text(fact)


def test_false_facts_of_ordinary_days_are_within_their_share() -> None:
    """Of 40 baselines and 2,000 windows each, with twelve limits: a tenth of a page in 1,825 windows is 4 in all."""
    found = 0
    for seed in range(40):
        scores = rates(2090, 10 + seed, std=0.2)
        mine = limit(scores[:90])
        beyond = scores[90:][scores[90:] > 1.2 * mine.limit.highest]
        found += sum(mine.exceeded(total(rate), mine.limit.highest, ALPHA, {}) for rate in beyond.tolist())
    assert found <= 1


@given(
    level=st.floats(min_value=0.02, max_value=0.6),
    std=st.floats(min_value=0.02, max_value=0.4),
    seed=st.integers(min_value=0, max_value=999),
)
def test_what_one_window_pages_above_is_what_is_said(level: float, std: float, seed: int) -> None:
    fitted, rows = limit(rates(60, seed, level=level, std=std)), 100_000  # so many rows that a rate is what it is
    seen = fitted.limit.highest
    least = fitted.smallest_page(rows, seen, ALPHA)
    for factor in (0.998, 1.002):
        if least * factor < 1.0:
            assert fitted.exceeded(total(least * factor, rows), seen, ALPHA, {}) is (factor > 1.0)


@pytest.mark.parametrize(
    ("factor", "offset", "text"),
    [
        (0.001, 0.0, "1/1,000 of"),
        (100.0, 0.0, "100 times"),
        (1.0, 0.0, ""),
        (5.0, 0.0, ""),
        (1.0, 1_000.0, ""),
        (-10.0, 0.0, ""),
        (0.0, 0.0, ""),
    ],
)
def test_answers_that_are_a_power_of_ten_larger_are_named_with_the_losses(
    factor: float, offset: float, text: str
) -> None:
    answers = np.random.default_rng(0).lognormal(5.0, 0.6, 4_000)[:, None]
    task = Regression().fitted(answers, np.zeros(len(answers), np.int64))
    loss = LossRange(watch="absolute_error", value=9.0, rows=400, windows=60, low=1.0, high=2.0)
    proof = LossProof(watch="absolute_error", one_in=1e5, largest=4.0, value=9.0)
    finding = Finding(kind=OUTLIER, feature="losses", fact=True, parts=LossOutlier(loss=loss, proof=proof))
    other = replace(finding, kind="column gone")
    [lost, gone] = with_unit_change((finding, other), task, factor * answers[:100] + offset)
    what = f" The answers are about {text} the baseline's: a change of unit?" if text else ""
    assert finding_text(lost) == f"{finding_text(finding)}{what}"
    assert gone.kind == other.kind


def errors_of(value: float) -> Finding:
    """The fact that the absolute error, which counts up to 100, is so large."""
    loss = LossRange(watch="absolute_error", value=value, rows=ROWS, windows=90, low=8.0, high=12.0)
    proof = LossProof(watch="absolute_error", one_in=1.0 / ALPHA, largest=20.0, value=value, expected=None)
    return Finding(kind=OUTLIER, feature="losses", fact=True, parts=LossOutlier(loss=loss, proof=proof))


@pytest.mark.parametrize(
    ("bias", "mean", "said", "shown"),
    [
        (30.0, 40.0, ", answers 30 above the labels on average", 40.0),
        (-30.0, 40.0, ", answers 30 below the labels on average", 40.0),
        (10.0, 40.0, "", 40.0),
        (-90.0, 2_500.0, ", answers mostly below the labels", 2_500.0),
        (30.0, 2_500.0, "", 2_500.0),
    ],
)
def test_a_loss_of_numbers_is_shown_as_it_is_with_the_side_of_the_answers(
    bias: float, mean: float, said: str, shown: float
) -> None:
    watch = Watch(name="bias", family="performance", level="notice", needs_label=True, scale=200.0, offset=-100.0)
    sums = {WatchKey(watch="bias"): total((bias + 100.0) / 200.0)}
    measured = {"mean_absolute_error": mean}
    counted = errors_of(40.0 if mean == 40.0 or bias == 30.0 else 93.0)
    (told,) = with_lean([counted], sums, {"bias": watch}, measured)
    assert isinstance(told.parts, LossOutlier)
    assert (lean_words(told.parts.lean), told.parts.loss.value) == (said, shown)


@pytest.mark.parametrize(("found", "lean"), [(0.5, True), (0.7, False)])
def test_a_loss_of_classes_names_the_class_that_answers_expect_too_often(found: float, *, lean: bool) -> None:
    watches = {f"label:{name}": replace(ERROR, name=f"label:{name}", family="labels") for name in ("0", "1")}
    sums = {WatchKey(watch="label:1"): total(found), WatchKey(watch=f"{ANSWERED}label:1"): total(0.75)}
    (told,) = with_lean(findings(0.5), sums, watches, {})
    assert isinstance(told.parts, LossOutlier)
    assert told.parts.lean == (AnswerLean(watch="label:1", answers=0.75, labels=0.5) if lean else None)
