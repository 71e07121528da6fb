"""Whose embeddings are brought together: training rows and target rows, or the source domains among themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

if TYPE_CHECKING:
    from pitfalls_tf.fitting.recipe import Outputs

    Tensor = Any  # a tf.Tensor; TensorFlow has no types


def populations(source: Outputs, target: Outputs | None, domains: int) -> tuple[Tensor, Tensor]:
    """Embeddings float32 [n, width] and one-hot membership float32 [n, populations].

    With `domains` 0, two populations: all training rows of the batch and all target rows. Otherwise the source domains
    0 to `domains` - 1, of which a batch may lack some.
    """
    if domains:
        return source.embedding, tf.one_hot(source.domains, domains)
    assert target is not None  # noqa: S101 - `fit` asked for it, since the penalty needs it
    place = tf.concat([tf.zeros_like(source.domains), tf.ones_like(target.domains)], axis=0)
    return tf.concat([source.embedding, target.embedding], axis=0), tf.one_hot(place, 2)


def mean_over_pairs(distances: Tensor, counts: Tensor, *, fewest: float = 1.0) -> Tensor:
    """The mean of distances [p, p] over pairs of populations that both have at least `fewest` rows; 0 without any."""
    there = tf.cast(counts >= fewest, tf.float32)
    pairs = there[:, None] * there[None, :] * (1 - tf.eye(tf.size(counts)))
    return tf.math.divide_no_nan(tf.reduce_sum(tf.where(pairs > 0, distances, 0.0)), tf.reduce_sum(pairs))
