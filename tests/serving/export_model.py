"""A small model of the flights' shape, the rows it is judged by, and exports that go wrong in known ways."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow as pa

from serving.export.export import Bundle, export_bundle
from serving.export.manifest import Provenance

CLASSES = ("on_time", "late")
CARRIERS = ("AA", "B6", "UA")
PROVENANCE = Provenance(classes=CLASSES, setup={"name": "small"}, seed=3, seeds=(1, 2, 3), data={"digest": "d1"})
NOW = datetime(2013, 4, 1, 12, tzinfo=UTC)


# Known, unseen and missing categories; a number missing by itself and together with the other.
ROWS: dict[str, Any] = {
    "carrier": np.array([b"UA", b"B6", b"??", b"", b"AA"], object),
    "temp": np.array([0.5, np.nan, -1.0, np.nan, 3.0], np.float32),
    "dist": np.array([1.0, 0.1, 0.2, np.nan, 0.7], np.float32),
}


def now() -> datetime:
    return NOW


@keras.saving.register_keras_serializable("tests")
class AlwaysDropping(keras.layers.Dropout):  # type: ignore[misc] # Keras has no types
    """Dropout whose author passed on ``training=True``: no two answers are the same."""

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return super().call(inputs, training=True)


@keras.saving.register_keras_serializable("tests")
class Counting(keras.layers.Layer):  # type: ignore[misc] # Keras has no types
    """Python state that a trace freezes: run eagerly it counts on, exported it stands still."""

    calls = 0

    def call(self, inputs: Any) -> Any:
        self.calls += 1
        return inputs * float(self.calls)


@keras.saving.register_keras_serializable("tests")
class Printing(keras.layers.Layer):  # type: ignore[misc] # Keras has no types
    """Python code in a graph, which is in the process that exports it alone."""

    def call(self, inputs: Any) -> Any:
        import tensorflow as tf

        same = tf.py_function(lambda rows: rows, [inputs], tf.float32)
        same.set_shape(inputs.shape)
        return same


def small_model(noise: keras.layers.Layer | None = None) -> keras.Model:
    """Inputs carrier, temp and dist of shape [n, 1]; outputs logits, probabilities and embedding."""
    keras.utils.set_random_seed(7)
    inputs = {
        "carrier": keras.Input((1,), name="carrier", dtype="string"),
        "temp": keras.Input((1,), name="temp"),
        "dist": keras.Input((1,), name="dist"),
    }
    numbers = keras.layers.Concatenate()([inputs["temp"], inputs["dist"]])
    missing = keras.ops.isnan(numbers)
    places = keras.layers.StringLookup(vocabulary=list(CARRIERS), output_mode="one_hot")(inputs["carrier"])
    parts = [keras.ops.where(missing, 0.0, numbers), keras.ops.cast(missing, "float32"), places[:, 1:]]
    embedding = keras.layers.Dense(4, activation="relu", bias_initializer="ones", name="embedding")(
        keras.layers.Concatenate()(parts)
    )
    logits = keras.layers.Dense(2, name="logits")(embedding if noise is None else noise(embedding))
    probabilities = keras.layers.Softmax(name="probabilities")(logits)
    return keras.Model(inputs, {"logits": logits, "probabilities": probabilities, "embedding": embedding})


def reference_table(rows: int = 400) -> pa.Table:
    """Out-of-fold predictions of ten days; one number in seven is missing, one label in nine has not arrived."""
    rng = np.random.default_rng(11)
    late = rng.random(rows)
    times = 1_356_998_400_000_000 + np.sort(rng.integers(0, 10 * 86_400_000_000, rows))
    truth = np.where(rng.random(rows) < late, "late", "on_time").astype(object)
    unknown = np.arange(rows) % 9 == 0
    moments = pa.timestamp("us", tz="UTC")
    temp = np.where(np.arange(rows) % 7 == 0, np.nan, rng.normal(size=rows)).astype(np.float32)
    return pa.table(
        {
            "prediction_id": [f"r{row}:0" for row in range(rows)],
            "event_time": pa.array(times).cast(moments),
            "carrier": pa.array(rng.choice(CARRIERS, rows).tolist()),
            "temp": pa.array(temp),
            "dist": pa.array(rng.random(rows).astype(np.float32)),
            "probabilities": pa.array(np.stack([1 - late, late], axis=1).tolist()),
            "label": pa.array(truth, pa.string(), mask=unknown),
            "label_time": pa.array(times + 3_600_000_000, mask=unknown).cast(moments),
        }
    )


def exported(model: Any, models: Path, **changes: Any) -> Bundle:
    """The model as a bundle without a reference, unless something else is said."""
    settings: dict[str, Any] = {"reference": None, "provenance": PROVENANCE} | changes
    return export_bundle(model, folder=models / settings.pop("name", "small"), clock=now, **settings)


def of_three(*layers: keras.layers.Layer) -> keras.Model:
    """A model of one tensor of three numbers."""
    return keras.Sequential([keras.Input((3,), name="x"), *layers, keras.layers.Dense(1)])
