"""The catalogue: every remedy by name, with its source, and none for a context that does not allow it."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from monitoring.errors import BadInput
from pitfalls_tf.remedies.catalogue import REMEDIES, allowed, family, find
from pitfalls_tf.remedies.remedy import Family, RemedyContext
from tests.pitfalls_tf.small_examples import RECIPE, Traced, rows

TRAINING, TARGET = rows(200, seed=1), rows(60, seed=2)
BARE = replace(RECIPE, architecture=Traced(hidden=(8, 4)))


def test_what_is_unknown_is_answered_with_the_nearest() -> None:
    with pytest.raises(BadInput, match="Did you mean gradient_clipping"):
        find("gradient_cliping")
    with pytest.raises(BadInput, match="No such remedy"):
        find("dropout+")


def test_every_remedy_has_a_name_of_its_own_and_cites_its_source() -> None:
    for name, remedy in REMEDIES.items():
        assert remedy.name == name
        assert "+" not in name
        assert any(str(year) in remedy.source for year in range(1990, 2027)) or "as for" in remedy.source


def test_families_divide_the_catalogue() -> None:
    names = [remedy.name for one in get_args(Family) for remedy in family(one)]
    assert sorted(names) == sorted(REMEDIES)
    assert all(family(one) for one in get_args(Family))


def test_joined_names_are_applied_in_order() -> None:
    both = find("gradient_clipping+dropout")
    assert both.name == "gradient_clipping+dropout"
    one_by_one = find("dropout").apply(find("gradient_clipping").apply(BARE, TRAINING), TRAINING)
    assert both.apply(BARE, TRAINING) == one_by_one


def test_only_remedies_that_can_be_applied_are_allowed() -> None:
    alone = {one.name for one in allowed(RemedyContext(recipe=BARE, training=TRAINING.domain("north")))}
    assert {"gradient_clipping", "focal", "loss_curated", "seed_ensembling", "width_2"} <= alone
    assert not alone & {"domain_balanced", "irm", "coral", "adabn", "tent"}
    adapting = {one.name for one in allowed(RemedyContext(recipe=BARE, training=TRAINING, target=TARGET))}
    assert {"domain_balanced", "irm", "coral", "fine_tuning"} <= adapting
    assert not adapting & {"adabn", "tent"}, "the network has no normalisation"
