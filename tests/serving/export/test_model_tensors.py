"""Inputs and outputs are found and named in any structure of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from monitoring.errors import BadInput
from serving.export.keras_model import KerasModel
from serving.export.manifest import Provenance
from serving.export.model_tensors import tensors_of_model
from serving.models.runner import Runner
from serving.models.signatures import DEFAULT_SIGNATURE
from tests.serving.export_model import exported


def test_a_subclassed_model_does_not_say_what_it_takes() -> None:
    class Own(keras.Model):  # type: ignore[misc] # Keras has no types
        def call(self, inputs: Any) -> Any:
            return inputs

    with pytest.raises(BadInput, match=r"does not say what its inputs are.*Own"):
        KerasModel(Own())


def test_several_outputs_keep_their_layers_names(tmp_path: Path) -> None:
    word = keras.Input((None,), name="word", dtype="int64")
    pooled = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(5, 2)(word))
    two = keras.Model(word, [keras.layers.Dense(1, name="price")(pooled), keras.layers.Dense(2, name="kind")(pooled)])
    loaded = Runner(exported(two, tmp_path, provenance=Provenance()).path)
    assert list(loaded.signatures[DEFAULT_SIGNATURE].inputs) == ["word"]
    assert {name: list(one.outputs) for name, one in loaded.signatures.items()} == {
        "explain": ["kind", "price"],
        "serving_default": ["kind", "price"],
    }, "no tf_example for sequences of any length"
    loaded.close()


def test_inputs_keep_the_order_in_which_a_dict_was_written_and_lists_go_by_names() -> None:
    b, a = keras.Input((1,), name="zonal"), keras.Input((1,), name="axial")
    both = keras.layers.Concatenate()([b, a])
    by_key = tensors_of_model(keras.Model({"zonal": b, "axial": a}, keras.layers.Dense(1)(both)))
    assert (list(by_key.inputs), list(by_key.outputs)) == (["zonal", "axial"], ["outputs"])
    in_list = tensors_of_model(keras.Model([b, a], [both, both]))
    assert list(in_list.inputs) == ["zonal", "axial"]
    assert len(in_list.outputs) == len(set(in_list.outputs)) == 2, "one layer twice has two names"


def test_a_subclassed_model_has_the_type_that_it_can_be_called_with() -> None:
    class Lengths(keras.Model):  # type: ignore[misc] # Keras has no types
        def call(self, words: Any) -> Any:
            return {"length": tf.strings.length(words), "first": tf.strings.substr(words, 0, 1)}

        def compute_output_spec(self, words: Any) -> Any:
            if words.dtype != "string":
                raise TypeError(words.dtype)
            return {"length": keras.KerasTensor(words.shape, "int32"), "first": words}

    model = Lengths()
    model(tf.constant([["abc"]]))
    found = tensors_of_model(model)
    assert {name: one.dtype for name, one in found.inputs.items()} == {"words": "string"}
    assert sorted(found.outputs) == ["first", "length"]
    answers = found.call_original({"words": tf.constant([["ab"]])})
    assert {name: value.numpy().tolist() for name, value in answers.items()} == {"length": [[2]], "first": [[b"a"]]}


def test_a_subclassed_model_that_fits_no_type_is_refused_by_its_class() -> None:
    class Stubborn(keras.Model):  # type: ignore[misc] # Keras has no types
        def call(self, inputs: Any) -> Any:
            if keras.backend.is_keras_tensor(inputs) or inputs.shape[0] != 1:
                raise TypeError("one row at a time")
            return inputs

    model = Stubborn()
    model(np.zeros((1, 2), np.float32))
    with pytest.raises(BadInput, match=r"cannot be called with tensors of its shapes.*a Stubborn: "):
        tensors_of_model(model)


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(BadInput, match="a Dense without inputs"):
        tensors_of_model(keras.layers.Dense(1))
