"""Remedies joined by `+`: each must have an effect."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitoring.errors import BadInput
from pitfalls_tf.fitting.fit_rows import FitRows
from pitfalls_tf.remedies.remedy import RemedyContext
from pitfalls_tf.training.combination import check_combination, recipe_with_remedy
from pitfalls_tf.training.setup import Setup
from tests.pitfalls_tf.small_examples import RECIPE, rows

TRAINING, TARGET = rows(90, seed=1), rows(40, seed=2)
BARE = replace(RECIPE, architecture=replace(RECIPE.architecture, norm="none", dropout=0.0))  # type: ignore[type-var] # a dataclass
PLAIN = RemedyContext(recipe=BARE, training=TRAINING, target=TARGET)


@pytest.mark.parametrize(
    ("undone", "names"),
    [
        ("batch_norm", "batch_norm+layer_norm"),
        ("focal", "focal+dropout+generalised_cross_entropy"),
        ("gradient_clipping", "gradient_clipping+gradient_clipping"),
    ],
)
def test_a_remedy_that_another_undoes_is_refused(undone: str, names: str) -> None:
    with pytest.raises(BadInput, match=f"{undone} has no effect"):
        check_combination(names, PLAIN)


@pytest.mark.parametrize("names", ["focal", "dropout+gradient_clipping", "standardised+focal", "seed_ensembling+focal"])
def test_remedies_that_all_have_an_effect_pass(names: str) -> None:
    check_combination(names, PLAIN)


def test_a_setups_remedy_changes_its_recipe_for_the_rows_of_a_fit() -> None:
    setup = Setup(source="rodents")
    given = FitRows(training=TRAINING, target=TARGET)
    assert recipe_with_remedy(setup, given) == setup.recipe
    aligned = recipe_with_remedy(replace(setup, remedy="coral_between_sources+dropout"), given)
    assert len(aligned.penalties) == 1
    assert aligned.architecture == replace(setup.recipe.architecture, dropout=0.5)  # type: ignore[type-var] # a dataclass
    with pytest.raises(BadInput, match="no target rows"):
        recipe_with_remedy(replace(setup, remedy="coral"), FitRows(training=TRAINING))
