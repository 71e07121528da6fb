"""What the rows of an alarm's window add to its cause."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import fit_bins
from monitoring.baseline.profile_builder import profile
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.incidents.alarm import Alarm
from monitoring.incidents.cause import explain
from monitoring.judging.incident_causes import LEAST_ROWS, explained_losses, with_explained_losses, with_rows
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


def test_a_page_about_calibration_is_explained_by_the_brier_score(made: SmallJudge) -> None:
    window = scored(made, faulty=True)
    slope = alarm("calibration_slope", windows(calibration_slope=[0.9]))
    assert with_explained_losses(slope, window, made.catalogue, made.fit).explained == of_brier(made, window).explained


def test_without_a_rise_without_labels_and_for_other_watches_nothing_is_explained(made: SmallJudge) -> None:
    window = scored(made, faulty=True)
    assert of_brier(made, replace(window, labelled=window.labelled.without_losses())).explained == {}
    other = alarm("input:x:location", windows(input__x__location=[0.2]), notice={"input:x:location": 90.0})
    assert with_explained_losses(other, window, made.catalogue, made.fit).explained == {}


def test_rows_to_look_at_first_are_the_window_s_worst(made: SmallJudge) -> None:
    window = scored(made, faulty=True)
    found = alarm("brier", windows(brier=[0.4]))
    cause = with_rows(explain(found), found, window, made.catalogue)
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


SPEC = BaselineSpec(
    classes=("no", "yes"),
    features=(FeatureSpec(name="amount", kind="number"), FeatureSpec(name="region", kind="category")),
)
BEFORE = 0.2


def rows_of(amounts: np.ndarray, regions: list[str | None]) -> Predictions:
    count = amounts.size
    return Predictions(
        ids=pa.array([str(at) for at in range(count)], pa.string()),
        event_times=np.arange(count),
        features=pa.table({"amount": amounts, "region": pa.array(regions, pa.string())}),
        probabilities=np.full((count, 2), 0.5),
        labels=np.zeros(count, dtype=np.int64),
        label_times=np.arange(count),
    )


RNG = np.random.default_rng(5)
REFERENCE = rows_of(RNG.normal(0.0, 1.0, 20_000), RNG.choice(["north", "south", "west"], 20_000).tolist())
BINS = fit_bins(REFERENCE, SPEC)
PROFILE = profile(REFERENCE, BINS)
ROWS = 2_000
PART = np.arange(ROWS) < 0.3 * ROWS


def explained(rows: Predictions, losses: np.ndarray) -> dict[str, float]:
    return explained_losses([(rows, losses)], bins=BINS, baseline=PROFILE, baseline_loss=BEFORE)


def faulty(**changed: object) -> Predictions:
    """Rows as in the reference, with a column that is changed in `PART` of them."""
    amounts, regions = RNG.normal(0.0, 1.0, ROWS), RNG.choice(["north", "south", "west"], ROWS).tolist()
    if "amount" in changed:
        amounts = np.where(PART, changed["amount"], amounts)  # type: ignore[call-overload]
    if "region" in changed:
        regions = [changed["region"] if one else name for one, name in zip(PART, regions, strict=True)]
    return rows_of(amounts, regions)


@pytest.mark.parametrize("value", [0.0, 50.0, -50.0, np.nan])
def test_a_number_whose_new_values_have_the_losses_explains_the_rise_whatever_they_are(value: float) -> None:
    losses = np.where(PART, 0.5, BEFORE)
    rise = losses.mean() - BEFORE
    found = explained(faulty(amount=value), losses)
    assert 0.6 * rise < found["amount"] <= 1.05 * rise
    assert abs(found["region"]) < 0.1 * rise


@pytest.mark.parametrize(("name", "least"), [("north_2", 0.95), (None, 0.95), ("south", 0.35)])
def test_a_category_whose_new_values_have_the_losses_explains_the_rise(name: str | None, least: float) -> None:
    """The less of it the more rows had the value before."""
    losses = np.where(PART, 0.5, BEFORE)
    rise = losses.mean() - BEFORE
    found = explained(faulty(region=name), losses)
    assert least * rise < found["region"] <= 1.05 * rise
    assert abs(found["amount"]) < 0.1 * rise


def test_an_input_that_moved_where_losses_did_not_explains_nothing() -> None:
    losses = np.full(ROWS, 0.4)
    for rows in (faulty(amount=1.5), faulty(region="south")):
        assert all(abs(part) < 0.05 * 0.2 for part in explained(rows, losses).values())


def test_where_all_values_are_new_they_explain_all() -> None:
    rows = rows_of(np.full(ROWS, 80.0), ["north"] * ROWS)
    assert explained(rows, np.full(ROWS, 0.4))["amount"] == pytest.approx(0.2, rel=0.05)


def test_few_rows_and_absent_inputs_explain_nothing() -> None:
    few = faulty(amount=0.0).take(np.arange(LEAST_ROWS - 1))
    assert explained(few, np.full(LEAST_ROWS - 1, 0.4)) == {}
    rows = faulty()
    without = Predictions(
        ids=rows.ids,
        event_times=rows.event_times,
        features=rows.features.drop_columns(["amount"]),
        probabilities=rows.probabilities,
        labels=rows.labels,
        label_times=rows.label_times,
    )
    assert set(explained(without, np.full(ROWS, 0.4))) == {"region"}


def test_of_small_windows_an_input_that_moved_harmlessly_hardly_ever_explains_a_quarter_and_the_faulty_one_does() -> (
    None
):
    rng = np.random.default_rng(0)
    harmless = faulty_named = 0
    for _ in range(100):
        wrong = rng.random(400) < 0.2
        losses = (rng.random(400) < np.where(wrong, 0.6, BEFORE)).astype(np.float64)
        moved = rng.choice(["north", "south", "west"], 400, p=[0.7, 0.2, 0.1]).tolist()
        found = explained(rows_of(np.where(wrong, 0.0, rng.normal(0.0, 1.0, 400)), moved), losses)
        rise = losses.mean() - BEFORE
        harmless += found["region"] >= 0.25 * rise
        faulty_named += found["amount"] >= 0.25 * rise
    assert harmless <= 5
    assert faulty_named >= 90


def test_a_number_that_is_stuck_explains_a_rise_that_one_window_hardly_shows() -> None:
    rng = np.random.default_rng(1)
    rows = rows_of(np.full(400, 0.3), rng.choice(["north", "south", "west"], 400).tolist())
    losses = (rng.random(400) < 0.25).astype(np.float64)
    assert explained(rows, losses)["amount"] > 0.8 * (losses.mean() - BEFORE) > 0.0


def stuck(value: float, count: int, rng: np.random.Generator) -> tuple[Predictions, np.ndarray]:
    """Rows whose amounts are all one value, with five points more of errors."""
    rows = rows_of(np.full(count, value), rng.choice(["north", "south", "west"], count).tolist())
    return rows, (rng.random(count) < BEFORE + 0.05).astype(np.float64)


@pytest.mark.parametrize("count", [400, LEAST_ROWS - 1])
def test_a_number_that_is_stuck_at_another_value_in_each_window_explains_what_it_does_in_each(count: int) -> None:
    """Together the windows' values are spread as the baseline's are. Windows of few rows are taken together."""
    rng = np.random.default_rng(2)
    samples = [stuck(value, count, rng) for value in np.linspace(-1.5, 1.5, 8)]
    together = np.concatenate([losses for _, losses in samples])
    found = explained_losses(samples, bins=BINS, baseline=PROFILE, baseline_loss=BEFORE)
    if count >= LEAST_ROWS:
        assert found["amount"] > 0.8 * (together.mean() - BEFORE) > 0.0
    assert set(found) == {"amount", "region"}


def test_several_windows_show_what_one_is_too_small_for() -> None:
    rng = np.random.default_rng(3)
    shown = 0
    for _ in range(20):
        samples = []
        for _ in range(6):
            wrong = rng.random(150) < 0.15
            losses = (rng.random(150) < np.where(wrong, 0.6, BEFORE)).astype(np.float64)
            regions = rng.choice(["north", "south", "west"], 150).tolist()
            samples.append((rows_of(np.where(wrong, 0.0, rng.normal(0.0, 1.0, 150)), regions), losses))
        one, all_ = (
            explained_losses(some, bins=BINS, baseline=PROFILE, baseline_loss=BEFORE)["amount"] > 0.0
            for some in (samples[:1], samples)
        )
        shown += int(all_) - int(one)
    assert shown >= 10
