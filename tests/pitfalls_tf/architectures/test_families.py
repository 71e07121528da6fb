"""Every family: named outputs, weights from the seed alone, sizes that scale, a model of plain layers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.architectures.blocks import Norm
from pitfalls_tf.architectures.catalogue import IMAGE_NETWORKS, TABLE_NETWORKS
from pitfalls_tf.architectures.ft_transformer import FtTransformer
from pitfalls_tf.rows.examples import Shape

TABLE = Shape(inputs=(6,), tokens=(1, 1, 1, 3), classes=3, domains=2)
IMAGE = Shape(inputs=(28, 28, 1), tokens=(), classes=10, domains=3)
FAMILIES = {**dict.fromkeys(TABLE_NETWORKS, TABLE), **dict.fromkeys(IMAGE_NETWORKS, IMAGE)}


@pytest.mark.parametrize("name", FAMILIES)
def test_weights_follow_from_the_seed_and_the_model_from_the_weights(name: str, rng: np.random.Generator) -> None:
    import keras

    from pitfalls_tf.architectures.dropout import with_keras_dropout
    from pitfalls_tf.architectures.initial_state import initial_state, network_with

    family, shape = {**TABLE_NETWORKS, **IMAGE_NETWORKS}[name], FAMILIES[name]
    network = family.build(shape)
    one, again, other = (initial_state([network], seed)[0] for seed in (0, 0, 1))
    assert all((left == right).all() for left, right in zip(one, again, strict=True))
    drawn = [
        variable.name
        for variable, left, right in zip(network.trainable_variables, one, other, strict=True)
        if (left != right).any()
    ]
    assert set(drawn) == {"kernel"}
    assert len(drawn) == sum(variable.name == "kernel" for variable in network.trainable_variables)
    for variable, left in zip(network.trainable_variables, one, strict=True):
        if variable.name == "kernel" and variable.shape[-1] > 1:
            assert 0.3 < np.std(left) / np.std(variable.numpy()) < 3

    weights, state = initial_state([network], 5)
    model = with_keras_dropout(network_with(network, weights, state))
    said = model(rng.normal(size=(4, *shape.inputs)).astype(np.float32))
    assert said["logits"].shape == (4, shape.classes)
    assert said["embedding"].shape[0] == 4
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    assert isinstance(keras.models.model_from_json(model.to_json()), keras.Model)


@pytest.mark.parametrize("name", FAMILIES)
def test_widths_and_depths_scale(name: str) -> None:
    family, shape = {**TABLE_NETWORKS, **IMAGE_NETWORKS}[name], FAMILIES[name]
    sizes = [family.scaled(width=width).build(shape).count_params() for width in (0.25, 1, 4)]
    assert sizes[0] < sizes[1] < sizes[2]
    assert family.scaled(depth=2).build(shape).count_params() > sizes[1]
    assert family.scaled() == family


def test_options_are_heeded_and_rows_that_do_not_fit_refused() -> None:
    for name, family in {**TABLE_NETWORKS, **IMAGE_NETWORKS}.items():
        if isinstance(family, FtTransformer):  # whose norms are part of it
            continue
        norms: tuple[Norm, ...] = ("none", "batch", "layer")
        networks = [replace(family, norm=norm, dropout=0.5).build(FAMILIES[name]) for norm in norms]
        names = [{type(layer).__name__ for layer in network.layers} for network in networks]
        found = [kinds & {"BatchNormalization", "LayerNormalization"} for kinds in names]
        assert found == [set(), {"BatchNormalization"}, {"LayerNormalization"}]
        assert all("Dropout" in kinds for kinds in names)
    with pytest.raises(BadInput, match="made for images"):
        IMAGE_NETWORKS["lenet"].build(TABLE)
    with pytest.raises(BadInput, match="which columns are one"):
        TABLE_NETWORKS["ft_transformer"].build(replace(TABLE, tokens=()))


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_learns_in_the_ensemble(name: str, rng: np.random.Generator) -> None:
    """Two seeds of a recipe with the family's own optimiser, alone and together: the same bits, and a falling loss."""
    from pitfalls_tf.fitting.ensemble import fit
    from pitfalls_tf.fitting.recipe import Recipe
    from pitfalls_tf.rows.examples import Examples

    family, shape = {**TABLE_NETWORKS, **IMAGE_NETWORKS}[name], FAMILIES[name]
    targets = rng.integers(0, shape.classes, 256)
    inputs = rng.normal(0, 0.3, size=(256, *shape.inputs)).astype(np.float32)
    # Of tables, two columns tell the class; of images, the brightness of a row.
    if len(shape.inputs) == 1:
        inputs[:, :2] += targets[:, None]
    else:
        inputs[np.arange(256), 2 * targets] += 1
    examples = Examples(
        inputs=inputs,
        targets=targets,
        domains=np.full(256, "one"),
        times=np.arange(256).astype("datetime64[us]"),
        classes=tuple(map(str, range(shape.classes))),
        tokens=shape.tokens,
    )
    recipe = Recipe(architecture=family, epochs=4, batch=32, optimiser=family.optimiser)
    fits, alone = fit(recipe, examples, seeds=(0, 1)), fit(recipe, examples, seeds=(1,))
    assert not fits.diverged
    pairs = zip(fits.of_seed(1).members[0].weights, alone.members[0].weights, strict=True)
    assert all((left == right).all() for left, right in pairs)
    assert all(member.epochs[-1].loss < member.epochs[0].loss for member in fits.members)


def test_masks_are_kept_at_their_rate_and_differ_by_seed_step_and_place() -> None:
    import tensorflow as tf

    from pitfalls_tf.architectures.dropout import Dropout, hash_bits

    words = [
        hash_bits(tf.constant(state, tf.uint32), 100_000).numpy().astype(np.float64) / 2**32
        for state in ((1, 0), (1, 1), (2, 0))
    ]
    for uniform in words:
        # Five standard errors of 100,000 uniform numbers, and of the correlation of neighbours.
        assert abs(uniform.mean() - 0.5) < 5 * np.sqrt(1 / 12 / 100_000)
        assert abs(np.corrcoef(uniform[1:], uniform[:-1])[0, 1]) < 5 / np.sqrt(100_000)
        assert np.histogram(uniform, 20, (0, 1))[0] == pytest.approx(5_000, abs=5 * np.sqrt(5_000))
    assert np.abs(np.corrcoef(words) - np.eye(3)).max() < 5 / np.sqrt(100_000)
    layer = Dropout(0.25)
    ones = tf.ones((1000, 20))
    first, second = layer(ones, training=True).numpy(), layer(ones, training=True).numpy()
    assert set(np.unique(first)) == {np.float32(0), np.float32(1 / 0.75)}
    assert (first == 0).mean() == pytest.approx(0.25, abs=5 * np.sqrt(0.25 * 0.75 / 20_000))
    assert (first != second).any()
    assert (layer(ones).numpy() == 1).all()
