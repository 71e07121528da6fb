"""Any layer as the embedding: by name, in nested models, of several inputs; the model's answers stay what they were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from monitoring.errors import BadInput
from serving.export.embedding_layer import with_embedding
from serving.export.keras_model import KerasModel

RNG = np.random.default_rng(0)


def plain() -> keras.Model:
    image = keras.Input((6, 6, 3), name="image")
    maps = keras.layers.Conv2D(4, 3, name="maps")(image)
    hidden = keras.layers.Dense(5, name="hidden")(keras.layers.Flatten(name="flat")(maps))
    return keras.Model(image, keras.layers.Dense(2, activation="softmax", name="late")(hidden))


def nested() -> keras.Model:
    inner = keras.Input((6, 6, 3), name="pixels")
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(keras.layers.Conv2D(4, 3, name="maps")(inner))
    backbone = keras.Model(inner, pooled, name="backbone")
    image, age = keras.Input((6, 6, 3), name="image"), keras.Input((1,), name="age")
    both = keras.layers.Concatenate(name="both")([backbone(image), age])
    return keras.Model({"image": image, "age": age}, {"late": keras.layers.Dense(2, name="late")(both)})


def sequential() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((6, 6, 3), name="image"),
            keras.layers.Flatten(name="flat"),
            keras.layers.Dense(5, name="hidden"),
            keras.layers.Dense(2, name="late"),
        ]
    )


def rows(model: keras.Model) -> dict[str, Any]:
    found = {"image": RNG.normal(size=(7, 6, 6, 3)).astype(np.float32)}
    found |= {"age": RNG.normal(size=7).astype(np.float32)} if len(model.inputs) > 1 else {}
    return {name: keras.ops.convert_to_tensor(values) for name, values in found.items()}


@pytest.mark.parametrize(
    ("made", "layer", "width"),
    [
        (plain, "hidden", 5),
        (plain, "maps", 4),
        (sequential, "hidden", 5),
        (nested, "both", 5),
        (nested, "backbone", 4),
        (nested, "backbone/pool", 4),
        (nested, "pool", 4),
        (nested, "backbone/maps", 4),
    ],
)
def test_a_layer_is_the_embedding_and_all_else_stays(made: Callable[[], keras.Model], layer: str, width: int) -> None:
    model = made()
    given = rows(model)
    before, found = KerasModel(model), KerasModel(with_embedding(model, layer))
    assert [one.name for one in found.inputs] == [one.name for one in before.inputs]
    assert set(found.outputs) == {*before.outputs, "embedding"}
    answers = found.call(given)
    assert answers["embedding"].shape == (7, width)
    for name, value in before.call(given).items():
        np.testing.assert_array_equal(answers[name], value)
    assert found.call_original(given).keys() == answers.keys()


def test_it_is_what_the_layer_gives_averaged_over_places() -> None:
    model = plain()
    given = rows(model)
    maps = keras.Model(model.input, model.get_layer("maps").output)(given["image"])
    found = KerasModel(with_embedding(model, "maps")).call(given)["embedding"]
    np.testing.assert_allclose(found, np.asarray(maps).mean(axis=(1, 2)), rtol=1e-5, atol=1e-6)


def test_an_unknown_layer_lists_those_there_are() -> None:
    with pytest.raises(BadInput, match="no such layer") as caught:
        with_embedding(nested(), "hiden")
    assert caught.value.expected == "one of backbone, backbone/maps, backbone/pool, both, late"


def test_a_name_in_two_models_needs_its_model() -> None:
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="hidden")], name="one")
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, name="hidden")], name="two")
    start = keras.Input((3,), name="image")
    model = keras.Model(start, other(inner(start)))
    with pytest.raises(BadInput, match="Several layers have this name"):
        with_embedding(model, "hidden")
    assert "embedding" in KerasModel(with_embedding(model, "two/hidden")).outputs


def test_what_gives_no_numbers_and_models_without_layers_are_refused() -> None:
    text = keras.Input((1,), dtype="string", name="text")
    places = keras.layers.TextVectorization(10, output_sequence_length=4, vocabulary=["a", "b"], name="places")(text)
    model = keras.Model(text, keras.layers.Dense(1, name="late")(keras.layers.Embedding(10, 3, name="words")(places)))
    with pytest.raises(BadInput, match="gives no embedding"):
        with_embedding(model, "places")
    assert KerasModel(with_embedding(model, "words")).width("embedding") == 3

    with pytest.raises(BadInput, match="cannot be told apart"):
        with_embedding(keras.layers.Dense(2), "dense")
