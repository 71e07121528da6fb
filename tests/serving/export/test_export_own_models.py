"""Anyone's Keras model: exported, served by the real core, and asked; the answers are Keras's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from monitoring.baseline.folder import load_baseline
from monitoring.baseline.schema import load_schema
from monitoring.errors import BadInput
from monitoring.tasks.number_codes import numbers
from serving.export.export import Bundle, Reference, export_bundle
from serving.export.keras_file import import_custom, load_keras
from serving.export.manifest import Provenance
from serving.export.table_file import read_table, table_of
from serving.models.loading import load_version
from serving.models.version_folders import discover
from serving.models.versions import Models
from tests.serving.export_model import now
from tests.serving.own_layers import Judging, Reading, Shifting

if TYPE_CHECKING:
    from tests.serving.conftest import OpenWebsite

OWN_LAYERS = str(Path(__file__).parents[1] / "own_layers.py")
RNG = np.random.default_rng(5)
NUMBERS = RNG.normal(size=(40, 3)).astype(np.float32)


def export(model: Any, models: Path, reference: pa.Table | None = None, **changes: Any) -> Bundle:
    rows = Reference(table=reference, features=changes.pop("features", ()), label=changes.pop("label", None))
    provenance = Provenance(classes=changes.pop("classes", ()))
    return export_bundle(model, folder=models / "own", reference=rows, provenance=provenance, clock=now)


def asked(open_website: OpenWebsite, models: Path, *documents: Any) -> list[Any]:
    """What the server's REST interface says to each document."""
    served = Models(lambda: discover(models), load=load_version, report=lambda _: None)
    served.poll()
    try:
        with open_website(served=served) as site:
            replies = [site.predict("own", document) for document in documents]
    finally:
        served.close()
    assert [reply.status for reply in replies] == [200] * len(documents), [reply.body for reply in replies]
    return [reply.json for reply in replies]


def softmax(logits: Any) -> Any:
    return np.asarray(tf.nn.softmax(logits))


def test_one_tensor_of_named_features_giving_logits(tmp_path: Path, open_website: OpenWebsite) -> None:
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(3)])
    lines = [f"{a},{b},{c},{place % 3},2024-05-0{1 + place % 7}T10:00:00Z" for place, (a, b, c) in enumerate(NUMBERS)]
    (tmp_path / "rows.csv").write_text("\n".join(["c,b,a,y,event_time", *lines]))
    bundle = export(model, tmp_path / "models", read_table(tmp_path / "rows.csv"), features=("a", "b", "c"), label="y")
    assert bundle.outputs == ("logits", "probabilities")
    assert bundle.remarks == ("Output outputs is interpreted as logits: its softmax is served as probabilities.",)
    (answer,) = asked(
        open_website,
        tmp_path / "models",
        {"instances": [{"c": float(one[0]), "b": float(one[1]), "a": float(one[2])} for one in NUMBERS]},
    )
    expected = softmax(model(NUMBERS[:, ::-1]))
    np.testing.assert_allclose(answer["predictions"], expected, atol=1e-5)
    baseline = load_baseline(bundle.path / "assets.extra/baseline")
    assert [one.name for one in baseline.spec.features] == ["a", "b", "c"]
    assert baseline.spec.classes == ("0", "1", "2")
    at = sorted(range(len(NUMBERS)), key=lambda place: (place % 7, f"reference-{place}:0"))  # by time, then by id
    np.testing.assert_allclose(baseline.reference.probabilities, expected[at], atol=1e-5)
    assert baseline.reference.labels.tolist() == [place % 3 for place in at]
    assert {one.metric for one in bundle.metrics} == {"brier", "error", "log_loss"}


