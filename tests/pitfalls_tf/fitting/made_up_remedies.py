"""One small remedy of each kind, whose effect is easy to see."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pitfalls_tf.fitting.fits import Fits
    from pitfalls_tf.fitting.recipe import Batch, Outputs
    from pitfalls_tf.rows.examples import Examples, Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A penalty with a head: squared distance of mean embeddings, behind a dense layer."""

    needs_target: bool = True

    def head(self, shape: Shape, width: int) -> Any:
        import keras

        return keras.Sequential([keras.Input((width,)), keras.layers.Dense(2)])

    def __call__(self, source: Outputs, target: Outputs | None, *, head: Any, progress: Any) -> Any:
        import tensorflow as tf

        assert target is not None
        gap = tf.reduce_mean(head(source.embedding), 0) - tf.reduce_mean(head(target.embedding), 0)
        return progress * tf.reduce_sum(gap**2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Halved:
    """A transform that hides a random half of the inputs."""

    def __call__(self, batch: Batch, seed: Any) -> Batch:
        import tensorflow as tf

        kept = tf.random.stateless_uniform(tf.shape(batch.inputs), seed) < 0.5
        return replace(batch, inputs=tf.where(kept, batch.inputs, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """A weighting that counts every second batch alone."""

    def initial(self, shape: Shape) -> Any:
        return np.zeros(())

    def __call__(self, batch: Batch, losses: Any, logits: Any, memory: Any) -> tuple[Any, Any]:
        import tensorflow as tf

        return tf.ones_like(losses) * memory, 1 - memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Zeroed:
    """A step after the fit that sets all weights to zero."""

    def __call__(self, fits: Fits, training: Examples, target: Examples | None) -> Fits:
        return fits.map_members(lambda member: replace(member, weights=tuple(0 * one for one in member.weights)))
