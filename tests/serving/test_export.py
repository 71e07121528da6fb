"""A Keras model as a bundle: the same answers from every signature, all that a monitor needs, or nothing at all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest

from monitoring.baseline.folder import load_baseline
from monitoring.baseline.metrics import area_under_curve
from monitoring.baseline.schema import load_schema, table_statistics, validate
from monitoring.errors import BadInput, CannotRun
from serving.export.export import Bundle, check_name, export_bundle
from serving.export.keras_model import KerasModel, tensors_of
from serving.export.manifest import Provenance
from serving.export.signatures_written import EXAMPLES, write_examples
from serving.export.staging import PREFIX
from serving.models.loading import load_version
from serving.models.runner import Runner
from serving.models.signatures import DEFAULT_SIGNATURE
from serving.models.version_folders import discover, find_versions
from serving.models.versions import Models
from serving.models.warmup import MAX_RECORDS, WARMUP_FILE, read_records, warm_up
from tests.serving.export_model import (
    CLASSES,
    NOW,
    PROVENANCE,
    AlwaysDropping,
    Counting,
    now,
    reference_table,
    small_model,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# Known, unseen and missing categories; a number missing by itself and together with the other.
ROWS: dict[str, Any] = {
    "carrier": np.array([b"UA", b"B6", b"??", b"", b"AA"], object),
    "temp": np.array([0.5, np.nan, -1.0, np.nan, 3.0], np.float32),
    "dist": np.array([1.0, 0.1, 0.2, np.nan, 0.7], np.float32),
}

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

# The clock is asked once the model is written and replayed: a death there leaves a whole SavedModel aside.
KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.serving.export_model import PROVENANCE, small_model
from serving.export import export_bundle
export_bundle(small_model(), name="flights", models=Path(sys.argv[2]), reference=None, provenance=PROVENANCE,
              clock=lambda: os.kill(os.getpid(), signal.SIGKILL))
"""


def export(model: Any, models: Path, **changes: Any) -> Bundle:
    settings: dict[str, Any] = {"name": "small", "reference": None, "provenance": PROVENANCE} | changes
    return export_bundle(model, models=models, clock=now, **settings)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return small_model()


@pytest.fixture(scope="module")
def bundle(model: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return export(model, tmp_path_factory.mktemp("models"), name="flights", reference=reference_table())


@pytest.fixture(scope="module")
def runner(bundle: Bundle) -> Iterator[Runner]:
    loaded = Runner(bundle.path)
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def expected(model: keras.Model) -> dict[str, Any]:
    """What Keras itself says, without anything of ours between."""
    import tensorflow as tf

    answers = model({name: tf.constant(column[:, None]) for name, column in ROWS.items()}, training=False)
    return {name: value.numpy() for name, value in answers.items()}


def test_the_first_version_is_1_and_is_found(bundle: Bundle) -> None:
    assert (bundle.name, bundle.version) == ("flights", 1)
    assert find_versions(bundle.path.parent) == {1: bundle.path}
    assert [path.name for path in bundle.path.parent.iterdir()] == ["1"]


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


def test_the_servers_reader_replays_the_warmup_requests(runner: Runner, bundle: Bundle) -> None:
    from tensorflow_serving.apis import prediction_log_pb2

    assert warm_up(runner, bundle.path) == 5 <= MAX_RECORDS
    requests = [
        prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        for record in read_records(bundle.path / WARMUP_FILE)
    ]
    assert [(one.model_spec.signature_name, one.inputs["temp"].tensor_shape.dim[0].size) for one in requests] == [
        (DEFAULT_SIGNATURE, 1),
        (DEFAULT_SIGNATURE, 8),
        (DEFAULT_SIGNATURE, 64),
        (DEFAULT_SIGNATURE, 256),
        ("explain", 1),
    ]


def test_versions_hands_over_to_a_new_bundle(bundle: Bundle, model: keras.Model, expected: dict[str, Any]) -> None:
    root = bundle.path.parents[1]
    served = Models(lambda: discover(root), load=load_version, report=lambda _: None)
    try:
        served.poll()
        assert served.available("flights") == (1,)
        second = export(model, root, name="flights", reference=reference_table())
        assert second.metrics == bundle.metrics, "the bootstrap is seeded"
        served.poll()
        assert (second.version, served.available("flights")) == (2, (2,))
        with served.lease("flights") as one:
            signature = one.runner.signatures[DEFAULT_SIGNATURE]
            answers = one.runner.run(signature, ROWS, ["probabilities"])
        np.testing.assert_allclose(answers["probabilities"], expected["probabilities"], atol=1e-5)
    finally:
        served.close()


def test_the_schema_knows_the_inputs_and_asks_for_the_label_in_training_only(bundle: Bundle) -> None:
    schema = load_schema(bundle.path / "assets.extra/schema.pbtxt")
    assert sorted(feature.name for feature in schema.feature) == ["carrier", "dist", "label", "temp"]
    assert {one.name: list(one.not_in_environment) for one in schema.feature}["label"] == ["SERVING"]
    inputs = reference_table().select(["carrier", "temp", "dist"])
    assert validate(table_statistics(inputs), schema) == ()
    gone = validate(table_statistics(inputs.drop_columns(["dist"])), schema)
    assert [found.kind for found in gone] == ["column gone"]


def test_the_baseline_is_the_reference(bundle: Bundle) -> None:
    baseline = load_baseline(bundle.path / "assets.extra/baseline")
    reference = reference_table()
    assert baseline.spec.classes == CLASSES
    assert [(one.name, one.kind) for one in baseline.spec.features] == [
        ("carrier", "category"),
        ("temp", "number"),
        ("dist", "number"),
    ]
    assert baseline.reference.ids.to_pylist() == reference["prediction_id"].to_pylist()


def test_the_manifest_tells_how_it_was_made_and_how_good_it_was(bundle: Bundle) -> None:
    document = json.loads((bundle.path / "assets.extra/manifest.json").read_text())
    assert {
        key: document[key] for key in ("name", "created_at", "classes", "setup", "seed", "seeds", "data", "verdict")
    } == {
        "name": "flights",
        "created_at": NOW.isoformat(),
        "classes": list(CLASSES),
        "setup": {"name": "small"},
        "seed": 3,
        "seeds": [1, 2, 3],
        "data": {"digest": "d1"},
        "verdict": None,
    }
    assert document["environment"]["libraries"]["keras"] == keras.__version__
    assert isinstance(document["environment"]["onednn"], bool)
    assert {one["name"]: (one["dtype"], one["kind"]) for one in document["inputs"]} == {
        "carrier": ("string", "category"),
        "temp": ("float32", "number"),
        "dist": ("float32", "number"),
    }
    table = reference_table()
    known = np.array(table["label"].is_valid())
    late = np.stack(table["probabilities"].to_pylist())[known, 1]
    truth = np.array(table["label"].drop_null().to_pylist()) == "late"
    metrics = {one["metric"]: one for one in document["metrics"]}
    assert metrics["brier"]["mean"] == pytest.approx(((late - truth) ** 2).mean())
    assert metrics["auc"]["mean"] == area_under_curve(late, truth)
    assert (metrics["brier"]["rows"], metrics["brier"]["days"]) == (known.sum(), 10)
    assert set(metrics["brier"]["by_slice"]) == {"carrier=AA", "carrier=B6", "carrier=UA"}
    assert all(one["low"] < one["mean"] < one["high"] for one in metrics.values())


@pytest.mark.parametrize("noise", [AlwaysDropping(0.5), Counting()], ids=["random at inference", "frozen by the trace"])
def test_a_model_that_answers_otherwise_once_exported_is_not_published(
    noise: keras.layers.Layer, tmp_path: Path
) -> None:
    with pytest.raises(
        CannotRun, match=r"output (logits|probabilities) of (serving_default|explain).*differs by up to \d"
    ):
        export(small_model(noise), tmp_path)
    assert not list((tmp_path / "small").iterdir())


@pytest.mark.slow
def test_killed_in_the_middle_it_leaves_nothing_to_load(tmp_path: Path, model: keras.Model) -> None:
    checkout = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, checkout, tmp_path], check=False, capture_output=True, text=True
    )
    assert done.returncode == -9, done.stderr
    (left,) = (tmp_path / "flights").iterdir()
    assert left.name.startswith(PREFIX)
    assert (left / "bundle" / "saved_model.pb").is_file(), "it died too early to show anything"
    assert discover(tmp_path) == ()
    assert export(model, tmp_path, name="flights").version == 1
    assert [path.name for path in (tmp_path / "flights").iterdir()] == ["1"]


