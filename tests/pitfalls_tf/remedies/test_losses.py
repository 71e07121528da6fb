"""Each loss against its definition, written out by hand for one row, and its limits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tensorflow as tf

from pitfalls_tf.fitting.recipe import CrossEntropy
from pitfalls_tf.remedies.losses import BootstrapLoss, FocalLoss, GeneralisedCrossEntropy, SymmetricCrossEntropy

if TYPE_CHECKING:
    from pitfalls_tf.fitting.recipe import Loss

ALL: list[Loss] = [
    CrossEntropy(),
    CrossEntropy(smoothing=0.1),
    FocalLoss(),
    GeneralisedCrossEntropy(),
    SymmetricCrossEntropy(),
    BootstrapLoss(),
    BootstrapLoss(trust=0.8, hard=True),
]
# Probabilities 1/2, 1/3 and 1/6; the truth is the second class.
LOGITS = tf.constant(np.log([[3.0, 2.0, 1.0]]), tf.float32)
TRUTH = tf.constant([[0.0, 1.0, 0.0]])


def of(loss: Loss) -> float:
    return float(loss(TRUTH, LOGITS)[0])


def test_each_is_its_definition() -> None:
    third, half, sixth = math.log(3), math.log(2), math.log(6)
    assert of(FocalLoss(focus=2.0)) == pytest.approx((2 / 3) ** 2 * third, rel=1e-5)
    assert of(GeneralisedCrossEntropy(power=0.7)) == pytest.approx((1 - (1 / 3) ** 0.7) / 0.7, rel=1e-5)
    assert of(SymmetricCrossEntropy(forward=0.1, reverse=1.0, floor=-4.0)) == pytest.approx(
        0.1 * third + 4 * (1 - 1 / 3), rel=1e-5
    )
    soft = 0.95 * third + 0.05 * (half / 2 + third / 3 + sixth / 6)
    assert of(BootstrapLoss(trust=0.95)) == pytest.approx(soft, rel=1e-5)
    assert of(BootstrapLoss(trust=0.8, hard=True)) == pytest.approx(0.8 * third + 0.2 * half, rel=1e-5)


def test_at_their_limits_they_are_cross_entropy_or_absolute_error() -> None:
    cross_entropy = of(CrossEntropy())
    assert of(FocalLoss(focus=0.0)) == pytest.approx(cross_entropy, rel=1e-5)
    assert of(GeneralisedCrossEntropy(power=1e-3)) == pytest.approx(cross_entropy, rel=1e-3)
    assert of(GeneralisedCrossEntropy(power=1.0)) == pytest.approx(1 - 1 / 3, rel=1e-5)
    assert of(SymmetricCrossEntropy(forward=1.0, reverse=0.0)) == pytest.approx(cross_entropy, rel=1e-5)
    assert of(BootstrapLoss(trust=1.0)) == pytest.approx(cross_entropy, rel=1e-5)


@pytest.mark.parametrize("loss", ALL, ids=repr)
def test_rows_without_a_label_cost_nothing_and_extremes_stay_finite(loss: Loss) -> None:
    logits = tf.Variable([[0.3, -0.2, 0.1], [80.0, -80.0, 0.0], [-80.0, 80.0, 0.0]])
    truths = tf.constant([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    with tf.GradientTape() as tape:
        losses = loss(truths, logits)
        total = tf.reduce_sum(losses)
    gradient = tape.gradient(total, logits).numpy()
    assert losses.shape == (3,)
    assert float(losses[0]) == 0.0
    assert np.isfinite(losses.numpy()).all()
    assert np.isfinite(gradient).all()
    assert (gradient[0] == 0).all()
    assert float(losses[1]) > float(losses[2])
