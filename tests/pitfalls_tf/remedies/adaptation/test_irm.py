"""IRM against its definition."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from pitfalls_tf.fitting.recipe import Outputs
from pitfalls_tf.remedies.adaptation.irm import Irm

RANDOM = np.random.default_rng(3)
LOGITS = RANDOM.normal(size=(9, 3)).astype(np.float32)
TRUTHS = np.eye(3, dtype=np.float32)[RANDOM.integers(0, 3, 9)]
TRUTHS[4] = 0
DOMAINS = np.array([0, 0, 2, 2, 2, 0, 2, 0, 2])


def test_irm_is_the_squared_gradient_by_a_dummy_classifier() -> None:
    outputs = Outputs(
        logits=tf.constant(LOGITS), embedding=None, truths=tf.constant(TRUTHS), domains=tf.constant(DOMAINS, tf.int32)
    )
    expected = []
    for domain in (0, 2):
        taken = (domain == DOMAINS) & (TRUTHS.sum(1) > 0)
        factor = tf.Variable(1.0)
        with tf.GradientTape() as tape:
            losses = tf.nn.softmax_cross_entropy_with_logits(TRUTHS[taken], factor * LOGITS[taken])
            risk = tf.reduce_mean(losses)
        expected.append(float(tape.gradient(risk, factor)) ** 2)
    irm = Irm(domains=3, weight=50.0, annealed=0.2)
    late = irm(outputs, None, head=None, progress=tf.constant(0.5))
    assert float(late) == pytest.approx(50 * np.mean(expected), rel=1e-5)
    assert float(irm(outputs, None, head=None, progress=tf.constant(0.1))) == pytest.approx(np.mean(expected), rel=1e-5)
