"""Rows that a tiny network can learn from, and a recipe that learns them in a second."""

from __future__ import annotations

import numpy as np

from pitfalls_tf.architectures.mlp import Mlp
from pitfalls_tf.architectures.optimiser import Optimiser
from pitfalls_tf.fitting.recipe import Recipe
from pitfalls_tf.rows.examples import Examples


class Traced(Mlp):
    """A perceptron without XLA, which takes longer to compile it than TensorFlow to run these tests."""

    __slots__ = ()

    @property
    def uses_xla(self) -> bool:
        return False


RECIPE = Recipe(
    architecture=Traced(hidden=(8, 4), dropout=0.2, norm="batch"),
    epochs=3,
    batch=32,
    optimiser=Optimiser(learning_rate=0.01, weight_decay=0.01),
)


def rows(count: int, *, seed: int, shift: float = 0.0) -> Examples:
    """Two classes told apart by two of six inputs, two domains, every tenth label unknown."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(count, 6)).astype(np.float32)
    targets = (inputs[:, 0] - inputs[:, 1] + rng.normal(0, 0.5, count) > 0).astype(np.int64)
    targets[::10] = -1
    return Examples(
        inputs=inputs + np.float32(shift),
        targets=targets,
        domains=np.where(np.arange(count) % 3 == 0, "north", "south"),
        times=np.arange(count).astype("datetime64[us]"),
        classes=("no", "yes"),
        tokens=(1, 1, 1, 3),
    )
