"""Dropout whose masks are a hash, which XLA compiles to a few integer operations."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

# Constants of MurmurHash3's finaliser (Appleby, 2011, public domain), which passes avalanche tests; the odd constant
# spreads consecutive positions over all bits first (Knuth's multiplicative hashing).
_SPREAD, _FIRST, _SECOND = 0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35


class Dropout(keras.layers.Dropout):  # type: ignore[misc] # keras has no types
    """In training, zeroes a share `rate` of its inputs and scales the others by 1 / (1 - rate).

    Its masks come from an integer hash of the seed, the step and the position of the unit. Keras' layer draws them with
    TensorFlow's counter-based generators, which under XLA on a processor cost several times the rest of a small
    network's step; a hash is a few integer operations that fuse with their neighbours. It gives the same masks with XLA
    and without; `with_keras_dropout` puts Keras' own in its place before a model is saved.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:  # noqa: FBT001, FBT002 - Keras' signature
        """Same shape as `inputs`."""
        if not training or not self.rate > 0:
            return inputs
        if isinstance(inputs, keras.KerasTensor):  # a symbolic call: only the shape counts
            return super().call(inputs, training=training)
        state = tf.cast(self.seed_generator.next(), tf.uint32)
        bits = hash_bits(state, tf.size(inputs))
        threshold = tf.constant(min(int(self.rate * 2**32), 2**32 - 1), tf.uint32)
        mask = tf.reshape(bits >= threshold, tf.shape(inputs))
        return tf.where(mask, inputs / (1 - self.rate), tf.zeros_like(inputs))


def hash_bits(state: Any, count: Any) -> Any:
    """Pseudo-random words. Returns uint32 [count], each of which depends on both words of the state.

    Args:
        state: two words, uint32 [2].
    """
    key = _mixed(state[0] ^ _mixed(state[1] * tf.constant(_SPREAD, tf.uint32) + state[0]))
    positions = tf.cast(tf.range(count), tf.uint32) * tf.constant(_SPREAD, tf.uint32)
    return _mixed(_mixed(positions + key) ^ key)


def with_keras_dropout(network: keras.Model) -> keras.Model:
    """The same network and weights with Keras' own dropout, so that it loads where this package is not installed."""

    def cloned(layer: Any) -> Any:
        kind = keras.layers.Dropout if isinstance(layer, Dropout) else type(layer)
        return kind.from_config(layer.get_config())

    copy = keras.models.clone_model(network, clone_function=cloned)
    copy.set_weights(network.get_weights())
    return copy


def _mixed(word: Any) -> Any:
    shift = tf.bitwise.right_shift
    word = (word ^ shift(word, tf.constant(16, tf.uint32))) * tf.constant(_FIRST, tf.uint32)
    word = (word ^ shift(word, tf.constant(13, tf.uint32))) * tf.constant(_SECOND, tf.uint32)
    return word ^ shift(word, tf.constant(16, tf.uint32))
