"""Updates are Keras' own; schedules and averages are what they say."""

from __future__ import annotations

import numpy as np
import pytest

from pitfalls_tf.architectures.optimiser import Optimiser


def keras_optimiser(settings: Optimiser) -> object:
    import keras

    kind = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW}
    more = {"momentum": settings.momentum, "nesterov": True} if settings.kind == "sgd" else {}
    return kind[settings.kind](
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay or (0.0 if settings.kind == "adamw" else None),
        global_clipnorm=settings.clip_norm,
        **more,
    )


@pytest.mark.parametrize(
    "settings",
    [
        Optimiser(kind="sgd", learning_rate=0.1),
        Optimiser(kind="sgd", learning_rate=0.1, momentum=0.0, weight_decay=0.1),
        Optimiser(kind="adam", clip_norm=0.5),
        Optimiser(kind="adamw", weight_decay=0.1, learning_rate=0.05),
    ],
    ids=lambda settings: f"{settings.kind} decay {settings.weight_decay} clip {settings.clip_norm}",
)
def test_steps_are_those_of_keras(settings: Optimiser, rng: np.random.Generator) -> None:
    import keras
    import tensorflow as tf

    values = [rng.normal(size=(3, 2)).astype(np.float32), rng.normal(size=2).astype(np.float32)]
    gradients = [[rng.normal(size=value.shape).astype(np.float32) for value in values] for _ in range(5)]
    variables = [keras.Variable(value) for value in values]
    theirs = keras_optimiser(settings)
    weights = tuple(map(tf.constant, values))
    slots = tuple(tuple(map(tf.zeros_like, weights)) for _ in range(settings.slots))
    for step, given in enumerate(gradients):
        theirs.apply([tf.constant(one) for one in given], variables)  # type: ignore[attr-defined] # keras has no types
        tensors = [tf.constant(one) for one in given]
        weights, slots = settings.update(weights, slots, tensors, step=tf.constant(float(step)), total=tf.constant(5.0))
    for ours, variable in zip(weights, variables, strict=True):
        assert ours.numpy() == pytest.approx(variable.numpy(), abs=2e-6)


def test_the_rate_warms_up_and_falls_to_nothing() -> None:
    import tensorflow as tf

    settings = Optimiser(learning_rate=0.5, warm_up=0.1, schedule="cosine")
    rates = [float(settings.rate(tf.constant(float(step)), tf.constant(100.0))) for step in range(100)]
    assert rates[:10] == pytest.approx([0.05 * step for step in range(1, 11)])
    assert rates[55] == pytest.approx(0.25)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.001
    assert float(Optimiser(learning_rate=0.5).rate(tf.constant(7.0), tf.constant(9.0))) == 0.5


def test_annealing_is_that_of_the_adversarial_paper() -> None:
    import tensorflow as tf

    settings = Optimiser(learning_rate=0.01, schedule="annealed")
    rates = [float(settings.rate(tf.constant(step), tf.constant(100.0))) for step in (0.0, 50.0, 100.0)]
    assert rates == pytest.approx([0.01, 0.01 / 6**0.75, 0.01 / 11**0.75])
