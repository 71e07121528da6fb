"""Outputs that no label is the truth of are features that are watched, unless their owner ignores them."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.folder import load_baseline
from monitoring.errors import BadInput
from serving.export.answers.other_outputs import other_outputs
from serving.export.export import Reference, export_bundle
from serving.export.inputs.input_roles import DeclaredRoles
from serving.export.keras_model import KerasModel
from serving.export.manifest import Provenance
from tests.serving.export_model import now


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
def model() -> keras.Model:
    return heads()


def reference(rows: int = 200) -> pa.Table:
    rng = np.random.default_rng(0)
    return pa.table({"x": rng.normal(size=rows).astype(np.float32), "label": rng.integers(0, 3, rows)})


def test_numbers_and_categories_are_watched_and_other_texts_are_not(model: keras.Model) -> None:
    table = reference()
    found = other_outputs(table, KerasModel(model), ("amount", "many", "word", "words"))
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


def test_a_bundle_watches_them_and_says_so(model: keras.Model, tmp_path: Path) -> None:
    def made(*ignore: str) -> tuple[tuple[str, ...], frozenset[str]]:
        given = Reference(table=reference(), output="kind", roles=DeclaredRoles(ignore=ignore))
        bundle = export_bundle(model, folder=tmp_path / "own", reference=given, provenance=Provenance(), clock=now)
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