def test_a_model_of_images_with_one_unnamed_output_and_no_reference(tmp_path: Path) -> None:
    images = keras.Sequential(
        [keras.Input((4, 4, 1), name="image", dtype="uint8"), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    path = export(images, tmp_path, provenance=Provenance()).path
    extra = path / "assets.extra"
    assert sorted(one.name for one in extra.iterdir()) == ["manifest.json", "tf_serving_warmup_requests"]
    assert json.loads((extra / "manifest.json").read_text())["reference"] is None
    loaded = Runner(path)
    signature = loaded.signatures[DEFAULT_SIGNATURE]
    assert {name: one.shape for name, one in signature.inputs.items()} == {"image": (-1, 4, 4, 1)}
    assert {name: one.shape for name, one in signature.outputs.items()} == {"outputs": (-1, 3)}
    pixels = np.arange(32, dtype=np.uint8).reshape(2, 4, 4, 1)
    examples = np.array(write_examples(KerasModel(images).inputs, {"image": pixels}), object)
    answers = loaded.run(loaded.signatures[EXAMPLES], {"examples": examples}, ["outputs"])
    loaded.close()
    np.testing.assert_allclose(answers["outputs"], images(pixels).numpy(), rtol=1e-5)


def test_several_outputs_keep_their_layers_names(tmp_path: Path) -> None:
    word = keras.Input((None,), name="word", dtype="int64")
    pooled = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(5, 2)(word))
    two = keras.Model(word, [keras.layers.Dense(1, name="price")(pooled), keras.layers.Dense(2, name="kind")(pooled)])
    loaded = Runner(export(two, tmp_path, provenance=Provenance()).path)
    assert list(loaded.signatures[DEFAULT_SIGNATURE].inputs) == ["word"]
    assert {name: list(one.outputs) for name, one in loaded.signatures.items()} == {
        "explain": ["kind", "price"],
        "serving_default": ["kind", "price"],
    }, "no tf_example for sequences of any length"
    loaded.close()


@pytest.mark.parametrize("name", ["", "7", ".flights", "a/b", "a:b", "a b", "-x", "x" * 129])
def test_a_name_that_no_url_can_carry_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="no name for a model"):
        check_name(name)


def test_tensors_of_keeps_the_models_types(model: keras.Model) -> None:
    assert {name: one.dtype.name for name, one in tensors_of(KerasModel(model).inputs, ROWS).items()} == {
        "carrier": "string",
        "temp": "float32",
        "dist": "float32",
    }
