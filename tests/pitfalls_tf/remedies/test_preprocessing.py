"""Standardised over all rows, or within sources and seasons: whose moments are taken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.fitting.recipe import Recipe
from pitfalls_tf.remedies.catalogue import find
from pitfalls_tf.remedies.preprocessing import fit_normalisation, numeric_columns
from tests.pitfalls_tf.small_examples import RECIPE, rows

MONTHS = np.where(np.arange(300) % 2 == 0, "2013-01", "2013-02").astype("datetime64[us]")


def table(**changes: Any) -> Any:
    return replace(rows(300, seed=1), times=MONTHS, **changes)


TRAINING = table()
RAISED = replace(
    TRAINING, inputs=TRAINING.inputs * 3 + np.where(TRAINING.domains == "north", 10, -10)[:, None].astype(np.float32)
)
RECIPE_OF_ANY: Recipe = RECIPE


def test_numbers_are_told_from_categories_and_indicators() -> None:
    inputs = TRAINING.inputs.copy()
    inputs[:, 1] = inputs[:, 1] > 0
    assert numeric_columns(TRAINING).tolist() == [0, 1, 2]
    assert numeric_columns(replace(TRAINING, inputs=inputs)).tolist() == [0, 2]
    assert numeric_columns(replace(TRAINING, tokens=())).tolist() == [0, 1, 2, 3, 4, 5]
    pixels = replace(TRAINING, inputs=TRAINING.inputs.reshape(300, 1, 2, 3), tokens=())
    assert numeric_columns(pixels).tolist() == [0, 1, 2]


def test_standardised_by_the_training_rows_alone() -> None:
    prepared = find("standardised").fit_row_transform(RECIPE_OF_ANY, RAISED, rows(90, seed=2, shift=50))
    said = prepared(RAISED).inputs
    assert said[:, :3].mean(axis=0) == pytest.approx(0, abs=1e-5)
    assert said[:, :3].std(axis=0) == pytest.approx(1, abs=1e-5)
    assert (said[:, 3:] == RAISED.inputs[:, 3:]).all()
    mean, deviation = RAISED.inputs[:, 0].mean(), RAISED.inputs[:, 0].std()
    elsewhere = rows(90, seed=2, shift=50)
    assert prepared(elsewhere).inputs[:, 0] == pytest.approx((elsewhere.inputs[:, 0] - mean) / deviation, rel=1e-4)


def test_each_source_by_its_own_rows_and_the_target_by_its_unlabelled_ones() -> None:
    target = replace(rows(90, seed=2, shift=50), domains=np.full(90, "west"), targets=np.full(90, -1))
    prepared = find("source_normalised").fit_row_transform(RECIPE_OF_ANY, RAISED, target)
    for examples in (RAISED.domain("north"), RAISED.domain("south"), target):
        said = prepared(examples).inputs[:, :3]
        assert said.mean(axis=0) == pytest.approx(0, abs=1e-4)
        assert said.std(axis=0) == pytest.approx(1, abs=1e-4)
    # Rows of a known source do not move it: it was fitted in training.
    again = find("source_normalised").fit_row_transform(RECIPE_OF_ANY, RAISED, rows(90, seed=2, shift=50))
    assert (again(RAISED).inputs == prepared(RAISED).inputs).all()
    # A source that nobody has seen, or with too few rows, goes by all training rows.
    few = target.take(np.arange(10))
    alone = fit_normalisation(RAISED, "source").with_groups_of(few)
    assert (alone(few).inputs == fit_normalisation(RAISED, "nothing")(few).inputs).all()


def test_seasons_are_calendar_months_and_both_are_both() -> None:
    seasonal = TRAINING.inputs + np.where(MONTHS[0] == MONTHS, 5, 0)[:, None].astype(np.float32)
    examples = table(inputs=seasonal)
    said = find("season_normalised").fit_row_transform(RECIPE_OF_ANY, examples)(examples)
    next_year = replace(examples, times=MONTHS + np.timedelta64(365, "D"))
    assert (find("season_normalised").fit_row_transform(RECIPE_OF_ANY, examples)(next_year).inputs == said.inputs).all()
    for month in np.unique(MONTHS):
        assert said.inputs[month == MONTHS, :3].mean(axis=0) == pytest.approx(0, abs=1e-5)
    both = find("source_and_season_normalised").fit_row_transform(RECIPE_OF_ANY, examples)(examples)
    for month in np.unique(MONTHS):
        for domain in ("north", "south"):
            taken = (month == MONTHS) & (examples.domains == domain)
            assert both.inputs[taken, :3].mean(axis=0) == pytest.approx(0, abs=1e-5)
    timeless = replace(examples, times=np.full(300, "NaT", dtype="datetime64[us]"))
    with pytest.raises(BadInput, match="rows without a time"):
        find("season_normalised").apply(RECIPE_OF_ANY, timeless)


def test_images_are_standardised_by_channel() -> None:
    pixels = replace(TRAINING, inputs=RAISED.inputs[:, :4].reshape(300, 2, 2, 1), tokens=())
    said = find("source_normalised").fit_row_transform(RECIPE_OF_ANY, pixels)(pixels).inputs
    for domain in ("north", "south"):
        values = said[TRAINING.domains == domain]
        assert values.mean() == pytest.approx(0, abs=1e-4)
        assert values.std() == pytest.approx(1, abs=1e-4)
