"""Dropout by a hash: masks at their rate, different by seed, step and position; Keras' own layer in what is saved."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from pitfalls_tf.architectures.dropout import Dropout, hash_bits, with_keras_dropout


def test_hashed_words_are_uniform_and_independent_of_their_neighbours() -> None:
    words = [
        hash_bits(tf.constant(state, tf.uint32), 100_000).numpy().astype(np.float64) / 2**32
        for state in ((1, 0), (1, 1), (2, 0))
    ]
    for uniform in words:
        # Five standard errors of 100,000 uniform numbers, and of the correlation of neighbours.
        assert abs(uniform.mean() - 0.5) < 5 * np.sqrt(1 / 12 / 100_000)
        assert abs(np.corrcoef(uniform[1:], uniform[:-1])[0, 1]) < 5 / np.sqrt(100_000)
        assert np.histogram(uniform, 20, (0, 1))[0] == pytest.approx(5_000, abs=5 * np.sqrt(5_000))
    assert np.abs(np.corrcoef(words) - np.eye(3)).max() < 5 / np.sqrt(100_000)


def test_masks_are_kept_at_their_rate_and_differ_from_step_to_step() -> None:
    layer = Dropout(0.25)
    ones = tf.ones((1000, 20))
    first, second = layer(ones, training=True).numpy(), layer(ones, training=True).numpy()
    assert set(np.unique(first)) == {np.float32(0), np.float32(1 / 0.75)}
    assert (first == 0).mean() == pytest.approx(0.25, abs=5 * np.sqrt(0.25 * 0.75 / 20_000))
    assert (first != second).any()
    assert (layer(ones).numpy() == 1).all()
    assert (Dropout(0.0)(ones, training=True).numpy() == 1).all()


def test_masks_are_the_same_with_xla_and_without() -> None:
    def first_mask(*, xla: bool) -> np.ndarray:
        layer = Dropout(0.5, seed=7)
        ones = tf.ones((64, 8))
        compiled = tf.function(lambda rows: layer(rows, training=True), jit_compile=xla)
        mask: np.ndarray = compiled(ones).numpy()
        return mask

    assert (first_mask(xla=True) == first_mask(xla=False)).all()


def test_a_saved_network_has_the_layer_of_keras_and_the_same_weights() -> None:
    inputs = keras.Input((3,))
    outputs = keras.layers.Dense(2)(Dropout(0.4, name="mask")(inputs))
    network = keras.Model(inputs, outputs)
    saved = with_keras_dropout(network)
    assert type(saved.get_layer("mask")) is keras.layers.Dropout
    assert saved.get_layer("mask").rate == 0.4
    rows = np.ones((4, 3), dtype=np.float32)
    assert (saved(rows).numpy() == network(rows).numpy()).all()
    assert type(network.get_layer("mask")) is Dropout
