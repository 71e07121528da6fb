"""CORAL, MMD and DANN against their definitions, in numpy or by hand."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from pitfalls_tf.fitting.recipe import Outputs, Penalty
from pitfalls_tf.remedies.adaptation.coral import Coral
from pitfalls_tf.remedies.adaptation.dann import Dann, reversed_gradient, schedule
from pitfalls_tf.remedies.adaptation.mmd import Mmd

RANDOM = np.random.default_rng(7)
HERE = RANDOM.normal(size=(12, 3)).astype(np.float32)
THERE = (RANDOM.normal(size=(10, 3)) * [1, 2, 3] + 1).astype(np.float32)
DOMAINS = np.array([0, 1, 3, 0, 1, 3, 0, 1, 3, 0, 1, 1])  # nobody of domain 2


def outputs(embedding: Any, domains: Any = None) -> Outputs:
    count = len(embedding)
    return Outputs(
        logits=tf.zeros((count, 2)),
        embedding=tf.constant(embedding),
        truths=tf.zeros((count, 2)),
        domains=tf.constant(np.zeros(count) if domains is None else domains, tf.int32),
    )


def of(penalty: Penalty, source: Outputs, target: Outputs | None = None, **more: Any) -> float:
    given = {"head": None, "progress": tf.constant(1.0), **more}
    return float(penalty(source, target, **given))


def coral(one: Any, other: Any) -> float:
    gap = np.cov(one, rowvar=False) - np.cov(other, rowvar=False)
    return float((gap**2).sum() / (4 * one.shape[1] ** 2))


def mmd(one: Any, other: Any, bandwidths: Any) -> float:
    def kernel(left: Any, right: Any) -> float:
        squares = ((left[:, None] - right[None]) ** 2).sum(-1)
        return float(np.mean([np.exp(-squares / width).mean() for width in bandwidths]))

    return kernel(one, one) + kernel(other, other) - 2 * kernel(one, other)


def test_coral_by_hand_and_as_numpy_has_it() -> None:
    # Variances 2 and 8 of one column: (2 - 8)² / 4.
    assert of(
        Coral(), outputs(np.array([[0.0], [2.0]], np.float32)), outputs(np.array([[0.0], [4.0]], np.float32))
    ) == pytest.approx(9)
    assert of(Coral(weight=2), outputs(HERE), outputs(THERE)) == pytest.approx(2 * coral(HERE, THERE), rel=1e-5)
    assert of(Coral(), outputs(HERE), outputs(HERE + 5)) == pytest.approx(0, abs=1e-6)


def test_mmd_by_hand_and_as_numpy_has_it() -> None:
    # Two points one apart: the only distance is the median, 1, so MMD² = 2 - 2/e.
    assert of(
        Mmd(factors=(1.0,)), outputs(np.zeros((1, 1), np.float32)), outputs(np.ones((1, 1), np.float32))
    ) == pytest.approx(2 - 2 / np.e, rel=1e-5)
    both = np.concatenate([HERE, THERE])
    squares = ((both[:, None] - both[None]) ** 2).sum(-1)[~np.eye(22, dtype=bool)]
    # Each pair occurs twice, so the upper of the middle two is the median of an odd number of pairs.
    assert len(squares) // 2 % 2 == 1
    widths = np.median(squares) * np.array([0.25, 0.5, 1, 2, 4])
    assert of(Mmd(), outputs(HERE), outputs(THERE)) == pytest.approx(mmd(HERE, THERE, widths), rel=1e-4)
    assert of(Mmd(), outputs(HERE), outputs(HERE)) == pytest.approx(0, abs=1e-6)
    assert of(Mmd(rows=5), outputs(HERE), outputs(THERE)) == pytest.approx(
        of(Mmd(), outputs(HERE[:5]), outputs(THERE[:5]))
    )


def test_between_sources_is_the_mean_over_pairs_of_domains_that_are_there() -> None:
    parts = [HERE[domain == DOMAINS] for domain in (0, 1, 3)]
    wanted = np.mean([coral(one, other) for one, other in combinations(parts, 2)])
    assert of(Coral(domains=4), outputs(HERE, DOMAINS)) == pytest.approx(wanted, rel=1e-5)
    squares = np.sort(((HERE[:, None] - HERE[None]) ** 2).sum(-1)[~np.eye(12, dtype=bool)])
    widths = squares[len(squares) // 2] * np.array([0.25, 0.5, 1, 2, 4])
    wanted = np.mean([mmd(one, other, widths) for one, other in combinations(parts, 2)])
    assert of(Mmd(domains=4), outputs(HERE, DOMAINS)) == pytest.approx(wanted, rel=1e-4)
    alone = outputs(HERE, np.zeros(12))
    assert of(Coral(domains=4), alone) == of(Mmd(domains=4), alone) == 0


def test_the_gradient_is_reversed_on_the_schedule_of_the_paper() -> None:
    signal = tf.Variable([1.0, -2.0])
    with tf.GradientTape() as tape:
        same = reversed_gradient(signal, 0.7)
        total = tf.reduce_sum(same * [3.0, 5.0])
    assert same.numpy() == pytest.approx([1.0, -2.0])
    assert tape.gradient(total, signal).numpy() == pytest.approx([-2.1, -3.5])
    said = [float(schedule(tf.constant(progress))) for progress in (0.0, 0.5, 1.0)]
    assert said == pytest.approx([0.0, 2 / (1 + np.exp(-5)) - 1, 2 / (1 + np.exp(-10)) - 1], abs=1e-6)


def test_dann_teaches_the_classifier_and_unteaches_the_embedding() -> None:
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
    from pitfalls_tf.rows.examples import Shape

    shape = Shape(inputs=(3,), tokens=(), classes=2, domains=4)
    head = Dann(domains=4).head(shape, 3)
    assert head is not None
    assert head.output.shape == (None, 4)
    assert of(Dann(domains=4), outputs(HERE, DOMAINS), head=lambda rows: tf.zeros((len(rows), 4))) == pytest.approx(
        np.log(4)
    )
    against = Dann().head(shape, 3)
    assert against is not None
    assert against.output.shape == (None, 2)
