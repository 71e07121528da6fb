"""Losses other than cross-entropy: each is a `Loss` of `pitfalls_tf.fitting.recipe`.

All take truths float32 [b, classes], one-hot or shares, and logits of the same shape, and give float32 [b]. A row
without a label, whose truths are all zero, has loss 0. Label smoothing is a setting of `recipe.CrossEntropy`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from pitfalls_tf.fitting.recipe import Loss, Recipe
from pitfalls_tf.remedies.remedy import Remedy, RemedyContext

Tensor = Any  # a tf.Tensor; TensorFlow has no types


@dataclass(frozen=True, slots=True, kw_only=True)
class FocalLoss:
    """Cross-entropy that counts easy rows less: -(1 - p)^focus log p (Lin et al., ICCV 2017). 0 is cross-entropy."""

    focus: float = 2.0

    def __call__(self, truths: Tensor, logits: Tensor) -> Tensor:
        """float32 [b]."""
        import tensorflow as tf  # noqa: PLC0415 - a recipe is read without it

        logs = tf.nn.log_softmax(logits)
        # log(1 - p) without a difference, so that neither it nor its gradient vanishes where p rounds to 1.
        others = tf.math.log(-tf.math.expm1(tf.minimum(logs, -1e-7)))
        return -tf.reduce_sum(truths * tf.exp(self.focus * others) * logs, axis=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralisedCrossEntropy:
    """(1 - p^power) / power: cross-entropy as `power` approaches 0, and 1 - p at 1.

    Zhang and Sabuncu, NeurIPS 2018, without their truncation.
    """

    power: float = 0.7

    def __call__(self, truths: Tensor, logits: Tensor) -> Tensor:
        """float32 [b]."""
        import tensorflow as tf  # noqa: PLC0415 - as above

        logs = tf.nn.log_softmax(logits)
        return tf.reduce_sum(truths * -tf.math.expm1(self.power * logs), axis=1) / self.power


@dataclass(frozen=True, slots=True, kw_only=True)
class SymmetricCrossEntropy:
    """Cross-entropy in both directions: forward x CE + reverse x RCE, with log 0 of a truth set to `floor`.

    Wang et al., ICCV 2019; the defaults are the paper's for CIFAR-10.
    """

    forward: float = 0.1
    reverse: float = 1.0
    floor: float = -4.0

    def __call__(self, truths: Tensor, logits: Tensor) -> Tensor:
        """float32 [b]."""
        import tensorflow as tf  # noqa: PLC0415 - as above

        labelled = tf.reduce_sum(truths, axis=1)
        floored = tf.maximum(tf.math.log(tf.maximum(truths, tf.exp(self.floor))), self.floor)
        reverse = -tf.reduce_sum(tf.nn.softmax(logits) * floored, axis=1)
        # Not TensorFlow's own cross-entropy: its gradient assumes that truths sum to 1.
        forward = -tf.reduce_sum(truths * tf.nn.log_softmax(logits), axis=1)
        return self.forward * forward + self.reverse * labelled * reverse


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapLoss:
    """Cross-entropy with the label mixed with the network's own prediction (Reed et al., ICLR workshop 2015).

    `trust` is the label's share: in the paper .95 for the soft form, which mixes in the probabilities, and .8 for the
    hard one, which mixes in the likeliest class.
    """

    trust: float = 0.95
    hard: bool = False

    def __call__(self, truths: Tensor, logits: Tensor) -> Tensor:
        """float32 [b]."""
        import tensorflow as tf  # noqa: PLC0415 - as above

        labelled = tf.reduce_sum(truths, axis=1, keepdims=True)
        prediction = (
            tf.one_hot(tf.argmax(logits, axis=1), logits.shape[1], dtype=logits.dtype)
            if self.hard
            else tf.nn.softmax(logits)
        )
        mixed = self.trust * truths + (1 - self.trust) * labelled * prediction
        return -tf.reduce_sum(mixed * tf.nn.log_softmax(logits), axis=1)


def _remedy(name: str, source: str, loss: Loss) -> Remedy:
    def change(context: RemedyContext) -> Recipe:
        return replace(context.recipe, loss=loss)

    return Remedy(name=name, family="loss", source=source, change_recipe=change)


_REED = "Reed et al., Training deep neural networks on noisy labels with bootstrapping, ICLR workshop 2015"
LOSSES: Final = (
    _remedy("focal", "Lin et al., Focal loss for dense object detection, ICCV 2017", FocalLoss()),
    _remedy(
        "generalised_cross_entropy",
        "Zhang and Sabuncu, Generalized cross entropy loss for training deep neural networks with noisy labels,"
        " NeurIPS 2018",
        GeneralisedCrossEntropy(),
    ),
    _remedy(
        "symmetric_cross_entropy",
        "Wang et al., Symmetric cross entropy for robust learning with noisy labels, ICCV 2019",
        SymmetricCrossEntropy(),
    ),
    _remedy("soft_bootstrapped", _REED, BootstrapLoss()),
    _remedy("hard_bootstrapped", _REED, BootstrapLoss(trust=0.8, hard=True)),
)
