"""What an input explains of a loss: all of it where the loss is among new values, nothing where it is everywhere."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import fit_bins
from monitoring.baseline.profile_builder import profile
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.judging.explained_losses import LEAST_ROWS, explained_losses

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