def test_text_an_image_and_a_number_in_giving_several_outputs(tmp_path: Path, open_website: OpenWebsite) -> None:
    keras.utils.set_random_seed(2)
    words = keras.layers.TextVectorization(vocabulary=["late", "plane", "again"], output_sequence_length=4)
    review = keras.Input((1,), name="review", dtype="string")
    image = keras.Input((4, 4, 2), name="image", dtype="uint8")
    stars = keras.Input((), name="stars", dtype="int64")
    seen = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 3)(keras.layers.Rescaling(1 / 255)(image)))
    read = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(8, 3)(words(review)))
    given = keras.ops.cast(keras.ops.expand_dims(stars, -1), "float32")
    both = keras.layers.Concatenate()([seen, read, given])
    price, kind = keras.layers.Dense(1, name="price")(both), keras.layers.Dense(2, name="kind")(both)
    model = keras.Model([review, image, stars], (price, kind))
    rows = 12
    pixels = RNG.integers(0, 256, (rows, 4, 4, 2), dtype=np.uint8)
    texts = np.array(["late plane", "again", ""] * 4)
    table = table_of({"image": pixels, "review": texts, "stars": np.arange(rows)})
    bundle = export(model, tmp_path, table)
    assert bundle.outputs == ("price", "kind")
    assert bundle.has_baseline
    schema = load_schema(bundle.path / "assets.extra/schema.pbtxt")
    named = [feature.name for feature in schema.feature]
    assert sorted(name for name in named if not name.startswith("image.")) == ["review", "stars"]
    assert {"image.norm", "image.residual", "image.axis_1"} <= set(named)
    [no_loss] = [remark for remark in bundle.remarks if remark.startswith("No loss is watched")]
    assert "--task regression" in no_loss
    assert any("image is watched by what describes each vector: image.norm" in remark for remark in bundle.remarks)
    baseline = load_baseline(bundle.path / "assets.extra/baseline")
    assert baseline.spec.task.width == 3
    (answer,) = asked(
        open_website,
        tmp_path,
        {"inputs": {"review": texts.tolist(), "image": pixels.tolist(), "stars": list(range(rows))}},
    )
    expected = model([tf.constant(texts[:, None]), tf.constant(pixels), tf.range(rows, dtype=tf.int64)])
    np.testing.assert_allclose(answer["outputs"]["price"], expected[0], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(answer["outputs"]["kind"], expected[1], rtol=1e-5, atol=1e-5)


def test_a_subclassed_model_of_own_layers_without_a_reference(tmp_path: Path, open_website: OpenWebsite) -> None:
    keras.utils.set_random_seed(3)
    model = Judging()
    expected = np.asarray(model(NUMBERS))
    model.save(tmp_path / "judging.keras")
    loaded = load_keras(tmp_path / "judging.keras", import_custom(OWN_LAYERS))
    bundle = export(loaded, tmp_path / "models", classes=("no", "yes"))
    assert (bundle.outputs, bundle.has_baseline) == (("outputs", "probabilities"), False)
    assert bundle.remarks == (
        "Output outputs is interpreted as the probability of yes: those of both classes are served.",
        "Without --reference the bundle has no baseline, and cannot be monitored.",
    )
    (answer,) = asked(open_website, tmp_path / "models", {"instances": NUMBERS.tolist()})
    np.testing.assert_allclose([one["outputs"] for one in answer["predictions"]], expected, atol=1e-5)
    np.testing.assert_allclose([one["probabilities"][1] for one in answer["predictions"]], expected[:, 0], atol=1e-5)


@pytest.mark.slow
def test_a_subclassed_model_of_words_and_numbers_giving_a_tuple(tmp_path: Path, open_website: OpenWebsite) -> None:
    model = Reading()
    words = np.array(["good", "bad", "new"] * 4)
    rows = {"word": tf.constant(words[:, None]), "numbers": tf.constant(NUMBERS[:12])}
    expected = model(rows)
    model.save(tmp_path / "reading.keras")
    loaded = load_keras(tmp_path / "reading.keras", import_custom(OWN_LAYERS))
    table = table_of({"word": words, "numbers": NUMBERS[:12], "label": np.arange(12) % 3})
    bundle = export(loaded, tmp_path / "models", table)
    assert bundle.outputs == ("output_0", "output_1", "probabilities")
    assert bundle.has_baseline
    (answer,) = asked(
        open_website, tmp_path / "models", {"inputs": {"word": words.tolist(), "numbers": NUMBERS[:12].tolist()}}
    )
    np.testing.assert_allclose(answer["outputs"]["output_0"], expected[0], atol=1e-5)
    np.testing.assert_allclose(answer["outputs"]["probabilities"], expected[1], atol=1e-5)


@pytest.mark.slow
def test_a_regression_of_one_tensor_from_npz(tmp_path: Path, open_website: OpenWebsite) -> None:
    model = keras.Sequential([keras.Input((3,), name="features"), keras.layers.Dense(1)])
    np.savez(tmp_path / "rows.npz", x=NUMBERS, y=RNG.normal(size=40))
    bundle = export(model, tmp_path / "models", read_table(tmp_path / "rows.npz"), features=("a", "b", "c"), label="y")
    assert (bundle.outputs, bundle.has_baseline) == (("outputs",), True)
    assert bundle.remarks[0] == "Output outputs is interpreted as a predicted number: a regression."
    baseline = load_baseline(bundle.path / "assets.extra/baseline")
    assert (baseline.spec.output, baseline.spec.task.metrics) == ("outputs", ("absolute_error", "squared_error"))
    at = np.random.default_rng(0).permutation(40).tolist()  # as rows without dates are drawn
    np.testing.assert_allclose(baseline.reference.probabilities, model(NUMBERS).numpy()[at], atol=1e-5)
    truth = np.load(tmp_path / "rows.npz")["y"]
    assert numbers(baseline.reference.labels).tolist() == truth[at].tolist()
    errors = {one.metric: one.mean for one in bundle.metrics}
    assert errors["absolute_error"] == pytest.approx(np.abs(model(NUMBERS).numpy()[:, 0] - truth).mean(), rel=1e-5)
    assert json.loads((bundle.path / "assets.extra/manifest.json").read_text())["task"] == "regression"
    rows = [dict(zip("abc", row, strict=True)) for row in NUMBERS.tolist()]
    (answer,) = asked(open_website, tmp_path / "models", {"instances": rows})
    np.testing.assert_allclose(answer["predictions"], model(NUMBERS), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("stored", ["npy", "flat lists", "nested lists"])
def test_images_as_arrays_or_as_list_columns(tmp_path: Path, open_website: OpenWebsite, stored: str) -> None:
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Conv2D(2, 3),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    pixels = RNG.random((10, 4, 4, 1)).astype(np.float32)
    labelled: dict[str, Any] = {"label": ["dog", "cat"] * 5}
    if stored == "npy":
        np.save(tmp_path / "rows.npy", pixels)
        table = read_table(tmp_path / "rows.npy")
        labelled = {}
    elif stored == "flat lists":
        table = pa.table({"picture": pixels.reshape(10, -1).tolist(), **labelled})
    else:
        table = pa.table({"picture": pixels.tolist(), **labelled})
    bundle = export(model, tmp_path / "models", table, classes=("cat", "dog"))
    assert (bundle.outputs, bundle.has_baseline) == (("probabilities",), True)
    assert bool(bundle.metrics) == bool(labelled)
    (answer,) = asked(open_website, tmp_path / "models", {"instances": pixels.tolist()})
    np.testing.assert_allclose(answer["predictions"], model(pixels), atol=1e-5)


@pytest.mark.slow
def test_sequences_of_any_length(tmp_path: Path, open_website: OpenWebsite) -> None:
    model = keras.Sequential(
        [
            keras.Input((None,), name="tokens", dtype="int64"),
            keras.layers.Embedding(9, 2),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(2),
        ]
    )
    tokens = [[1, 2, 3], [4], [5, 6], [7, 8], [1, 1]]
    bundle = export(model, tmp_path, pa.table({"tokens": tokens, "label": [0, 1, 0, 1, 0]}))
    baseline = load_baseline(bundle.path / "assets.extra/baseline")
    expected = np.array([softmax(model(np.array([one])))[0] for one in tokens])
    drawn = np.sort(baseline.reference.probabilities, axis=0)  # rows without dates are drawn into windows
    np.testing.assert_allclose(drawn, np.sort(expected, axis=0), atol=1e-5)
    answers = asked(open_website, tmp_path, *({"instances": [one]} for one in tokens))
    np.testing.assert_allclose([one["predictions"][0] for one in answers], expected, atol=1e-5)


@pytest.mark.slow
def test_nested_dicts_keep_their_names(tmp_path: Path, open_website: OpenWebsite) -> None:
    one, other = keras.Input((2,), name="wind"), keras.Input((1,), name="sky")
    both = keras.layers.Concatenate()([one, other])
    model = keras.Model(
        {"wind": one, "sky": other},
        {"risk": {"delay": keras.layers.Dense(1)(both), "cancel": keras.layers.Dense(1)(both)}},
    )
    bundle = export(model, tmp_path)
    assert sorted(bundle.outputs) == ["risk.cancel", "risk.delay"]
    fed = {"wind": NUMBERS[:, :2], "sky": NUMBERS[:, 2:]}
    (answer,) = asked(
        open_website, tmp_path, {"inputs": {"wind": fed["wind"].tolist(), "sky": fed["sky"][:, 0].tolist()}}
    )
    np.testing.assert_allclose(answer["outputs"]["risk.delay"], model(fed)["risk"]["delay"], atol=1e-5)


def test_the_command_line_exports_somebodys_model(tmp_path: Path, pitfalls: Any) -> None:
    keras.Sequential([keras.Input((2,)), Shifting(), keras.layers.Dense(1)]).save(tmp_path / "own.keras")
    days = [f"2026-06-0{day} 00:08:16.017164695+00:00" for day in (1, 2, 3)]  # as pandas writes them
    rows = zip(("1,2,1", "3,4,0", "5,6,1"), days, strict=True)
    (tmp_path / "rows.csv").write_text("temp,wind,late,when\n" + "".join(f"{row},{day}\n" for row, day in rows))
    flags = (
        "export", tmp_path / "own.keras", "--name", "own", "--models", tmp_path / "models", "--json",
        "--reference", tmp_path / "rows.csv", "--features", "temp,wind", "--label", "late", "--custom", OWN_LAYERS,
    )  # fmt: skip
    done = pitfalls(*flags)
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["version"], document["baseline"]) == (1, True)
    assert document["outputs"] == ["logits", "probabilities"]
    assert any("no event_time" in remark for remark in document["remarks"])
    assert any("--event-time when" in remark for remark in document["remarks"])
    dated = json.loads(pitfalls(*flags, "--event-time", "when").stdout)
    assert dated["version"] == 2
    assert not any("time" in remark for remark in dated["remarks"])
    absent = pitfalls(*flags, "--event-time", "day")
    assert absent.exit_code == 2
    assert "temp, wind, late, when" in absent.stderr
    wrong = pitfalls("export", tmp_path / "own.keras", "--name", "own", "--models", tmp_path / "models")
    assert wrong.exit_code == 2
    assert "needs Shifting" in wrong.stderr


TOPICS = ("dog", "cat", "bird")


@pytest.mark.parametrize("form", ["names", "columns"])
def test_sigmoids_are_served_as_they_are_and_labels_are_sets_of_classes(tmp_path: Path, form: str) -> None:
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,), name="x"), keras.layers.Dense(3, activation="sigmoid", name="tags")])
    truth = np.asarray(RNG.random((40, 3)) < 0.4)
    names = [[name for name, one in zip(TOPICS, row, strict=True) if one] for row in truth]
    labels: dict[str, Any] = {"y": names}
    if form == "columns":
        labels = {name: truth[:, place].astype(int) for place, name in enumerate(TOPICS)}
    rows = Reference(
        table=pa.table({"x": NUMBERS.tolist(), **labels}),
        label="y" if form != "columns" else None,
        label_columns=TOPICS if form == "columns" else (),
    )
    made = Provenance(classes=() if form == "columns" else TOPICS)
    bundle = export_bundle(model, folder=tmp_path / "own", reference=rows, provenance=made, clock=now)
    assert bundle.outputs == ("outputs",)
    assert "probability of each of 3 classes" in bundle.remarks[0]
    assert json.loads((bundle.path / "assets.extra/manifest.json").read_text())["task"] == "multilabel"
    baseline = load_baseline(bundle.path / "assets.extra/baseline")
    assert (baseline.spec.task.classes, baseline.spec.classes, baseline.spec.output) == (TOPICS, (), bundle.outputs[0])
    at = np.random.default_rng(0).permutation(40).tolist()  # as rows without dates are drawn
    np.testing.assert_allclose(baseline.reference.probabilities, np.asarray(model(NUMBERS))[at], atol=1e-6)
    assert baseline.reference.labels.tolist() == (truth @ (1 << np.arange(3)))[at].tolist()
    assert {"macro_brier", "hamming_error", "class_auc:bird"} <= {one.metric for one in bundle.metrics}


def test_labels_of_no_class_and_classes_that_are_not_named_are_refused_before_the_model_is_opened(
    tmp_path: Path,
) -> None:
    table = pa.table({"x": NUMBERS[:2].tolist(), "y": [["dog", "cow"], []]})
    for classes, message in (((), "have to be named"), (("dog", "cat"), "name none of the classes")):
        with pytest.raises(BadInput, match=message):
            export_bundle(
                tmp_path / "absent.keras",
                folder=tmp_path / "own",
                reference=Reference(table=table, label="y"),
                provenance=Provenance(classes=classes),
                clock=now,
            )
