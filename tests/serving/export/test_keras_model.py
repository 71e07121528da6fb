"""A Keras model has named tensors of its own types."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from monitoring.errors import BadInput
from serving.export.keras_model import KerasModel, tensors_of
from serving.export.outputs.probabilities import find_class_output
from tests.serving.export_model import ROWS


def test_a_name_that_tensorflow_would_change_is_refused() -> None:
    scalar = keras.Input((1,), name="wind speed")
    with pytest.raises(BadInput, match="'wind speed'"):
        KerasModel(keras.Model(scalar, keras.layers.Dense(1)(scalar)))


def test_tensors_of_keeps_the_models_types(model: keras.Model) -> None:
    assert {name: one.dtype.name for name, one in tensors_of(KerasModel(model).inputs, ROWS).items()} == {
        "carrier": "string",
        "temp": "float32",
        "dist": "float32",
    }


def test_scalars_are_columns_inside_and_the_authors_model_gives_the_same(model: keras.Model) -> None:
    opened = KerasModel(model)
    assert [(one.name, one.dtype, one.shape) for one in opened.inputs] == [
        ("carrier", "string", ()),
        ("temp", "float32", ()),
        ("dist", "float32", ()),
    ]
    tensors = tensors_of(opened.inputs, ROWS)
    exported, original = opened.call(tensors), opened.call_original(tensors)
    assert set(exported) == set(original) == {"logits", "probabilities", "embedding"}
    for name, values in exported.items():
        np.testing.assert_array_equal(values, original[name])
    assert set(opened.call(tensors, ("logits",))) == {"logits"}


def test_an_output_has_a_width_unless_it_is_of_any_size() -> None:
    x = keras.Input((None, 3), name="x")
    flat = keras.layers.GlobalMaxPooling1D()(x)
    two = KerasModel(keras.Model(x, {"wide": keras.layers.Dense(4)(flat), "one": flat[:, 0], "any": x[:, :, 0]}))
    assert [two.width(name) for name in ("wide", "one", "any")] == [4, 1, None]


def test_a_class_output_adds_probabilities_to_both() -> None:
    score = find_class_output({"outputs": np.array([[2.0, -1.0, 0.5]])}, 3)
    assert score is not None
    opened = KerasModel(keras.Sequential([keras.Input((3,), name="x"), keras.layers.Dense(3)])).with_class_output(score)
    assert (opened.outputs, opened.width("probabilities")) == (("logits", "probabilities"), 3)
    tensors = tensors_of(opened.inputs, {"x": np.ones((2, 3), np.float32)})
    for answers in (opened.call(tensors), opened.call_original(tensors)):
        assert set(answers) == {"logits", "probabilities"}
        np.testing.assert_allclose(np.asarray(answers["probabilities"]).sum(axis=1), 1.0, rtol=1e-6)


def test_a_sparse_input_is_refused() -> None:
    x = keras.Input((3,), name="x", sparse=True)
    with pytest.raises(BadInput, match=r"sparse or ragged tensor\. Got input x"):
        KerasModel(keras.Model(x, keras.layers.Dense(1)(x)))
