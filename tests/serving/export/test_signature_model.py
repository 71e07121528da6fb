"""A SavedModel's signature is exported with a reference as a Keras model is, or the error names the table road."""

# TensorFlow is untyped: its classes and decorators are Any to the type checker.
# mypy: disable-error-code="misc, untyped-decorator"

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from monitoring.errors import BadInput
from serving.export.export import Reference, export_bundle
from serving.export.manifest import Provenance
from serving.export.signature_model import check_is_version, load_signature
from serving.models.loading import load_version
from tests.serving.export_model import now

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from serving.export.export import Bundle

ROWS = 60
RNG = np.random.default_rng(7)
NUMBERS = RNG.normal(size=(ROWS, 2)).astype(np.float32)
CITIES = RNG.choice(["NY", "LA", "SF"], ROWS)
TABLE = pa.table(
    {"a": NUMBERS[:, 0], "b": NUMBERS[:, 1], "city": CITIES, "label": NUMBERS @ np.array([2.0, 3.0], np.float32)}
)


class Sum(tf.Module):
    """A signature of raw TensorFlow, another that mixes rows, and one whose rank is open."""

    def __init__(self) -> None:
        self.weights = tf.Variable([[2.0], [3.0]])

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, "x")])
    def serve(self, x: Any) -> Any:
        return {"y": tf.matmul(x, self.weights)}

    @tf.function(input_signature=[tf.TensorSpec([4], tf.float32, "x")])
    def fixed(self, x: Any) -> Any:
        return {"y": x}

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, "x")])
    def any_rank(self, x: Any) -> Any:
        return {"y": x}


class Reading(tf.Module):
    """A signature that reads the files that a client names."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "x")])
    def serve(self, x: Any) -> Any:
        return {"y": tf.map_fn(tf.io.read_file, x)}


def of_tensorflow(folder: Path) -> None:
    module = Sum()
    signatures = {"serving_default": module.serve, "fixed": module.fixed, "any_rank": module.any_rank}
    tf.saved_model.save(module, str(folder), signatures=signatures)


def of_tensorflow_1(folder: Path) -> None:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [None, 2], "x")
        weights = tf.compat.v1.get_variable("w", initializer=[[2.0], [3.0]])
        y = tf.matmul(x, weights)
        session.run(weights.initializer)
        signature = tf.compat.v1.saved_model.predict_signature_def({"x": x}, {"y": y})
        builder = tf.compat.v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(session, ["serve"], {"only": signature})
        builder.save()


def export(source: Path, models: Path, reference: Reference, signature: str | None = None, **changes: Any) -> Bundle:
    model = load_signature(source, signature)
    provenance = Provenance(**changes)
    return export_bundle(model, folder=models / "own", reference=reference, provenance=provenance, clock=now)


@pytest.mark.parametrize("save", [of_tensorflow, of_tensorflow_1])
def test_a_signature_of_tensorflow_gets_a_baseline(tmp_path: Path, save: Callable[[Path], None]) -> None:
    save(tmp_path / "sm")
    bundle = export(tmp_path / "sm", tmp_path / "models", Reference(table=TABLE, label="label", features=("a", "b")))
    assert (bundle.outputs, bundle.has_baseline) == (("y",), True)
    runner = load_version(bundle.path)
    rows = {"a": NUMBERS[:, 0], "b": NUMBERS[:, 1]}
    answers = runner.run(runner.signatures["serving_default"], rows, ["y"])["y"]
    runner.close()
    np.testing.assert_allclose(answers[:, 0], TABLE["label"].to_numpy(), rtol=1e-5)


def test_tables_of_a_saved_model_come_along(tmp_path: Path) -> None:
    inputs = {"a": keras.Input((), name="a"), "city": keras.Input((), name="city", dtype="string")}
    vocabulary = tmp_path / "cities.txt"
    vocabulary.write_text("NY\nLA\n")
    one_hot = keras.layers.StringLookup(vocabulary=str(vocabulary), output_mode="one_hot")(inputs["city"])
    both = keras.layers.Concatenate()([keras.ops.expand_dims(inputs["a"], -1), one_hot])
    model = keras.Model(inputs, {"probabilities": keras.layers.Dense(2, activation="softmax")(both)})
    model.export(tmp_path / "sm", verbose=False)
    vocabulary.unlink()
    table = TABLE.select(["a", "city"]).append_column("label", pa.array(RNG.choice(["no", "yes"], ROWS)))
    bundle = export(tmp_path / "sm", tmp_path / "models", Reference(table=table, label="label"), classes=("no", "yes"))
    runner = load_version(bundle.path)
    rows = {"a": NUMBERS[:, 0], "city": np.array([city.encode() for city in CITIES], object)}
    served = runner.run(runner.signatures["serving_default"], rows, ["probabilities"])["probabilities"]
    runner.close()
    wanted = model({"a": tf.constant(NUMBERS[:, 0]), "city": tf.constant(CITIES)})["probabilities"]
    np.testing.assert_allclose(served, wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        ("fixed", r"tensor x of fixed is of shape \[4\], whose first dimension does not count rows"),
        ("any_rank", "tensor x of any_rank is of any rank"),
        ("none", "no such signature.*one of any_rank, fixed, serving_default"),
    ],
)
def test_a_signature_that_cannot_be_watched_is_refused_with_the_table_road(
    tmp_path: Path, signature: str, reason: str
) -> None:
    of_tensorflow(tmp_path / "sm")
    with pytest.raises(BadInput, match=reason) as caught:
        load_signature(tmp_path / "sm", signature)
    assert ("pitfalls monitor init --reference TABLE" in caught.value.fix) == (signature != "none")


def test_nothing_of_a_graph_that_reads_files_runs(tmp_path: Path) -> None:
    module = Reading()
    tf.saved_model.save(module, str(tmp_path / "sm"), signatures=module.serve)
    with pytest.raises(BadInput, match=r"not allowed: ReadFile \(not one .*\)\.; expected a signature"):
        load_signature(tmp_path / "sm")


def test_a_folder_of_versions_is_not_one_of_them(tmp_path: Path) -> None:
    for number in ("2", "10"):
        (tmp_path / number).mkdir()
        (tmp_path / number / "saved_model.pb").write_bytes(b"")
    with pytest.raises(BadInput, match=f"Name it: pitfalls export {tmp_path}/10"):
        check_is_version(tmp_path)
    check_is_version(tmp_path / "2")
    with pytest.raises(BadInput, match="it cannot be loaded"):
        load_signature(tmp_path / "2")
