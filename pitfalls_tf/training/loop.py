"""A training loop compiled once and used for every fit of the same network: folds and seeds pay no tracing again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from pitfalls_tf.training.named_setups import Optimisation


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """What one pass over the training rows left behind."""

    number: int  # from 1
    loss: float  # mean training loss over the epoch, dropout on; not finite when the fit diverged

    @property
    def diverged(self) -> bool:
        """Whether the loss stopped being a number: no later epoch can mend it."""
        return not np.isfinite(self.loss)


class Loop:
    """One network and one optimiser, reset at the start of every fit.

    `build` gives a network with fresh weights from a seed, always of the same shape, with an output named "logits".
    """

    def __init__(self, build: Callable[[int], keras.Model], optimisation: Optimisation) -> None:
        self._build = build
        self._settings = optimisation
        self._network = build(0)
        self._optimiser = keras.optimizers.AdamW(
            learning_rate=optimisation.learning_rate, weight_decay=optimisation.weight_decay
        )
        self._optimiser.build(self._network.trainable_variables)
        self._at_rest = [variable.numpy() for variable in self._optimiser.variables]
        self._loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        width = self._network.input_shape[-1]
        rows = tf.TensorSpec([None, width], tf.float32)
        self._run_epoch = tf.function(
            self._epoch, input_signature=[rows, tf.TensorSpec([None], tf.int64), tf.TensorSpec([None, None], tf.int64)]
        )
        self._run_logits = tf.function(
            lambda encoded: self._network(encoded, training=False)["logits"], input_signature=[rows]
        )

    def fit(self, encoded: tf.Tensor, targets: tf.Tensor, rows: NDArray[np.int64], *, seed: int) -> Iterator[Epoch]:
        """Train on `rows` of `encoded` [n, width] and `targets` [n], giving each epoch as it ends; stops once diverged.

        Weights, dropout and the order of rows follow from `seed` alone. A last batch that is not full is left out, each
        epoch with other rows.
        """
        self._reset(seed)
        rng = np.random.default_rng([seed, 1])
        batch = min(self._settings.batch, len(rows))
        steps = len(rows) // batch
        for number in range(1, self._settings.epochs + 1):
            order = rng.permutation(rows)[: steps * batch].reshape(steps, batch)
            epoch = Epoch(number=number, loss=float(self._run_epoch(encoded, targets, tf.constant(order))))
            yield epoch
            if epoch.diverged:
                return

    def logits(self, encoded: tf.Tensor) -> NDArray[np.float32]:
        """Logits [n, classes] of the network as it stands."""
        values: NDArray[np.float32] = self._run_logits(encoded).numpy()
        return values

    def network(self) -> keras.Model:
        """A copy of the network as it stands, independent of later fits."""
        copy = self._build(0)
        copy.set_weights(self._network.get_weights())
        return copy

    def _reset(self, seed: int) -> None:
        fresh = self._build(seed)
        for kept, new in zip(_state(self._network), _state(fresh), strict=True):
            kept.assign(new)
        for variable, value in zip(self._optimiser.variables, self._at_rest, strict=True):
            variable.assign(value)

    def _epoch(self, encoded: tf.Tensor, targets: tf.Tensor, order: tf.Tensor) -> tf.Tensor:
        # One gather for the epoch, then slices: gathering in every step costs a quarter of the step.
        flat = tf.reshape(order, [-1])
        rows, truths = tf.gather(encoded, flat), tf.gather(targets, flat)
        steps, batch = tf.shape(order)[0], tf.shape(order)[1]
        total = tf.constant(0.0)
        for step in tf.range(steps):
            part = slice(step * batch, (step + 1) * batch)
            with tf.GradientTape() as tape:
                loss = self._loss(truths[part], self._network(rows[part], training=True)["logits"])
            weights = self._network.trainable_variables
            self._optimiser.apply(tape.gradient(loss, weights), weights)
            total += loss
        return total / tf.cast(steps, tf.float32)


def _state(network: keras.Model) -> list[keras.Variable]:
    """All that a fit changes: weights, and the states of the dropout seeds."""
    return [*network.trainable_variables, *network.non_trainable_variables]
