"""A module of somebody's own layers: one registered, the others known by their names alone."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("somebody")
class Doubling(keras.layers.Layer):  # type: ignore[misc] # Keras has no types
    """A registered layer."""

    def call(self, inputs: Any) -> Any:
        return inputs * 2


class Shifting(keras.layers.Layer):  # type: ignore[misc] # Keras has no types
    """A layer that nobody registered."""

    def call(self, inputs: Any) -> Any:
        return inputs + 1


class Judging(keras.Model):  # type: ignore[misc] # Keras has no types
    """A subclassed model with own layers, for one tensor of numbers; a probability."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.doubling, self.shifting = Doubling(), Shifting()
        self.last = keras.layers.Dense(1, activation="sigmoid")

    def call(self, numbers: Any) -> Any:
        return self.last(self.shifting(self.doubling(numbers)))


class Reading(keras.Model):  # type: ignore[misc] # Keras has no types
    """A subclassed model that takes words and numbers by name, and gives a tuple."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.lookup = keras.layers.StringLookup(vocabulary=["good", "bad"], output_mode="one_hot")
        self.first, self.second = keras.layers.Dense(1), keras.layers.Dense(3, activation="softmax")

    def call(self, inputs: Any) -> Any:
        both = keras.ops.concatenate([self.lookup(inputs["word"]), inputs["numbers"]], axis=-1)
        return self.first(both), self.second(both)


class Untraceable(keras.layers.Layer):  # type: ignore[misc] # Keras has no types
    """Python code on a tensor's values: it runs eagerly, and no graph can be made of it."""

    def call(self, inputs: Any) -> Any:
        return inputs * float(tf.reduce_max(tf.abs(inputs)).numpy())

    def compute_output_spec(self, inputs: Any) -> Any:
        return keras.KerasTensor(inputs.shape, inputs.dtype)
