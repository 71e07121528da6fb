"""The deployed model: raw inputs in, the answers of the network on encoded rows out."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import keras
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from pitfalls_tf.architectures.dropout import with_keras_dropout
from pitfalls_tf.architectures.mlp import Mlp
from pitfalls_tf.rows import feature_encoding
from pitfalls_tf.rows.examples import Shape
from pitfalls_tf.rows.table import Feature
from pitfalls_tf.training import deployed_model
from serving.export.inputs.input_arrays import columns_of

if TYPE_CHECKING:
    from pathlib import Path

FEATURES = (
    Feature(name="temp", kind="number", meaning="°F"),
    Feature(name="gust", kind="number", meaning="mph, often missing"),
    Feature(name="dest", kind="category", meaning="airport"),
)
NAN = float("nan")
ROWS = pa.table(
    {
        "temp": pa.array([10.0, 20.0, 30.0, 40.0], pa.float32()),
        "gust": pa.array([1.0, NAN, 3.0, None], pa.float32()),
        "dest": pa.array(["ORD", "ATL", "ORD", None]),
    }
)


@pytest.fixture(scope="module")
def parts() -> tuple[keras.Model, np.ndarray]:
    """The model, and the network's logits for the rows encoded outside it."""
    encoding = feature_encoding.fit(ROWS, FEATURES)
    layers = feature_encoding.preprocessing_model(encoding)
    shape = Shape(inputs=(encoding.width,), tokens=encoding.tokens, classes=2, domains=1)
    network = with_keras_dropout(Mlp(hidden=(8, 4), dropout=0.5).build(shape))
    logits = network(feature_encoding.encode(layers, encoding, ROWS))["logits"].numpy()
    return deployed_model.with_preprocessing(layers, network), logits


def answers(model: keras.Model) -> dict[str, np.ndarray]:
    columns = columns_of(ROWS, {"temp": "number", "gust": "number", "dest": "category"})
    given = {
        name: tf.constant(column[:, None], tf.string if column.dtype == object else tf.float32)
        for name, column in columns.items()
    }
    return {name: value.numpy() for name, value in model(given).items()}


def test_the_model_answers_as_the_network_does_on_encoded_rows(parts: tuple[keras.Model, np.ndarray]) -> None:
    model, logits = parts
    found = answers(model)
    assert found["logits"] == pytest.approx(logits, abs=1e-6)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert found["probabilities"] == pytest.approx(shares, abs=1e-6)
    assert found["embedding"].shape == (4, 4)
    assert {tensor.name: (tensor.shape, tensor.dtype) for tensor in model.inputs} == {
        "temp": ((None, 1), "float32"),
        "gust": ((None, 1), "float32"),
        "dest": ((None, 1), "string"),
    }


RELOAD = """
import sys
import keras, numpy as np, tensorflow as tf
model = keras.models.load_model(sys.argv[1], compile=False)
given = {
    "temp": tf.constant([[10.0], [20.0], [30.0], [40.0]]),
    "gust": tf.constant([[1.0], [np.nan], [3.0], [np.nan]]),
    "dest": tf.constant([["ORD"], ["ATL"], ["ORD"], [""]]),
}
np.save(sys.argv[2], model(given)["probabilities"].numpy())
assert not [name for name in sys.modules if name.split(".")[0] in {"pitfalls_tf", "serving", "monitoring"}]
"""


@pytest.mark.slow
def test_a_saved_model_loads_in_another_process_without_our_code(
    parts: tuple[keras.Model, np.ndarray], tmp_path: Path
) -> None:
    model, _ = parts
    model.save(tmp_path / "model.keras")
    done = subprocess.run(
        [sys.executable, "-c", RELOAD, tmp_path / "model.keras", tmp_path / "found.npy"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert np.load(tmp_path / "found.npy") == pytest.approx(answers(model)["probabilities"], abs=1e-6)


def test_images_go_in_by_name() -> None:
    images = keras.Input((4, 4, 1))
    logits = keras.layers.Dense(3)(keras.layers.Flatten()(images))
    model = deployed_model.of_images(keras.Model(images, {"logits": logits, "embedding": logits}))
    assert [(tensor.name, tensor.shape) for tensor in model.inputs] == [("image", (None, 4, 4, 1))]
    found = model({"image": np.ones((2, 4, 4, 1), dtype=np.float32)})
    assert found["probabilities"].numpy().sum(axis=1) == pytest.approx(1.0)
    assert set(found) == {"logits", "probabilities", "embedding"}
