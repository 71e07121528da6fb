"""A remedy: applied where it can be, refused in words where it cannot, joined with another in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.remedies.catalogue import find
from pitfalls_tf.remedies.remedy import RemedyContext, normalisation_kinds, unchanged_recipe, unchanged_rows
from tests.pitfalls_tf.small_examples import RECIPE, Traced, rows

if TYPE_CHECKING:
    from pitfalls_tf.rows.examples import Shape

TRAINING, TARGET = rows(200, seed=1), rows(60, seed=2)
PLAIN = replace(RECIPE, architecture=Traced(hidden=(8, 4)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """An architecture with no settings."""

    uses_xla: bool = False

    def build(self, shape: Shape) -> Any:
        return Traced(hidden=(2,)).build(shape)


@pytest.mark.parametrize("name", ["batch_norm", "dropout", "width_2"])
def test_an_architecture_without_the_setting_is_named(name: str) -> None:
    with pytest.raises(BadInput, match=f"{name} cannot be applied to this recipe.*Bare without"):
        find(name).apply(replace(PLAIN, architecture=Bare()), TRAINING)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("domain_balanced", "one domain, north"),
        ("coral", "no target rows"),
        ("adabn", "no normalisation"),
        ("season_normalised", "rows without a time"),
    ],
)
def test_rows_or_a_network_without_what_it_needs_are_named(name: str, words: str) -> None:
    alone = TRAINING.domain("north")
    timeless = replace(alone, times=np.full(len(alone), "NaT", dtype="datetime64[us]"))
    target = TARGET if name == "adabn" else None
    with pytest.raises(BadInput, match=f"{name} cannot be applied to this recipe.*{words}"):
        find(name).apply(PLAIN, timeless, target)


def test_a_remedy_that_changes_nothing_is_refused() -> None:
    clipped = find("gradient_clipping").apply(PLAIN, TRAINING)
    with pytest.raises(BadInput, match="gradient_clipping changes nothing"):
        find("gradient_clipping").apply(clipped, TRAINING)
    assert find("gradient_clipping").refusal(RemedyContext(recipe=PLAIN, training=TRAINING)) is None


def test_joined_remedies_change_recipe_rows_and_seeds_one_after_the_other() -> None:
    both = find("standardised+source_normalised")
    change = both.fit_row_transform(PLAIN, TRAINING)
    first = find("standardised").fit_row_transform(PLAIN, TRAINING)
    second = find("source_normalised").fit_row_transform(PLAIN, first(TRAINING))
    assert (change(TARGET).inputs == second(first(TARGET)).inputs).all()
    assert both.change_recipe is unchanged_recipe
    joined = find("seed_ensembling+adabn+dropout")
    assert joined.seeds == 5
    assert joined.needs == ("target", "batch normalisation", "dropout")
    assert joined.row_transform is unchanged_rows


def test_kinds_of_normalisation_are_those_of_the_network() -> None:
    for norm, kinds in (("none", set()), ("batch", {"BatchNormalization"}), ("layer", {"LayerNormalization"})):
        network = Traced(hidden=(4,), norm=norm)  # type: ignore[arg-type] # a literal
        assert normalisation_kinds(network, TRAINING.shape) == kinds
