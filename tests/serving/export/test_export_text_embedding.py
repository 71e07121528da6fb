"""A text model whose hidden layer is named at export: live texts are embedded as those of the reference were."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.folder import load_baseline
from serving.export.embedding import BundleEmbedder
from serving.export.export import Reference, export_bundle
from serving.export.manifest import Provenance

pytestmark = pytest.mark.slow
WORDS = [f"word{number}" for number in range(50)]


def texts(count: int) -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(WORDS, 6)) for _ in range(count)]


def model() -> keras.Model:
    keras.utils.set_random_seed(3)
    text = keras.Input((1,), dtype="string", name="comment")
    places = keras.layers.TextVectorization(60, output_sequence_length=8, vocabulary=WORDS, name="places")(text)
    words = keras.layers.Embedding(60, 6, name="words")(places)
    hidden = keras.layers.Dense(5, activation="tanh", name="hidden")(keras.layers.GlobalAveragePooling1D()(words))
    return keras.Model(text, keras.layers.Dense(1, activation="sigmoid", name="toxic")(hidden))


def test_texts_are_embedded_by_the_layer_that_is_named_and_it_is_not_served(tmp_path: Path) -> None:
    table = pa.table({"comment": texts(400), "label": ["no", "yes"] * 200})
    bundle = export_bundle(
        model(),
        folder=tmp_path / "toxic",
        reference=Reference(table=table, embedding="words"),
        provenance=Provenance(classes=("no", "yes")),
        clock=lambda: datetime(2024, 1, 1, tzinfo=UTC),
    )
    embedding = load_baseline(bundle.path / "assets.extra" / "baseline").spec.embedding
    assert embedding is not None
    assert (embedding.tensors, len(embedding.columns)) == (("comment",), 6)
    assert "embedding" in bundle.outputs
    found = BundleEmbedder(bundle.path)(table.select(["comment"]))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.mean(axis=0), 0.0, atol=1e-5)
    assert not any("embedding" in remark for remark in bundle.remarks if "is interpreted" in remark)
