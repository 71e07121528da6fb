"""The conventional recipe of each source: what a remedy is compared with has no remedy in it."""

from __future__ import annotations

import pytest

from pitfalls_tf.architectures.mlp import Mlp
from pitfalls_tf.fitting.recipe import CrossEntropy
from pitfalls_tf.training.conventional import EPOCHS, NETWORKS, QUICK_EPOCHS, recipe


@pytest.mark.parametrize("source", NETWORKS)
def test_a_conventional_recipe_has_no_remedy_in_it(source: str) -> None:
    found = recipe(source)
    assert found.optimiser == NETWORKS[source].optimiser
    assert found.loss == CrossEntropy()
    assert not (*found.penalties, *found.transforms, *found.post_fit)
    assert found.weighting is None
    assert found.stopping is None
    assert found.trained == "all"
    assert found.epochs == EPOCHS[source]


@pytest.mark.parametrize("source", NETWORKS)
def test_a_quick_recipe_differs_in_its_epochs_alone(source: str) -> None:
    quick, full = recipe(source, quick=True), recipe(source)
    assert quick.epochs == QUICK_EPOCHS[source] < full.epochs
    assert (quick.architecture, quick.batch, quick.optimiser) == (full.architecture, full.batch, full.optimiser)


def test_another_network_brings_its_own_optimiser() -> None:
    wide = Mlp(hidden=(256,))
    assert recipe("flights", network=wide).architecture == wide
    assert recipe("flights", network=wide).optimiser == wide.optimiser
