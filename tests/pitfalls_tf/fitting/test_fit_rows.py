"""Rows of a fit: what a recipe cannot be fitted on is refused before anything is compiled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.fitting.fit_rows import FitRows
from pitfalls_tf.fitting.recipe import EarlyStopping, Recipe
from tests.pitfalls_tf.fitting.made_up_remedies import Gap
from tests.pitfalls_tf.small_examples import RECIPE, rows

TRAINING, VALIDATION, TARGET = rows(300, seed=1), rows(100, seed=2), rows(90, seed=3)
UNKNOWN = replace(VALIDATION, targets=np.full(100, -1))
NARROW = replace(VALIDATION, inputs=VALIDATION.inputs[:, :5])
ADAPTING, STOPPING = replace(RECIPE, penalties=(Gap(),)), replace(RECIPE, stopping=EarlyStopping(patience=1))


@pytest.mark.parametrize(
    ("recipe", "given", "words"),
    [
        (RECIPE, FitRows(training=replace(TRAINING, targets=np.full(300, -1))), "two classes.*labels: none"),
        (RECIPE, FitRows(training=replace(TRAINING, targets=np.ones(300, dtype=np.int64))), "only 'yes'"),
        (replace(RECIPE, batch=271), FitRows(training=TRAINING), "270 rows with a label, batches of 271"),
        (ADAPTING, FitRows(training=TRAINING, validation=VALIDATION), "no target rows"),
        (STOPPING, FitRows(training=TRAINING), "Early stopping needs validation rows"),
        (STOPPING, FitRows(training=TRAINING, validation=UNKNOWN), "Early stopping needs validation rows"),
        (RECIPE, FitRows(training=TRAINING, validation=NARROW), "validation rows have another shape"),
        (RECIPE, FitRows(training=TRAINING, target=NARROW), "target rows have another shape"),
    ],
)
def test_rows_that_a_recipe_cannot_be_fitted_on_are_refused(recipe: Recipe, given: FitRows, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        given.check(recipe)


@pytest.mark.parametrize(
    ("recipe", "given"),
    [
        (replace(RECIPE, batch=270), FitRows(training=TRAINING)),
        (ADAPTING, FitRows(training=TRAINING, target=replace(TARGET, targets=np.full(90, -1)))),
        (STOPPING, FitRows(training=TRAINING, validation=VALIDATION)),
    ],
)
def test_rows_that_it_can_be_fitted_on_pass(recipe: Recipe, given: FitRows) -> None:
    given.check(recipe)
