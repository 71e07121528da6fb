"""Preprocessing: the same inside the exported model as outside the loop, and honest about what it never saw."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from pitfalls_tf.rows.table import Feature
from pitfalls_tf.training.named_setups import Mlp

if TYPE_CHECKING:
    from pathlib import Path

    import keras

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


def encoded(fitted_on: pa.Table, rows: pa.Table) -> np.ndarray:
    from pitfalls_tf.rows import feature_encoding

    encoding = feature_encoding.fit(fitted_on, FEATURES)
    return feature_encoding.encode(feature_encoding.layers(encoding), encoding, rows)


def test_numbers_are_standardised_gaps_are_marked_and_categories_have_a_place() -> None:
    step = 1 / np.sqrt(1.25)
    expected = [
        # temp, gust, gust is missing, ATL, ORD
        [-1.5 * step, -1, 0, 0, 1],
        [-0.5 * step, 0, 1, 1, 0],
        [0.5 * step, 1, 0, 0, 1],
        [1.5 * step, 0, 1, 0, 0],
    ]
    assert encoded(ROWS, ROWS) == pytest.approx(np.array(expected), abs=1e-6)


def test_what_was_not_there_at_fitting_is_no_signal() -> None:
    new = pa.table({"temp": [NAN], "gust": [2.0], "dest": ["LAX"]})
    assert encoded(ROWS, new).tolist() == [[0, 0, 0, 0, 0]]


def test_a_column_without_spread_or_without_values_stays_finite() -> None:
    flat = pa.table({"temp": [5.0, 5.0], "gust": [NAN, NAN], "dest": ["ORD", "ORD"]})
    assert encoded(flat, flat).tolist() == [[0, 0, 1, 1], [0, 0, 1, 1]]


def test_refitting_changes_the_constants_and_not_the_layout() -> None:
    from pitfalls_tf.rows import feature_encoding

    encoding = feature_encoding.fit(ROWS, FEATURES)
    refitted = encoding.refitted(ROWS.slice(0, 1))
    assert refitted.width == encoding.width
    assert refitted.numbers[0].mean == 10.0
    assert refitted.categories == encoding.categories


@pytest.fixture(scope="module")
def parts() -> tuple[keras.Model, keras.Model, np.ndarray]:
    """The assembled model, the network alone, and its logits for the rows encoded outside."""
    from pitfalls_tf.architectures import mlp
    from pitfalls_tf.rows import feature_encoding
    from pitfalls_tf.training import deployed_model

    encoding = feature_encoding.fit(ROWS, FEATURES)
    layers = feature_encoding.layers(encoding)
    network = mlp.core(encoding.width, 2, Mlp(hidden=(8, 4), dropout=0.5), seed=3)
    logits = network(feature_encoding.encode(layers, encoding, ROWS))["logits"].numpy()
    return deployed_model.with_preprocessing(layers, network), network, logits


def answers(model: keras.Model) -> dict[str, np.ndarray]:
    import tensorflow as tf

    from serving.export.feature_columns import columns_of

    columns = columns_of(ROWS, {"temp": "number", "gust": "number", "dest": "category"})
    given = {
        name: tf.constant(column[:, None], tf.string if column.dtype == object else tf.float32)
        for name, column in columns.items()
    }
    return {name: value.numpy() for name, value in model(given).items()}


def test_the_assembled_model_answers_as_the_network_does_on_encoded_rows(
    parts: tuple[keras.Model, keras.Model, np.ndarray],
) -> None:
    model, _, logits = parts
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
    parts: tuple[keras.Model, keras.Model, np.ndarray], tmp_path: Path
) -> None:
    model, _, _ = parts
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


def test_the_seed_decides_the_weights() -> None:
    from pitfalls_tf.architectures import mlp

    settings = Mlp(hidden=(8, 4), dropout=0.5)
    first, again, other = (mlp.core(5, 2, settings, seed=seed).get_weights() for seed in (3, 3, 4))
    assert all((one == two).all() for one, two in zip(first, again, strict=True))
    assert any((one != two).any() for one, two in zip(first, other, strict=True))
