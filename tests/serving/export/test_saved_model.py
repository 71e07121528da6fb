"""All three signatures of a bundle answer as the Keras model does; what cannot be traced is named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from monitoring.errors import CannotRun
from serving.export.export import Bundle, export_bundle
from serving.export.inputs.model_inputs import ModelInput
from serving.export.keras_model import KerasModel
from serving.export.manifest import Provenance
from serving.export.saved_model import EXAMPLES, write_examples, write_saved_model
from serving.models.runner import Runner
from serving.models.signatures import DEFAULT_SIGNATURE
from tests.serving.export_model import ROWS, now, of_three
from tests.serving.own_layers import Untraceable

FRESH = """
import json, sys
import tensorflow as tf
from pathlib import Path
loaded = tf.saved_model.load(sys.argv[1])
rows = json.loads(Path(sys.argv[2]).read_text())
columns = {
    "carrier": tf.constant(rows["carrier"]),
    "temp": tf.constant([float("nan") if v is None else v for v in rows["temp"]]),
    "dist": tf.constant([float("nan") if v is None else v for v in rows["dist"]]),
}
examples = []
for carrier, temp, dist in zip(*(rows[name] for name in columns)):
    example = tf.train.Example()
    if carrier:
        example.features.feature["carrier"].bytes_list.value.append(carrier.encode())
    for name, value in (("temp", temp), ("dist", dist)):
        if value is not None:
            example.features.feature[name].float_list.value.append(value)
    examples.append(example.SerializeToString())
answers = {
    "serving_default": loaded.signatures["serving_default"](**columns),
    "explain": loaded.signatures["explain"](**columns),
    "tf_example": loaded.signatures["tf_example"](examples=tf.constant(examples)),
}
print(json.dumps({key: {name: value.numpy().tolist() for name, value in one.items()} for key, one in answers.items()}))
"""


def test_a_fresh_process_hears_the_same_from_all_three_signatures(
    bundle: Bundle, expected: dict[str, Any], tmp_path: Path
) -> None:
    plain = {
        name: [
            value.decode() if isinstance(value, bytes) else None if np.isnan(value) else float(value) for value in one
        ]
        for name, one in ROWS.items()
    }
    (tmp_path / "rows.json").write_text(json.dumps(plain))
    done = subprocess.run(
        [sys.executable, "-c", FRESH, bundle.path, tmp_path / "rows.json"], check=True, capture_output=True, text=True
    )
    answers = json.loads(done.stdout)
    assert {key: set(one) for key, one in answers.items()} == {
        "serving_default": {"probabilities"},
        "explain": {"logits", "probabilities", "embedding"},
        "tf_example": {"probabilities"},
    }
    for one in answers.values():
        for name, values in one.items():
            np.testing.assert_allclose(values, expected[name], atol=1e-5)
    assert len(np.unique(expected["probabilities"][:, 1])) == len(ROWS["temp"]), "rows that nothing tells apart"


def test_the_servers_own_session_hears_the_same(runner: Runner, model: keras.Model, expected: dict[str, Any]) -> None:
    examples = np.array(write_examples(KerasModel(model).inputs, ROWS), object)
    for name, feeds in ((DEFAULT_SIGNATURE, ROWS), ("explain", ROWS), (EXAMPLES, {"examples": examples})):
        signature = runner.signatures[name]
        assert signature.is_batchable
        for output, values in runner.run(signature, feeds, list(signature.outputs)).items():
            np.testing.assert_allclose(values, expected[output], atol=1e-5)


def test_inputs_are_scalars_of_the_models_names(runner: Runner) -> None:
    inputs = runner.signatures[DEFAULT_SIGNATURE].inputs
    assert {name: (one.element.name, one.shape) for name, one in inputs.items()} == {
        "carrier": ("string", (-1,)),
        "temp": ("float", (-1,)),
        "dist": ("float", (-1,)),
    }


def test_a_layer_that_cannot_be_traced_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"cannot be traced.*Untraceable 'stubborn'.*keras\.ops"):
        export_bundle(
            of_three(Untraceable(name="stubborn")),
            folder=tmp_path / "own",
            reference=None,
            provenance=Provenance(),
            clock=now,
        )
    assert not list((tmp_path / "own").iterdir())


def test_examples_leave_out_what_is_missing() -> None:
    inputs = (
        ModelInput(name="word", dtype="string", shape=()),
        ModelInput(name="number", dtype="float32", shape=()),
        ModelInput(name="count", dtype="int32", shape=()),
        ModelInput(name="pair", dtype="float32", shape=(2,)),
    )
    rows = {
        "word": np.array([b"a", b""], object),
        "number": np.array([1.5, np.nan], np.float32),
        "count": np.array([7, 0], np.int32),
        "pair": np.array([[1.0, 2.0], [np.nan, np.nan]], np.float32),
    }
    first, second = (tf.train.Example.FromString(one).features.feature for one in write_examples(inputs, rows))
    assert sorted(first) == ["count", "number", "pair", "word"]
    assert (list(first["word"].bytes_list.value), list(first["count"].int64_list.value)) == ([b"a"], [7])
    assert list(first["pair"].float_list.value) == [1.0, 2.0]
    assert sorted(second) == ["count", "pair"], "a tensor and a whole number have no value for missing"


def test_a_table_that_belongs_to_no_layer_is_named(tmp_path: Path) -> None:
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a"], [1.0]), -1.0)

    class Looking(keras.layers.Layer):  # type: ignore[misc] # Keras has no types
        def call(self, words: Any) -> Any:
            return table.lookup(words)

        def compute_output_spec(self, words: Any) -> Any:
            return keras.KerasTensor(words.shape, "float32")

    word = keras.Input((1,), name="word", dtype="string")
    with pytest.raises(CannotRun, match="a table or variable in it belongs to no layer"):
        write_saved_model(KerasModel(keras.Model(word, Looking()(word))), tmp_path)
