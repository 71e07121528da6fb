"""The axes of an embedding: kept to the last bit, and the same whatever the order of rows."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import CannotRun
from serving.export.embedding import MAX_AXES, BundleEmbedder, Projection, embed_reference
from serving.export.keras_model import KerasModel
from tests.serving.export_model import exported, reference_table, small_model


def rows(seed: int, size: int, width: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.random.default_rng(seed).normal(size=(size, width)) * np.geomspace(1.0, 0.2, width)


@pytest.mark.parametrize("width", [1, 3, 40])
def test_axes_are_orthonormal_longest_first_and_few(width: int) -> None:
    values = rows(0, 500, width)
    projection = Projection.fit(values)
    kept = min(width, MAX_AXES)
    assert projection.columns == tuple(f"embedding:{place + 1}" for place in range(kept))
    np.testing.assert_allclose(projection.axes.T @ projection.axes, np.eye(kept), atol=1e-12)
    deviations = projection.project(values).std(axis=0)
    assert (np.diff(deviations) <= 1e-12).all()
    np.testing.assert_allclose(projection.project(values).mean(axis=0), 0.0, atol=1e-12)


def test_the_order_of_rows_turns_no_axis() -> None:
    values = rows(1, 300, 8)
    np.testing.assert_allclose(Projection.fit(values[::-1]).axes, Projection.fit(values).axes, atol=1e-9)


def test_what_does_not_vary_is_no_axis() -> None:
    values = np.concatenate([rows(2, 50, 2), np.ones((50, 3))], axis=1)
    assert len(Projection.fit(values).columns) == 2
    assert Projection.fit(np.ones((5, 3))).columns == ()
    assert Projection.fit(np.full((5, 3), np.nan)).columns == ()


def test_axes_come_back_to_the_bit(tmp_path: Path) -> None:
    projection = Projection.fit(rows(3, 100, 5))
    projection.write(tmp_path / "projection.npy")
    found = Projection.read(tmp_path / "projection.npy")
    np.testing.assert_array_equal(found.centre, projection.centre)
    np.testing.assert_array_equal(found.axes, projection.axes)
    with pytest.raises(CannotRun, match="projection of the bundle's embedding is missing"):
        Projection.read(tmp_path / "gone.npy")


def images(width: int = 3) -> keras.Model:
    keras.utils.set_random_seed(5)
    image = keras.Input((4,), name="image")
    embedding = keras.layers.Dense(width, activation="tanh", name="embedding")(image)
    return keras.Model(image, {"embedding": embedding, "logits": keras.layers.Dense(2, name="logits")(embedding)})


def pictures(count: int) -> pa.Table:
    return pa.table({"image": np.random.default_rng(2).normal(size=(count, 4)).astype(np.float32).tolist()})


def test_a_bundle_embeds_rows_as_the_export_did(tmp_path: Path) -> None:
    table = pictures(200)
    bundle = exported(images(), tmp_path, reference=table.append_column("label", pa.array(["late", "on_time"] * 100)))
    seen = embed_reference(table, KerasModel(images()))
    assert seen is not None
    assert seen.embedding.tensors == ("image",)
    assert seen.append_to(table).column_names == ["image", *seen.embedding.columns]
    embedder = BundleEmbedder(bundle.path)
    np.testing.assert_allclose(embedder(table), seen.coordinates, atol=1e-5)
    few = table.slice(0, 3)
    np.testing.assert_array_equal(embedder(few), embedder(table)[:3], err_msg="whatever rows are with them")


def test_a_row_that_is_not_whole_has_no_embedding(tmp_path: Path) -> None:
    bundle = exported(images(), tmp_path, reference=pictures(20).append_column("label", pa.array(["late"] * 20)))
    rows = pa.table({"image": pa.array([[1.0] * 4, None, [1.0] * 3, [0.0] * 4], pa.list_(pa.float32()))})
    found = BundleEmbedder(bundle.path)(rows)
    assert np.isfinite(found).all(axis=1).tolist() == [True, False, False, True]


def test_models_without_a_tensor_or_without_an_embedding_have_none() -> None:
    plain = keras.Sequential([keras.Input((4,), name="image"), keras.layers.Dense(2)])
    assert embed_reference(pictures(5), KerasModel(plain)) is None
    assert embed_reference(reference_table(5), KerasModel(small_model())) is None, "scalars are watched by themselves"


def test_a_bundle_without_its_projection_cannot_embed(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="projection of the bundle's embedding is missing"):
        BundleEmbedder(tmp_path)(pictures(1))
