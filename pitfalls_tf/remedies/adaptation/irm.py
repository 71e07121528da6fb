"""Invariant risk minimisation: a penalty unless one classifier is optimal in every domain.

Source: Arjovsky et al., *Invariant Risk Minimization* (2019), in its practical form IRMv1.
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
class Irm:
    """weight x the squared gradient of a domain's cross-entropy by a factor on the logits, at 1, averaged over domains.

    That gradient is mean(sum over classes of (p - y) x logit), so none has to be taken twice. Before the share
    `annealed` of the fit has passed the weight is 1, as in the authors' code, so that there is a representation first.
    `domains` is the number of source domains.
    """

    domains: int
    weight: float = 100.0
    annealed: float = 0.2

    @property
    def needs_target(self) -> bool:
        """False: it needs labelled domains only."""
        return False

    def head(self, shape: Shape, width: int) -> keras.Model | None:
        """None: there is no head."""
        del shape, width
        return None

    def __call__(
        self, source: Outputs, target: Outputs | None, *, head: keras.Model | None, progress: Tensor
    ) -> Tensor:
        """A scalar; rows without a label do not count."""
        import tensorflow as tf  # noqa: PLC0415 - a recipe is read without it

        del target, head
        known = tf.reduce_sum(source.truths, axis=1, keepdims=True)
        slopes = tf.reduce_sum((tf.nn.softmax(source.logits) * known - source.truths) * source.logits, axis=1)
        member = tf.one_hot(source.domains, self.domains) * known
        counts = tf.reduce_sum(member, axis=0)
        means = tf.math.divide_no_nan(tf.linalg.matvec(member, slopes, transpose_a=True), counts)
        there = tf.reduce_sum(tf.cast(counts > 0, tf.float32))
        weight = tf.where(progress < self.annealed, 1.0, self.weight)
        return weight * tf.math.divide_no_nan(tf.reduce_sum(means**2), there)
