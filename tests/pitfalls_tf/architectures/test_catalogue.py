"""Every family of the catalogue: named outputs, sizes that scale, options, and that it learns in the ensemble."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pitfalls_tf.architectures.dropout import with_keras_dropout
from pitfalls_tf.architectures.ft_transformer import FtTransformer
from pitfalls_tf.fitting.ensemble import fit
from pitfalls_tf.fitting.recipe import Recipe
from pitfalls_tf.rows.examples import Examples
from tests.pitfalls_tf.architectures.families import FAMILIES, SHAPES

if TYPE_CHECKING:
    from pitfalls_tf.architectures.blocks import Norm


@pytest.mark.parametrize("name", FAMILIES)
def test_a_network_answers_with_logits_and_an_embedding_by_layers_of_keras(name: str, rng: np.random.Generator) -> None:
    shape = SHAPES[name]
    model = with_keras_dropout(FAMILIES[name].build(shape))
    outputs = model(rng.normal(size=(4, *shape.inputs)).astype(np.float32))
    assert set(outputs) == {"logits", "embedding"}
    assert outputs["logits"].shape == (4, shape.classes)
    assert outputs["embedding"].shape[0] == 4
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)


@pytest.mark.parametrize("name", FAMILIES)
def test_widths_and_depths_scale(name: str) -> None:
    family, shape = FAMILIES[name], SHAPES[name]
    sizes = [family.scaled(width=width).build(shape).count_params() for width in (0.25, 1, 4)]
    assert sizes[0] < sizes[1] < sizes[2]
    assert family.scaled(depth=2).build(shape).count_params() > sizes[1]
    assert family.scaled() == family
    assert family.scaled(width=1e-6, depth=1e-6).build(shape).count_params() > 0


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if not isinstance(family, FtTransformer)])
def test_norm_and_dropout_are_options(name: str) -> None:
    """Of all but the FT-Transformer, whose norms are part of it."""
    norms: tuple[Norm, ...] = ("none", "batch", "layer")
    networks = [replace(FAMILIES[name], norm=norm, dropout=0.5).build(SHAPES[name]) for norm in norms]  # type: ignore[arg-type] # see above
    kinds = [{type(layer).__name__ for layer in network.layers} for network in networks]
    found = [one & {"BatchNormalization", "LayerNormalization"} for one in kinds]
    assert found == [set(), {"BatchNormalization"}, {"LayerNormalization"}]
    assert all("Dropout" in one for one in kinds)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_learns_in_the_ensemble(name: str, rng: np.random.Generator) -> None:
    """Two seeds of a recipe with the family's own optimiser, alone and together: the same bits, and a falling loss."""
    family, shape = FAMILIES[name], SHAPES[name]
    targets = rng.integers(0, shape.classes, 256)
    inputs = rng.normal(0, 0.3, size=(256, *shape.inputs)).astype(np.float32)
    # Of tables, two columns depend on the class; of images, the brightness of a row.
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
