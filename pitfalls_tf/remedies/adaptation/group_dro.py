"""Group-robust training: the domain with the largest loss has the largest weight.

Source: Sagawa et al., *Distributionally Robust Neural Networks for Group Shifts* (ICLR 2020, algorithm 1), with domains
as groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pitfalls_tf.fitting.recipe import Batch
    from pitfalls_tf.rows.examples import Shape

    Tensor = Any  # a tf.Tensor; TensorFlow has no types


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDro:
    """Sum over domains of share x mean loss; a share grows by exp(`step` x mean loss) with every batch (step .01)."""

    step: float = 0.01

    def initial(self, shape: Shape) -> Any:
        """Equal shares of the domains."""
        return np.full(shape.domains, 1 / shape.domains)

    def __call__(self, batch: Batch, losses: Tensor, logits: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Weights [b] by the new shares; a domain that the batch lacks has loss 0, as in the authors' code."""
        import tensorflow as tf  # noqa: PLC0415 - a recipe is read without it

        del logits
        member = tf.one_hot(batch.domains, int(memory.shape[0]))
        counts = tf.reduce_sum(member, axis=0)
        means = tf.math.divide_no_nan(tf.linalg.matvec(member, losses, transpose_a=True), counts)
        grown = memory * tf.exp(self.step * means)
        shares = grown / tf.reduce_sum(grown)
        each = tf.math.divide_no_nan(shares, counts) * tf.cast(tf.size(losses), tf.float32)
        return tf.linalg.matvec(member, each), shares
