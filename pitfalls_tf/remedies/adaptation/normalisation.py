"""Adaptation of normalisation layers: AdaBN replaces their statistics, TENT also their scales and shifts.

Both work on a copy of each fitted network without dropout, whose batch normalisation has momentum 0: one pass in
training mode over target rows sets its statistics to those of the rows, layer after layer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from monitoring.errors import BadInput
from pitfalls_tf.fitting.program import NORMALISATION_LAYERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pitfalls_tf.fitting.fits import Fits, Member
    from pitfalls_tf.rows.examples import Examples

ROWS = 2_048  # whose statistics are taken: all their activations are in memory at once


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaBn:
    """Replaces the statistics of every batch normalisation by the target's; no weight changes.

    Li et al., *Revisiting Batch Normalization* (ICLR 2017), with at most `rows` target rows, evenly spaced.
    """

    rows: int = ROWS

    def __call__(self, fits: Fits, training: Examples, target: Examples | None) -> Fits:
        """The same seeds."""
        del training
        inputs = _inputs(target)[:: _stride(target, self.rows)]
        network = AdaptedNetwork(fits, needs_statistics=True)
        return fits.map_members(lambda member: network.with_statistics(member, inputs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tent:
    """Minimises the entropy of predictions on target rows over scales and shifts of normalisation layers.

    Wang et al., *Tent: Fully Test-Time Adaptation by Entropy Minimization* (ICLR 2021): Adam at 1e-3 on batches of 64
    or more, one pass. Batch statistics are the target's throughout, and the ones kept are those of at most `rows` rows.
    """

    batch: int = 64
    epochs: int = 1
    learning_rate: float = 1e-3
    rows: int = ROWS

    def __call__(self, fits: Fits, training: Examples, target: Examples | None) -> Fits:
        """The same seeds."""
        del training
        inputs = _inputs(target)
        if len(inputs) < self.batch:
            raise BadInput(
                "There are fewer target rows than a batch takes.",
                got=f"{len(inputs)} rows, batches of {self.batch}",
                expected="at least one full batch",
                fix="Lower the batch, or pass more rows.",
            )
        copy = AdaptedNetwork(fits, needs_statistics=False)
        some = inputs[:: _stride(target, self.rows)]

        @tf.function  # type: ignore[untyped-decorator] # TensorFlow has no types
        def slopes(rows: Any) -> Any:
            with tf.GradientTape() as tape:
                logs = tf.nn.log_softmax(copy.network(rows, training=True)["logits"])
                entropy = -tf.reduce_mean(tf.reduce_sum(tf.exp(logs) * logs, axis=1))
            return tape.gradient(entropy, copy.affine)

        def adapted(member: Member) -> Member:
            copy.hold(member)
            optimiser = keras.optimizers.Adam(self.learning_rate)
            random = np.random.default_rng([member.seed, 5])
            for _ in range(self.epochs):
                order = random.permutation(len(inputs))
                for start in range(0, len(order) - self.batch + 1, self.batch):
                    rows = order[start : start + self.batch]
                    optimiser.apply(slopes(tf.constant(inputs[rows])), copy.affine)
            weights = tuple(variable.numpy() for variable in copy.network.trainable_variables)
            return copy.with_statistics(replace(member, weights=weights), some)

        return fits.map_members(adapted)


class AdaptedNetwork:
    """A network that holds one member after the other, without dropout and with batch statistics only."""

    def __init__(self, fits: Fits, *, needs_statistics: bool) -> None:
        self.network: keras.Model = fits.model(fits.seeds[0])
        layers = list(self.network._flatten_layers())  # noqa: SLF001 - the only access to inner layers
        norms = [layer for layer in layers if isinstance(layer, NORMALISATION_LAYERS)]
        batches = [layer for layer in norms if isinstance(layer, keras.layers.BatchNormalization)]
        if not norms or (needs_statistics and not batches):
            raise BadInput(
                "There is no normalisation to adapt.",
                got=f"a network of {type(fits.recipe.architecture).__name__} without it",
                expected="batch normalisation" if needs_statistics else "layers of normalisation",
                fix='Choose an architecture with norm="batch".',
            )
        for layer in layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0.0
        for layer in batches:
            layer.momentum = 0.0
        self.affine = [variable for layer in norms for variable in layer.trainable_variables]
        statistics = {id(variable) for layer in batches for variable in (layer.moving_mean, layer.moving_variance)}
        self._statistical = [id(variable) in statistics for variable in self.network.non_trainable_variables]

    def hold(self, member: Member) -> None:
        """Set the weights and state to those of a member."""
        for variable, value in zip(self.network.trainable_variables, member.weights, strict=True):
            variable.assign(value)
        for variable, value in zip(self.network.non_trainable_variables, member.state, strict=True):
            variable.assign(value)

    def with_statistics(self, member: Member, inputs: NDArray[np.float32]) -> Member:
        """The member with the statistics of these rows in every batch normalisation."""
        self.hold(member)
        self.network(inputs, training=True)
        state = tuple(
            variable.numpy() if statistical else held
            for variable, statistical, held in zip(
                self.network.non_trainable_variables, self._statistical, member.state, strict=True
            )
        )
        return replace(member, state=state)


def _inputs(target: Examples | None) -> NDArray[np.float32]:
    if target is None or not len(target):
        raise BadInput(
            "Adapting normalisation needs a target.", got="no rows", expected="unlabelled rows", fix="Pass target=."
        )
    return target.inputs


def _stride(target: Examples | None, rows: int) -> int:
    return 1 if target is None else max(-(-len(target) // rows), 1)
