"""DANN against its definition: the gradient is reversed on the paper's schedule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from pitfalls_tf.fitting.recipe import Outputs
from pitfalls_tf.remedies.adaptation.dann import Dann, reverse_gradient, schedule
from pitfalls_tf.rows.examples import Shape
from tests.pitfalls_tf.remedies.adaptation.embeddings import DOMAINS, HERE, outputs, value_of


def test_the_gradient_is_reversed_on_the_schedule_of_the_paper() -> None:
    signal = tf.Variable([1.0, -2.0])
    with tf.GradientTape() as tape:
        same = reverse_gradient(signal, 0.7)
        total = tf.reduce_sum(same * [3.0, 5.0])
    assert same.numpy() == pytest.approx([1.0, -2.0])
    assert tape.gradient(total, signal).numpy() == pytest.approx([-2.1, -3.5])
    strengths = [float(schedule(tf.constant(progress))) for progress in (0.0, 0.5, 1.0)]
    assert strengths == pytest.approx([0.0, 2 / (1 + np.exp(-5)) - 1, 2 / (1 + np.exp(-10)) - 1], abs=1e-6)


def test_the_classifier_descends_and_the_embedding_ascends() -> None:
    """One logistic unit by hand: its own gradient descends, the embedding's ascends."""
    slope = tf.Variable([[0.0, 0.5]])
    source, target = tf.Variable([[1.0]]), tf.Variable([[2.0]])

    def head(embedding: Any) -> Any:
        return tf.matmul(embedding, slope)

    for progress in (0.3, 1.0):
        with tf.GradientTape() as tape:
            loss = Dann()(
                Outputs(logits=None, embedding=tf.identity(source), truths=None, domains=tf.constant([0])),
                Outputs(logits=None, embedding=tf.identity(target), truths=None, domains=tf.constant([-1])),
                head=head,
                progress=tf.constant(progress),
            )
        chance = 1 / (1 + np.exp(-0.5 * np.array([1.0, 2.0])))  # of the target
        assert float(loss) == pytest.approx(-(np.log(1 - chance[0]) + np.log(chance[1])) / 2, rel=1e-5)
        errors = (chance - [0, 1]) / 2
        by_slope, by_source, by_target = tape.gradient(loss, (slope, source, target))
        assert by_slope.numpy()[0, 1] == pytest.approx(errors @ [1.0, 2.0], rel=1e-4)
        strength = 2 / (1 + np.exp(-10 * progress)) - 1
        assert by_source.numpy()[0, 0] == pytest.approx(-strength * errors[0] * 0.5, rel=1e-4)
        assert by_target.numpy()[0, 0] == pytest.approx(-strength * errors[1] * 0.5, rel=1e-4)


def test_dann_between_sources_has_a_class_for_each_domain() -> None:
    shape = Shape(inputs=(3,), tokens=(), classes=2, domains=4)
    head = Dann(domains=4).head(shape, 3)
    assert head is not None
    assert head.output.shape == (None, 4)
    assert value_of(
        Dann(domains=4), outputs(HERE, DOMAINS), head=lambda rows: tf.zeros((len(rows), 4))
    ) == pytest.approx(np.log(4))
    against = Dann().head(shape, 3)
    assert against is not None
    assert against.output.shape == (None, 2)
