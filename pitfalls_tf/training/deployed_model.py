"""The model that is deployed: a fitted network with its preprocessing in front and probabilities behind."""

from __future__ import annotations

import keras


def with_preprocessing(preprocessing: keras.Model, network: keras.Model) -> keras.Model:
    """The model of a table's network. Returns a model of the raw inputs to {"logits", "probabilities", "embedding"}.

    Args:
        preprocessing: named raw inputs [n, 1] to encoded rows float32 [n, width], see
            `feature_encoding.preprocessing_model`.
        network: encoded rows to {"logits" [n, classes], "embedding" [n, units]}.
    """
    inputs = {tensor.name: keras.Input((1,), name=tensor.name, dtype=tensor.dtype) for tensor in preprocessing.inputs}
    return _with_probabilities(inputs, network(preprocessing(inputs)))


def of_images(network: keras.Model) -> keras.Model:
    """The model of an image network: {"image": float32 [n, height, width, channels]} to the same outputs."""
    image = keras.Input(network.input_shape[1:], name="image")
    return _with_probabilities({"image": image}, network(image))


def _with_probabilities(inputs: dict[str, keras.KerasTensor], outputs: dict[str, keras.KerasTensor]) -> keras.Model:
    probabilities = keras.layers.Softmax(name="probabilities")(outputs["logits"])
    return keras.Model(inputs, {**outputs, "probabilities": probabilities})
