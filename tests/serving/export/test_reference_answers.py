"""The bundle keeps schema and baseline of its reference, and says what it lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import pyarrow as pa
import pytest

from monitoring.baseline.folder import load_baseline
from monitoring.baseline.schema import load_schema, table_statistics, validate
from monitoring.errors import BadInput
from serving.export.export import Bundle, Reference, export_bundle
from serving.export.manifest import Provenance
from tests.serving.export_model import CLASSES, now, reference_table


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
