"""Embeddings in the joint watch: their numbers are watched by themselves as well, and missing ones are a finding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.baseline.folder import REFERENCE, load_baseline, write_baseline
from monitoring.baseline.predictions import Predictions, predictions_from
from monitoring.baseline.spec import BaselineSpec, Embedding
from monitoring.errors import BadInput
from monitoring.records import ScoreSum
from monitoring.watches.catalogue import catalogue
from monitoring.watches.embedding import Embed, EmbeddingSource, embedded, missing_embeddings
from monitoring.watches.joint import RecentWindows, Witness

WINDOWS, ROWS = 20, 50
EMBEDDING = Embedding(tensors=("image",), columns=("embedding:1", "embedding:2"))
SPEC = BaselineSpec(classes=("no", "yes"), features=(), embedding=EMBEDDING)


def reference(seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    rows = WINDOWS * ROWS
    moments = pa.array(np.arange(rows) * 1_000_000, pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    return pa.table(
        {
            "prediction_id": [f"reference-{row}" for row in range(rows)],
            "event_time": moments,
            "embedding:1": rng.normal(size=rows),
            "embedding:2": rng.normal(size=rows),
            "probabilities": [[0.5, 0.5]] * rows,
            "label": pa.nulls(rows, pa.string()),
            "label_time": pa.nulls(rows, pa.timestamp("us", tz="UTC")),
        }
    )


def traffic(start: int, images: list[list[float] | None]) -> Predictions:
    """Live rows, whose image is their embedding; None is a row without one."""
    rows = len(images)
    table = pa.table(
        {
            "prediction_id": [f"{start}:{row}" for row in range(rows)],
            "event_time": pa.array(start * 1_000_000 + np.arange(rows), pa.int64()).cast(pa.timestamp("us", tz="UTC")),
            "image": pa.array(images, pa.list_(pa.float32())),
            "probabilities": pa.array([[0.5, 0.5]] * rows, pa.list_(pa.float64())),
        }
    )
    return predictions_from(table, SPEC)


def itself(rows: pa.Table) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    images = rows["image"].to_pylist()
    return np.array([[np.nan, np.nan] if one is None else one for one in images], dtype=np.float64).reshape(-1, 2)


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Witness:
    folder = tmp_path_factory.mktemp("baseline")
    write_baseline(reference(), folder=folder, spec=SPEC)
    baseline = load_baseline(folder)
    assert baseline.spec == SPEC
    space = catalogue(baseline).feature_space
    assert space is not None
    assert "embedding" in catalogue(baseline).watches
    rows = np.arange(WINDOWS * ROWS)
    return Witness.fit(space, [baseline.reference.take(rows[first : first + ROWS]) for first in rows[::ROWS]])


def seen(
    witness: Witness, recent: RecentWindows, rows: Predictions, embed: Embed | None
) -> tuple[ScoreSum, RecentWindows]:
    """A window judged as the job does: what can be embedded of its rows, out of all of them."""
    return witness.step_sample(recent, embedded(rows, EmbeddingSource(embedding=EMBEDDING, embed=embed)), len(rows))


def test_a_number_that_moves_by_itself_is_seen_where_no_other_watch_looks(witness: Witness) -> None:
    rng = np.random.default_rng(1)
    recent, scores = RecentWindows(), []
    for number, moved in enumerate([0.0] * 8 + [1.0] * 8):
        images = rng.normal([moved, 0.0], 1.0, (ROWS, 2)).tolist()
        total, recent = seen(witness, recent, traffic(number, images), itself)
        scores.append(total.mean if total.rows else 0.5)
    assert np.mean(scores[:8]) == pytest.approx(0.5, abs=0.06)
    assert np.mean(scores[9:]) > 0.65


def test_pairs_that_are_named_are_never_numbers_of_an_embedding(witness: Witness) -> None:
    _, recent = seen(witness, RecentWindows(), traffic(0, [[9.0, 9.0]] * ROWS), itself)
    assert recent.windows
    assert witness.pairs(recent, 3) == ()


def test_rows_without_an_embedding_are_no_rows_of_the_watch(witness: Witness) -> None:
    rows = traffic(0, [[0.0, 0.0]] * 4)
    _, before = seen(witness, RecentWindows(), rows, itself)
    total, after = seen(witness, before, rows, None)
    assert (total, after) == (ScoreSum(), before)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.none() | st.lists(st.floats(-5, 5, width=32), min_size=2, max_size=2), max_size=20))
def test_embedded_rows_are_those_with_a_tensor_in_their_order(images: list[list[float] | None]) -> None:
    found = embedded(traffic(0, images), EmbeddingSource(embedding=EMBEDDING, embed=itself))
    there = [row for row, image in enumerate(images) if image is not None]
    assert found.ids.to_pylist() == [f"0:{row}" for row in there]
    if there:
        assert found.features.column_names == list(EMBEDDING.columns)
        numbers = np.stack([found.features[name].to_numpy() for name in EMBEDDING.columns], axis=1)
        np.testing.assert_array_equal(numbers, itself(pa.table({"image": [images[row] for row in there]})))


def test_rows_that_have_the_numbers_already_are_embedded_as_they_are() -> None:
    rows = predictions_from(reference(), SPEC)
    assert embedded(rows, EmbeddingSource(embedding=EMBEDDING, embed=None)) is rows


def test_traffic_without_the_tensor_is_read_and_embedded_as_nothing() -> None:
    table = reference().select(["prediction_id", "event_time", "probabilities"])
    rows = predictions_from(table, SPEC)
    assert not rows.problems
    assert len(embedded(rows, EmbeddingSource(embedding=EMBEDDING, embed=itself))) == 0


def test_a_reference_without_a_number_of_its_embedding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="embedding:2"):
        write_baseline(reference().drop_columns(["embedding:2"]), folder=tmp_path, spec=SPEC)
    assert not (tmp_path / REFERENCE).exists()


def test_a_baseline_without_an_embedding_does_not_mention_one(tmp_path: Path) -> None:
    table = reference().drop_columns(list(EMBEDDING.columns))
    write_baseline(table, folder=tmp_path, spec=BaselineSpec(classes=("no", "yes"), features=()))
    assert "embedding" not in (tmp_path / "baseline.json").read_text(encoding="utf-8")
    assert "embedding:1" not in pq.read_schema(tmp_path / REFERENCE).names
    assert catalogue(load_baseline(tmp_path)).feature_space is None


def test_sampled_rows_without_an_embedding_are_a_finding_and_no_fact() -> None:
    with_function = EmbeddingSource(embedding=EMBEDDING, embed=itself)
    without = EmbeddingSource(embedding=EMBEDDING)
    assert missing_embeddings(5, 5, with_function) == ()
    (refused,), (none,) = missing_embeddings(5, 3, with_function), missing_embeddings(5, 0, without)
    assert (refused.kind, refused.fact) == (none.kind, none.fact) == ("not embedded", False)
    assert refused.message.startswith("2 of 5 sampled rows have no embedding of image: the traffic has no tensors")
    assert none.message.endswith("no function that computes embeddings was given.")
