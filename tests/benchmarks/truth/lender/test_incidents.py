"""Faults do to a day's rows what their names say."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from benchmarks.truth.lender.deployment import LenderDeployment, Run
from benchmarks.truth.lender.harms import raises_page
from benchmarks.truth.lender.incidents import LASTING, ONE_DAY
from benchmarks.truth.lender.law import calm_day, predictions
from benchmarks.truth.lender.streams import calm_days
from monitoring.baseline.predictions import Predictions


@pytest.fixture
def rows() -> Predictions:
    return predictions(calm_day(1, np.random.default_rng(0)), 1)


@pytest.mark.parametrize(("name", "factor"), [("unit x 100", 100.0), ("unit x 1000", 1000.0)])
def test_another_unit_multiplies_every_amount(rows: Predictions, name: str, factor: float) -> None:
    after = {**ONE_DAY, **LASTING}[name](rows)
    np.testing.assert_allclose(after.features["amount"].to_numpy(), factor * rows.features["amount"].to_numpy())
    assert after.features.column_names == rows.features.column_names


@pytest.mark.parametrize(("name", "share"), [("99 % nulls", 0.99), ("30 % nulls", 0.3)])
def test_amounts_are_missing_in_about_that_share(rows: Predictions, name: str, share: float) -> None:
    after = {**ONE_DAY, **LASTING}[name](rows)
    assert after.features["amount"].null_count / len(rows) == pytest.approx(share, abs=0.06)


def test_renamed_categories_are_new_ones(rows: Predictions) -> None:
    before = set(rows.features["region"].to_pylist())
    assert not before & set(ONE_DAY["every category renamed"](rows).features["region"].to_pylist())
    assert set(LASTING["one category renamed"](rows).features["region"].to_pylist()) - before == {"south_2"}


def test_labels_scores_and_a_stuck_number(rows: Predictions) -> None:
    np.testing.assert_array_equal(ONE_DAY["all labels inverted"](rows).labels, 1 - rows.labels)
    assert float(np.isnan(ONE_DAY["scores x 100"](rows).probabilities).mean()) > 0.9
    assert len(set(LASTING["a number stuck"](rows).features["amount"].to_pylist())) == 1


REFERENCE = 40


@pytest.fixture(scope="module")
def runs() -> Mapping[int, tuple[LenderDeployment, Run]]:
    """Two deployments by their rows a day, one of them below `min_rows`, each with three calm days judged."""
    found = {}
    for size in (100, 1000):
        days = [predictions(day, number) for number, day in enumerate(calm_days(7, 0, REFERENCE + 3, rows=size))]
        deployment = LenderDeployment.of(days[:REFERENCE])
        run = deployment.begin()
        for number, day in enumerate(days[REFERENCE:], start=REFERENCE):
            assert not raises_page(deployment.step(run, number, day))
        found[size] = (deployment, run)
    return found


@pytest.mark.parametrize("size", [100, 1000])
@pytest.mark.parametrize("name", [*ONE_DAY, "none"])
def test_a_disaster_of_one_day_pages_on_that_day_and_a_calm_one_does_not(
    runs: Mapping[int, tuple[LenderDeployment, Run]], name: str, size: int
) -> None:
    deployment, run = runs[size]
    (day,) = calm_days(7, REFERENCE + 3, 1, rows=size)
    rows = predictions(day, REFERENCE + 3)
    judged = deployment.step(run.copied(), REFERENCE + 3, ONE_DAY[name](rows) if name in ONE_DAY else rows)
    assert raises_page(judged) is (name in ONE_DAY)
