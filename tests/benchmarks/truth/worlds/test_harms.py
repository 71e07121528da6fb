from __future__ import annotations

import numpy as np
import pytest

from benchmarks.truth.worlds.harms import Quiet, harms_of, noisy, wrong
from benchmarks.truth.worlds.laws import HeavyTails, Lender, Overconfident
from benchmarks.truth.worlds.world import Conditions, World, losses, predictions, softmax, spec_of


@pytest.fixture(params=[Lender(rows=20_000), Overconfident(rows=20_000), HeavyTails(rows=20_000)], ids=lambda w: w.name)
def world(request: pytest.FixtureRequest) -> World:
    found: World = request.param
    return found


@pytest.mark.parametrize("points", [2.0, 10.0])
def test_wrong_labels_raise_the_error_by_as_many_points(points: float) -> None:
    for law in (Lender(rows=40_000), Overconfident(rows=40_000)):
        day = law.day(np.random.default_rng(0), Conditions())
        error = losses(day).loss[0]
        harmed = losses(wrong(points)(day, 1.0, error, np.random.default_rng(1))).loss[0]
        assert harmed - error == pytest.approx(points / 100.0, abs=0.006)


def test_a_calibrated_world_has_no_surprise_and_an_overconfident_one_does() -> None:
    calm = Conditions()
    lender, network = (
        losses(law.day(np.random.default_rng(0), calm)) for law in (Lender(rows=40_000), Overconfident())
    )
    assert lender.surprise == pytest.approx((0.0, 0.0), abs=0.01)
    assert network.surprise[0] > 0.1


def test_every_harm_changes_rows_and_leaves_their_number(world: World) -> None:
    day = world.day(np.random.default_rng(0), Conditions())
    for name, harm in harms_of(world).items():
        harmed = harm.change(day, 1.0, 0.2, np.random.default_rng(1))
        assert len(harmed.labels) == len(day.labels)
        changed = not np.array_equal(harmed.score, day.score) or not np.array_equal(harmed.labels, day.labels)
        assert changed, name


def test_a_season_comes_back_after_a_year_and_noise_is_largest_in_summer() -> None:
    season = Quiet(season=0.3)
    assert season.conditions(91, 0.0).season == pytest.approx(0.3, abs=1e-3)
    assert season.conditions(365, 0.0).season == pytest.approx(0.0, abs=1e-9)
    points = [Quiet(noise=1.5).points(day) for day in range(365)]
    assert max(points) == pytest.approx(1.5, abs=1e-3)
    assert min(points) == 0.0


def test_noisy_labels_cost_as_many_points_and_leave_the_shares_of_the_classes(world: World) -> None:
    day = world.day(np.random.default_rng(0), Conditions())
    noise = noisy(day, 1.0, np.random.default_rng(1))
    (before, _), (after, _) = losses(day).loss, losses(noise).loss
    if world.classes:
        assert after - before == pytest.approx(0.01, abs=0.004)
        assert np.array_equal(np.bincount(noise.labels), np.bincount(day.labels))
    else:
        assert after / before == pytest.approx(1.05)


def test_days_are_predictions_that_the_deployment_reads(world: World) -> None:
    day = world.day(np.random.default_rng(0), Conditions())
    rows = predictions(day, 3)
    assert len(rows) == 20_000
    assert rows.features.column_names == [feature.name for feature in spec_of(world).features]
    if world.classes:
        assert rows.probabilities.sum(axis=1) == pytest.approx(np.ones(20_000))
        assert np.array_equal(softmax(day.score), rows.probabilities)
    else:
        assert np.array_equal(rows.labels.view(np.float64), day.labels)
