"""Builds the six small SavedModels that the cases ask for: ``build_models.py FOLDER`` writes FOLDER/NAME/VERSION."""

# TensorFlow is untyped: its classes and decorators are Any to the type checker.
# mypy: disable-error-code="misc, untyped-decorator"

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

Tensors = dict[str, tf.Tensor]
NUMBERS = ["float32", "float64", "int8", "uint8", "int16", "int32", "int64", "uint32", "uint64", "float16"]


def spec(shape: list[int | None] | None, dtype: tf.DType, name: str) -> tf.TensorSpec:
    return tf.TensorSpec(shape, dtype, name=name)


class HalfPlus(tf.Module):
    """y = x/2 + bias, at any rank, and the same from serialised examples."""

    def __init__(self, bias: float) -> None:
        self.slope = tf.Variable(0.5)
        self.bias = tf.Variable(float(bias))

    @tf.function(input_signature=[spec(None, tf.float32, "x")])
    def predict(self, x: tf.Tensor) -> Tensors:
        return {"y": self.slope * x + self.bias}

    @tf.function(input_signature=[spec([None], tf.string, "inputs")])
    def regress(self, inputs: tf.Tensor) -> Tensors:
        return {"outputs": self.from_examples(inputs)}

    @tf.function(input_signature=[spec([None], tf.string, "inputs")])
    def classify(self, inputs: tf.Tensor) -> Tensors:
        return {"scores": self.from_examples(inputs)}

    def from_examples(self, inputs: tf.Tensor) -> tf.Tensor:
        features = {"x": tf.io.FixedLenFeature([1], tf.float32, default_value=[0.0])}
        return self.slope * tf.io.parse_example(inputs, features)["x"] + self.bias


class Named(tf.Module):
    """Several inputs and outputs, one of them bytes; and a sum over the batch, which has no rows."""

    @tf.function(
        input_signature=[
            spec([None, 2], tf.int32, "ints"),
            spec([None], tf.string, "name"),
            spec([None, 2], tf.float32, "feat"),
        ]
    )
    def several(self, ints: tf.Tensor, name: tf.Tensor, feat: tf.Tensor) -> Tensors:
        return {"isum": tf.reduce_sum(ints, 1), "name_out": name, "name_bytes": name, "fx2": feat * 2.0}

    @tf.function(input_signature=[spec([None, 2], tf.float32, "a"), spec([None, 3], tf.float32, "b")])
    def two_float(self, a: tf.Tensor, b: tf.Tensor) -> Tensors:
        return {"p": tf.reduce_sum(a, 1), "q": b}

    @tf.function(input_signature=[spec([None], tf.float32, "x")])
    def scalar_out(self, x: tf.Tensor) -> Tensors:
        return {"total": tf.reduce_sum(x), "x": x}

    @tf.function(input_signature=[spec([None], tf.float32, "x")])
    def distinct(self, x: tf.Tensor) -> Tensors:
        """As many rows as there are different values: a leading dimension that counts something else."""
        return {"values": tf.unique(x).y}


class Strings(tf.Module):
    @tf.function(input_signature=[spec(None, tf.string, "image_bytes")])
    def echo(self, image_bytes: tf.Tensor) -> Tensors:
        return {"out_bytes": image_bytes}

    @tf.function(input_signature=[spec([None], tf.string, "s")])
    def length(self, s: tf.Tensor) -> Tensors:
        return {"len": tf.strings.length(s)}


def identity(dtype: tf.DType) -> Any:
    return tf.function(lambda x: {"y": tf.identity(x)}, input_signature=[spec(None, dtype, "x")])


def save_half_plus(folder: Path, bias: float) -> None:
    module = HalfPlus(bias)
    signatures = {
        "serving_default": module.predict,
        "regress_x_to_y": module.regress,
        "classify_x_to_y": module.classify,
    }
    tf.saved_model.save(module, str(folder), signatures=signatures)


def build(folder: Path) -> None:
    """Write every model."""
    save_half_plus(folder / "half_plus_two" / "00000123", 2)
    save_half_plus(folder / "half_plus_three" / "1", 3)

    typed = tf.Module()
    typed.functions = {name: identity(tf.as_dtype(name)) for name in [*NUMBERS, "bool", "string"]}
    signatures = {**typed.functions, "serving_default": typed.functions["int64"]}
    tf.saved_model.save(typed, str(folder / "typed" / "1"), signatures=signatures)

    named = Named()
    signatures = {
        "serving_default": named.several,
        "two_float": named.two_float,
        "scalar_out": named.scalar_out,
        "distinct": named.distinct,
    }
    tf.saved_model.save(named, str(folder / "named" / "1"), signatures=signatures)

    strings = Strings()
    signatures = {"serving_default": strings.echo, "length": strings.length}
    tf.saved_model.save(strings, str(folder / "strs" / "1"), signatures=signatures)

    inputs = keras.Input((4,), name="feat")
    outputs = keras.layers.Dense(2, kernel_initializer="ones", name="d")(inputs)
    keras.Model(inputs, outputs).export(folder / "dense4" / "1", verbose=False)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
