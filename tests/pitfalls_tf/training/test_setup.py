"""Setups: data that a manifest can hold, names that are checked before anything is loaded."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from pitfalls_tf.architectures.mlp import Mlp
from pitfalls_tf.architectures.optimiser import Optimiser
from pitfalls_tf.fitting.recipe import CrossEntropy
from pitfalls_tf.rows.folds import Folds
from pitfalls_tf.sources.table import TableFile
from pitfalls_tf.training.run_folder import as_written
from pitfalls_tf.training.setup import (
    EPOCHS,
    FLIGHTS,
    NETWORKS,
    QUICK_EPOCHS,
    SETUPS,
    SOURCES,
    HeldOut,
    Setup,
    read,
    recipe,
)

OWN = TableFile(path=Path("rows.parquet"), label="outcome", time="when", categories=("kind",))

setups = st.builds(
    Setup,
    source=st.sampled_from(SOURCES[:3]),
    architecture=st.none() | st.sampled_from(["mlp", "lenet"]),
    remedy=st.none() | st.sampled_from(["focal", "dropout+adamw"]),
    held_out=st.builds(
        HeldOut,
        split=st.none() | st.sampled_from(["random", "blocked", "time", "domain", "folds"]),
        at=st.none() | st.just("2013-04-01"),
        domains=st.lists(st.text(max_size=3), max_size=2).map(tuple),
        folds=st.none() | st.builds(Folds, count=st.integers(2, 9), block_days=st.integers(1, 9), seed=st.integers(0)),
    ),
    epochs=st.none() | st.integers(1, 100),
    batch=st.none() | st.integers(1, 4096),
    learning_rate=st.none() | st.floats(1e-6, 1.0),
    stopping=st.none() | st.integers(1, 9),
    dropout=st.none() | st.floats(0, 0.9),
    weight_decay=st.none() | st.floats(0, 0.1),
    period=st.none() | st.just(FLIGHTS.period),
)


@given(setup=setups | st.just(FLIGHTS) | st.just(Setup(source="table", table=OWN)))
def test_a_setup_is_read_back_from_its_manifest(setup: Setup) -> None:
    assert read(as_written(setup.document())) == setup


def test_a_manifest_written_before_a_field_existed_is_read() -> None:
    setup = Setup(source="rodents", remedy="focal", held_out=HeldOut(split="time"))
    document = as_written(setup.document())
    for name in ("dropout", "weight_decay", "period", "known_as"):
        del document[name]
    del document["held_out"]["folds"]
    assert read(document) == setup


def test_a_manifest_of_a_training_that_is_gone_says_what_to_do() -> None:
    document = {"name": "flights", "source": "flights", "network": {}, "optimisation": {}, "folds": {}}
    with pytest.raises(BadInput, match=r"earlier version.*Train it again: pitfalls train flights"):
        read(document)
    with pytest.raises(BadInput, match="setup cannot be read"):
        read({"name": "flights", "source": "flights"})
    with pytest.raises(BadInput, match="setup cannot be read"):
        read(as_written(replace(FLIGHTS, known_as=None).document()) | {"colour": "red"})


def test_names_are_checked_before_anything_is_loaded() -> None:
    with pytest.raises(BadInput, match=r"No such network.*Did you mean mlp"):
        _ = Setup(source="flights", architecture="mlpp").network
    with pytest.raises(BadInput, match="another kind"):
        _ = Setup(source="rodents", architecture="lenet").network
    with pytest.raises(BadInput, match=r"No such remedy.*Did you mean focal"):
        Setup(source="rodents", remedy="focl").find_remedy()


@pytest.mark.parametrize("rate", [-0.1, 0.0, float("nan"), float("inf")])
def test_a_learning_rate_must_be_a_finite_number_above_0(rate: float) -> None:
    with pytest.raises(BadInput, match=r"learning rate must be a finite number above 0.*own 0\.001"):
        _ = Setup(source="rodents", learning_rate=rate).recipe


def test_what_a_setup_leaves_open_is_the_networks_own() -> None:
    plain = Setup(source="rodents").recipe
    assert plain.architecture == Mlp()
    assert plain.optimiser == Mlp().optimiser
    changed = Setup(source="rodents", dropout=0.3, weight_decay=0.1, learning_rate=0.2, epochs=3, batch=7).recipe
    assert changed.architecture == Mlp(dropout=0.3)
    assert changed.optimiser == replace(Mlp().optimiser, weight_decay=0.1, learning_rate=0.2)
    assert (changed.epochs, changed.batch) == (3, 7)


def test_the_demos_flights_are_the_tuned_network_in_five_folds() -> None:
    setup = SETUPS["flights"]
    assert setup.name == "flights"
    assert setup.recipe.architecture == Mlp(hidden=(64, 32), dropout=0.5)
    assert setup.recipe.optimiser == Optimiser(kind="adamw", learning_rate=2e-3, weight_decay=1e-2)
    assert (setup.recipe.epochs, setup.recipe.batch) == (4, 256)
    assert asdict(setup.held_out)["folds"] == {"count": 5, "block_days": 3, "seed": 2013}


@pytest.mark.parametrize(
    ("setup", "name"),
    [
        (Setup(source="flights"), "flights"),
        (Setup(source="flights", held_out=HeldOut(split="folds")), "flights-folds"),
        (Setup(source="rodents", architecture="mlp", remedy="focal+adamw"), "rodents-mlp-focal+adamw"),
        (Setup(source="table", table=OWN), "rows"),
    ],
)
def test_a_setup_is_named_after_what_was_chosen(setup: Setup, name: str) -> None:
    assert setup.name == name


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
