"""The populations whose embeddings are compared: training and target rows, or the source domains."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from pitfalls_tf.fitting.recipe import Outputs

Tensor = Any  # a tf.Tensor; TensorFlow has no types


def populations(source: Outputs, target: Outputs | None, domains: int) -> tuple[Tensor, Tensor]:
    """Collect the rows of a batch by population.

    Args:
        target: outputs for the target rows; None without a target.
        domains: 0 for two populations, training and target rows; otherwise the number of source domains, each a
            population, some of which may have no rows in the batch.

    Returns:
        Embeddings float32 [n, width] and one-hot membership float32 [n, populations].
    """
    if domains:
        return source.embedding, tf.one_hot(source.domains, domains)
    assert target is not None  # noqa: S101 - `fit` has checked that it is there
    place = tf.concat([tf.zeros_like(source.domains), tf.ones_like(target.domains)], axis=0)
    return tf.concat([source.embedding, target.embedding], axis=0), tf.one_hot(place, 2)


def mean_over_pairs(distances: Tensor, counts: Tensor, *, fewest: float = 1.0) -> Tensor:
    """The mean of distances [p, p] over pairs of populations that both have at least `fewest` rows; 0 without any."""
    there = tf.cast(counts >= fewest, tf.float32)
    pairs = there[:, None] * there[None, :] * (1 - tf.eye(tf.size(counts)))
    return tf.math.divide_no_nan(tf.reduce_sum(tf.where(pairs > 0, distances, 0.0)), tf.reduce_sum(pairs))
