"""Mixup: rows and labels mixed with those of a partner row of any domain, of the same one, or of another.

Source: Zhang et al., *mixup: Beyond Empirical Risk Minimization* (ICLR 2018); across domains as in Yan et al., *Improve
Unsupervised Domain Adaptation with Mixup Training* (2020), whose rows are labelled here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from scipy.special import betaincinv

from pitfalls_tf.fitting.recipe import Batch

Tensor = Any  # a tf.Tensor; TensorFlow has no types

QUANTILES = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixup:
    """share x row + (1 - share) x partner, with one share a batch from Beta(`alpha`, `alpha`).

    The paper takes alpha from .1 to .4 on ImageNet. `across` gives every row a partner of another domain unless one
    domain has more than half of the batch. A mixed row keeps its own domain. There are no partners without a label, as
    `fit` leaves such rows out.
    """

    alpha: float = 0.2
    partners: Literal["any", "within", "across"] = "any"

    def __call__(self, batch: Batch, seed: Tensor) -> Batch:
        """A batch of the same shapes."""
        import tensorflow as tf  # noqa: PLC0415 - a recipe is read without it

        # Inverse transform by a table: TensorFlow's gamma sampler does not run under XLA.
        position = tf.cast(uniform(seed, 1)[0] * QUANTILES, tf.int32)
        share = tf.gather(tf.constant(beta_quantiles(self.alpha), tf.float32), position)
        partner = partners(batch.domains, seed, self.partners)
        wide = tf.reshape(share, (1,) * len(batch.inputs.shape))
        return replace(
            batch,
            inputs=wide * batch.inputs + (1 - wide) * tf.gather(batch.inputs, partner),
            truths=share * batch.truths + (1 - share) * tf.gather(batch.truths, partner),
        )


@lru_cache(maxsize=8)
def beta_quantiles(alpha: float) -> tuple[float, ...]:
    """Quantiles of Beta(alpha, alpha) at the middles of `QUANTILES` equal shares."""
    middles = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return tuple(betaincinv(alpha, alpha, middles).tolist())


def partners(domains: Tensor, seed: Tensor, kind: Literal["any", "within", "across"]) -> Tensor:
    """A permutation of the batch, int32 [b]: the partner of each row."""
    import tensorflow as tf  # noqa: PLC0415 - as above

    count = tf.size(domains)
    draws = tf.reshape(uniform(seed + tf.constant([1, 0]), 2 * count), (2, count))
    if kind == "any":
        return tf.argsort(draws[0])
    # Rows in order of their domains, at random within each, twice: equal places are of the same domain.
    place = tf.cast(domains, tf.float32)
    draws *= 0.999  # or the sum might round up to the next domain
    first, second = tf.argsort(place + draws[0]), tf.argsort(place + draws[1])
    if kind == "across":
        # Further than the largest domain is long, and not so far as to come round to it again.
        ordered = tf.sort(domains)
        ends, starts = (tf.searchsorted(ordered, ordered, side=side) for side in ("right", "left"))
        largest = tf.reduce_max(ends - starts)
        low, high = tf.minimum(largest, count - largest), tf.maximum(largest, count - largest)
        drawn = uniform(seed + tf.constant([2, 0]), 1)[0] * tf.cast(high - low + 1, tf.float32)
        shift = low + tf.minimum(tf.cast(drawn, tf.int32), high - low)
        second = tf.roll(second, shift, axis=0)
    return tf.scatter_nd(first[:, None], second, [count])


def uniform(seed: Tensor, count: Tensor) -> Tensor:
    """float32 [count] in [0, 1): the same with XLA and without, unlike TensorFlow's stateless generators."""
    import tensorflow as tf  # noqa: PLC0415 - as above

    from pitfalls_tf.architectures.dropout import hash_bits  # noqa: PLC0415 - loads Keras

    bits = hash_bits(tf.cast(seed, tf.uint32), count)
    return tf.cast(tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32)), tf.float32) / 2.0**24
