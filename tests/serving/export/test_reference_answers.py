"""The bundle keeps schema and baseline of its reference, and says what it lacks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.folder import load_baseline
from monitoring.baseline.schema import load_schema, table_statistics, validate
from monitoring.errors import BadInput
from monitoring.tasks.registry import ranking_of
from serving.export.export import Bundle, Reference, export_bundle
from serving.export.inputs.input_roles import DeclaredRoles
from serving.export.keras_model import KerasModel
from serving.export.manifest import Provenance
from serving.export.outputs.probabilities import PROBABILITIES
from serving.export.outputs.rankings import RankedOutput
from serving.export.reference_answers import other_outputs, quantile_remark, with_rankings
from serving.export.reference_table import match_columns
from tests.serving.export_model import CLASSES, now, reference_table
from tests.serving.ranking_model import NUMBERS, PLACES, TEXTS, ranking_model, ranking_reference


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
    assert baseline.reference.ids.to_pylist() == [f"reference-{row:03}:0" for row in range(reference.num_rows)]


@pytest.mark.parametrize(("classes", "warned"), [(("no", "yes"), 0), (("yes", "no"), 1)])
def test_classes_in_another_order_than_the_outputs_are_warned_of(
    tmp_path: Path, classes: tuple[str, ...], warned: int
) -> None:
    ages = np.tile([-2.0, -1.0, 1.0, 2.0], 20)
    model = keras.Sequential([keras.Input((1,), name="age"), keras.layers.Activation("sigmoid")])
    table = pa.table(
        {"age": ages, "label": np.where((ages > 0) ^ (np.arange(80) % 10 == 0), "yes", "no").astype(object)}
    )
    made = Provenance(classes=classes)
    bundle = export_bundle(model, folder=tmp_path / "own", reference=table, provenance=made, clock=now)
    assert len(bundle.warnings) == warned
    assert all("answered wrongly: are the classes in the order" in warning for warning in bundle.warnings)


def test_labels_that_are_no_places_in_an_output_are_said_to_be_none(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3,), name="x"), keras.layers.Dense(3)])

    def said(labels: Any, *classes: str) -> tuple[str, ...]:
        table = pa.table({"x": [[1.0, 2.0, 3.0]] * 6, "label": labels})
        made = Provenance(classes=classes)
        return export_bundle(model, folder=tmp_path / "own", reference=table, provenance=made, clock=now).remarks

    one = next(remark for remark in said(pa.array([1, 2, 3, None, 3, 3])) if remark.startswith("No loss is watched"))
    assert one.endswith(
        "The labels (1, 2, 3) are not indices of an output: for a classifier, give its classes in the order of the "
        "output, --classes 1,2,3."
    )
    assert not any("not indices" in remark for remark in said(pa.array([1, 2, 3, None, 3, 3]), "1", "2", "3"))
    assert any("(0, 1, 2, 3, 4, 5)" in remark for remark in said(pa.array([0, 1, 2, 3, 4, 5])))
    unknown = said(pa.nulls(6, pa.int64()))
    assert any(remark.endswith("no known label: for a classifier, give --classes.") for remark in unknown)


def test_several_numbers_are_refused_until_one_is_named_and_the_others_are_watched_for_drift(tmp_path: Path) -> None:
    x = keras.Input((3,), name="x")
    heads = {"price": keras.layers.Dense(1)(x), "days": keras.ops.squeeze(keras.layers.Dense(1)(x), -1)}
    model = keras.Model(x, heads)
    table = pa.table({"x": [[1.0, 2.0, 3.0]] * 6, "label": [1.5, 2.5, 3.5, 4.5, 5.5, float("nan")]})

    def made(**said: Any) -> Bundle:
        given = Reference(table=table, **said)
        return export_bundle(model, folder=tmp_path / "own", reference=given, provenance=Provenance(), clock=now)

    with pytest.raises(BadInput, match="outputs days, price"):
        made()
    with pytest.raises(BadInput, match="one of days, price"):
        made(output="day")
    with pytest.raises(BadInput, match="has no classes"):
        Reference(table=table, task="regression").check_task(("a", "b"))
    with pytest.raises(BadInput, match="column x is list"):
        Reference(table=table, task="regression", label="x").check_task(())
    bundle = made(output="days")
    assert bundle.has_baseline
    assert bundle.remarks[:2] == (
        "Output days is interpreted as a predicted number: a regression.",
        "Watched for drift, and not for losses: price; the label is the truth of days.",
    )
    assert bundle.metrics[0].rows == 5


RANKED = RankedOutput(ids="ids", scores="scores", places=PLACES)


@pytest.mark.parametrize("ids", [TEXTS, NUMBERS], ids=["text", "whole numbers"])
def test_every_row_is_answered_with_codes_and_scores(ids: list[Any]) -> None:
    model = KerasModel(ranking_model(ids))
    given = Reference(table=ranking_reference(ids), label="clicked", task="ranking").with_lists()
    table, task = with_rankings(match_columns(given.table, model, given.label), model, RANKED)
    answers = np.stack(table[PROBABILITIES].to_pylist())
    assert answers.shape == (60, 2 * PLACES)
    assert [name for _, name in task.first] == sorted([str(ids[0]), str(ids[-1])])
    losses = task.losses(answers, task.label_codes(table["label"]))
    np.testing.assert_allclose(losses["recall_loss"], np.where(np.arange(60) % 2, 0.0, 0.5))
    np.testing.assert_allclose(losses["reciprocal_rank_loss"], np.where(np.arange(60) % 2, 0.5, 0.0))


def test_labels_that_are_never_answered_are_refused() -> None:
    model = KerasModel(ranking_model(TEXTS))
    places = pa.table({"x": [1.0, -1.0], "label": ["7", "0"]})
    with pytest.raises(BadInput, match="No label is ever among the answered ids") as refused:
        with_rankings(match_columns(places, model), model, RANKED)
    assert "--label" in refused.value.fix


def test_the_bundle_knows_its_ids_and_its_losses(tmp_path: Path) -> None:
    given = Reference(table=ranking_reference(TEXTS, 400), label="clicked", task="ranking")
    bundle = export_bundle(
        ranking_model(TEXTS), folder=tmp_path / "recs", reference=given, provenance=Provenance(), clock=now
    )
    spec = load_baseline(bundle.path / "assets.extra/baseline").spec
    task = ranking_of(spec.task)
    assert task is not None
    assert (spec.output, spec.id_scores, task.places, task.scored) == ("ids", "scores", PLACES, True)
    assert {one.metric: round(one.mean, 3) for one in bundle.metrics if not one.slice}["recall_loss"] == 0.25
    assert bundle.remarks[0] == "Output ids is interpreted as 3 ids, best first, and output scores as their scores."
    assert not any("does not watch" in remark for remark in bundle.remarks)


@pytest.mark.parametrize(
    ("said", "classes", "reason"),
    [
        ({"task": "ranking"}, ("a", "b"), "--classes a,b"),
        ({"score": "scores"}, (), "without --task ranking"),
        ({"task": "ranking", "label_columns": ("x", "clicked")}, (), "several label columns"),
    ],
    ids=["classes", "score", "columns"],
)
def test_what_is_no_ranking_is_refused_before_the_model_is_loaded(
    said: dict[str, Any], classes: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(BadInput, match="A ranking has an output of ids") as refused:
        Reference(table=ranking_reference(TEXTS), **said).check_task(classes)
    assert reason in refused.value.got


RNG = np.random.default_rng(3)
SPREAD = RNG.normal(size=2000)


def suggested(answers: np.ndarray, labels: np.ndarray) -> float | None:
    found = re.search(r"--quantile ([0-9.]+)\.$", quantile_remark("y", answers, labels))
    return None if found is None else float(found[1])


@pytest.mark.parametrize("quantile", [0.05, 0.1, 0.25, 0.75, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("shape", ["normal", "skewed"])
def test_a_quantile_is_recognised(quantile: float, shape: str) -> None:
    centre = RNG.normal(size=SPREAD.size) * 5
    spread = SPREAD if shape == "normal" else np.exp(SPREAD / 2)
    assert suggested(centre + np.quantile(spread, quantile), centre + spread) == quantile


@pytest.mark.parametrize("shape", ["normal", "skewed", "very skewed"])
def test_means_and_medians_are_not(shape: str) -> None:
    spread = {"normal": SPREAD, "skewed": np.exp(SPREAD), "very skewed": np.exp(1.5 * SPREAD)}[shape]
    for answer in (spread.mean(), np.median(spread)):
        assert suggested(np.full(spread.size, answer), spread) is None


def test_a_little_bias_few_rows_and_missing_labels_say_nothing() -> None:
    assert suggested(SPREAD * 0 + 0.3, SPREAD) is None
    assert suggested(np.full(49, 9.0), SPREAD[:49]) is None
    assert suggested(np.full(60, 9.0), np.where(np.arange(60) < 49, SPREAD[:60], np.nan)) is None
    assert suggested(SPREAD, SPREAD) is None
    assert suggested(np.full(SPREAD.size, np.nan), SPREAD) is None


def heads() -> keras.Model:
    """x [n, 1] to a class, a number, twelve numbers, a text of two, and the text of the class in a list of two."""
    keras.utils.set_random_seed(0)
    x = keras.Input((1,), name="x")
    names = keras.layers.StringLookup(vocabulary=["low", "high"], invert=True)
    words = names(keras.ops.cast(x > 0, "int64") + 1)
    return keras.Model(
        x,
        {
            "kind": keras.layers.Dense(3, activation="softmax")(x),
            "amount": x * 2.0,
            "many": keras.layers.Dense(12)(x),
            "word": words,
            "words": names(keras.ops.concatenate([keras.ops.cast(x > 0, "int64") + 1] * 2, axis=-1)),
        },
    )


@pytest.fixture(scope="module")
def two_heads() -> keras.Model:
    return heads()


def reference(rows: int = 200) -> pa.Table:
    rng = np.random.default_rng(0)
    return pa.table({"x": rng.normal(size=rows).astype(np.float32), "label": rng.integers(0, 3, rows)})


def test_numbers_and_categories_are_watched_and_other_texts_are_not(two_heads: keras.Model) -> None:
    table = reference()
    found = other_outputs(table, KerasModel(two_heads), ("amount", "many", "word", "words"))
    assert {feature.name: feature.kind for feature in found.features} == {
        "output amount": "number",
        "output many mean": "number",
        "output many deviation": "number",
        "output many largest": "number",
        "output word": "category",
    }
    x = np.asarray(table["x"])
    np.testing.assert_allclose(found.columns["output amount"].to_numpy(), 2 * x)
    assert found.columns["output word"].to_pylist() == ["high" if each > 0 else "low" for each in x]
    assert found.append_to(table).column_names[2:] == [feature.name for feature in found.features]


def test_a_bundle_watches_them_and_says_so(two_heads: keras.Model, tmp_path: Path) -> None:
    def made(*ignore: str) -> tuple[tuple[str, ...], frozenset[str]]:
        given = Reference(table=reference(), output="kind", roles=DeclaredRoles(ignore=ignore))
        bundle = export_bundle(two_heads, folder=tmp_path / "own", reference=given, provenance=Provenance(), clock=now)
        baseline = load_baseline(bundle.path / "assets.extra/baseline")
        assert [bins.feature for bins in baseline.input_bins[0]] == ["x"]
        return bundle.remarks, baseline.spec.of_outputs

    remarks, watched = made("many")
    assert watched == {"output amount", "output word"}
    assert "Watched for drift, and not for losses: amount, word; the label is the truth of kind." in remarks
    assert "A monitor does not watch words, which holds texts that are no categories." in remarks
    assert any("many (ignored)" in remark for remark in remarks)
    with pytest.raises(BadInput, match="no such input"):
        made("nothing")
