"""The residual perceptron: each block adds to its input."""

from __future__ import annotations

import numpy as np
import pytest

from pitfalls_tf.architectures.tabular_resnet import TabularResNet
from tests.pitfalls_tf.architectures.families import TABLE


def test_a_block_that_gives_nothing_changes_nothing(rng: np.random.Generator) -> None:
    network = TabularResNet(blocks=3, units=8, norm="none").build(TABLE)
    for block in range(3):
        narrow = network.get_layer(f"narrow_{block}")
        narrow.kernel.assign(np.zeros(narrow.kernel.shape, dtype=np.float32))
    rows = rng.normal(size=(5, 6)).astype(np.float32)
    first = network.get_layer("first")(rows).numpy()
    assert network(rows)["embedding"].numpy() == pytest.approx(np.maximum(first, 0), abs=1e-6)


def test_hidden_layers_are_wider_by_their_factor() -> None:
    network = TabularResNet(blocks=1, units=8, hidden=2.5).build(TABLE)
    assert network.get_layer("wide_0").units == 20
    assert network.get_layer("narrow_0").units == 8
