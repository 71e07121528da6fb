"""Deep CORAL: a penalty on different covariances of the embeddings of two domains.

Source: Sun and Saenko, *Deep CORAL: Correlation Alignment for Deep Domain Adaptation* (ECCV workshops 2016). The paper
takes the last layer's outputs; here it is the embedding, whose width does not depend on the number of classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

    from pitfalls_tf.fitting.recipe import Outputs
    from pitfalls_tf.rows.examples import Shape

    Tensor = Any  # a tf.Tensor; TensorFlow has no types


@dataclass(frozen=True, slots=True, kw_only=True)
class Coral:
    """weight x |C - C'|² / (4 width²), squared Frobenius norm, averaged over pairs of domains.

    `domains` 0: between training rows and target rows; otherwise the number of source domains, between each other.
    """

    weight: float = 1.0
    domains: int = 0

    @property
    def needs_target(self) -> bool:
        """Whether the penalty is with a target rather than between source domains."""
        return not self.domains

    def head(self, shape: Shape, width: int) -> keras.Model | None:
        """None: there is no head."""
        del shape, width
        return None

    def __call__(
        self, source: Outputs, target: Outputs | None, *, head: keras.Model | None, progress: Tensor
    ) -> Tensor:
        """A scalar; domains with fewer than two rows in the batch are left out."""
        import tensorflow as tf  # noqa: PLC0415 - a recipe is read without it

        from pitfalls_tf.remedies.adaptation.populations import (  # noqa: PLC0415 - loads TensorFlow
            mean_over_pairs,
            populations,
        )

        del head, progress
        embedding, member = populations(source, target, self.domains)
        counts = tf.reduce_sum(member, axis=0)
        means = tf.math.divide_no_nan(tf.matmul(member, embedding, transpose_a=True), counts[:, None])
        centred = embedding - tf.matmul(member, means)
        # The scatter matrix of each population about its own mean.
        scatter = tf.einsum("np,nw,nv->pwv", member, centred, centred)
        covariances = scatter / tf.maximum(counts - 1, 1.0)[:, None, None]
        width = float(embedding.shape[1])
        gaps = covariances[:, None] - covariances[None, :]
        distances = tf.reduce_sum(gaps**2, axis=(2, 3)) / (4 * width**2)
        return self.weight * mean_over_pairs(distances, counts, fewest=2.0)
