"""Embeddings in the joint watch: sampled rows with tensors get the numbers of their embedding, computed elsewhere.

The monitor runs no model. Its caller passes a function that computes embeddings; it is called for the rows of a window
that the joint watch samples, and for no others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import Bins, FeatureCounts, fit_bins
from monitoring.baseline.profile_builder import profile
from monitoring.baseline.spec import BaselineSpec, Embedding, FeatureSpec
from monitoring.records import Finding

#: From rows of a model's inputs, tensors as lists, to the numbers of their embedding, float64 [n, columns]; NaN in rows
#: that cannot be embedded.
Embed: TypeAlias = Callable[[pa.Table], NDArray[np.float64]]

#: From a bundle's version folder to the function that embeds its rows, which loads the model at the first row.
Embedder: TypeAlias = Callable[[Path], Embed]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingSource:
    """The embedding of a deployment's tensors, and the function that computes it, if there is one."""

    embedding: Embedding
    embed: Embed | None = None


def embedding_bins(baseline: Baseline) -> tuple[tuple[Bins, ...], tuple[FeatureCounts, ...]]:
    """The bins of the embedding's numbers over the baseline's rows, and the counts on them.

    Returns:
        Bins and counts, one per number; empty without an embedding.
    """
    if baseline.spec.embedding is None:
        return (), ()
    numbers = tuple(FeatureSpec(name=name, kind="number") for name in baseline.spec.embedding.columns)
    rows = replace(baseline.rows.answers, features=baseline.rows.inputs(baseline.spec.embedding.columns))
    bins = fit_bins(rows, BaselineSpec(classes=baseline.spec.classes, features=numbers))
    return bins, profile(rows, bins).features


def embedded(rows: Predictions, source: EmbeddingSource) -> Predictions:
    """The rows that can be embedded, with the numbers of their embedding instead of their tensors.

    Returns:
        The embedded rows, in their order; none without a function, or without one of the tensors.
    """
    embedding, embed = source.embedding, source.embed
    there = set(rows.features.column_names)
    if set(embedding.columns) <= there and not there & set(embedding.tensors):
        return rows
    if embed is None or not len(rows) or not set(embedding.tensors) <= there:
        return rows.take(np.zeros(0, dtype=np.int64))
    numbers = embed(rows.features)
    places = np.flatnonzero(np.isfinite(numbers).all(axis=1))
    embedded_rows = rows.take(places)
    columns = dict(zip(embedding.columns, numbers[places].T, strict=True))
    features = embedded_rows.features.drop_columns(list(embedding.tensors))
    for name, column in columns.items():
        features = features.append_column(name, pa.array(column))
    return replace(embedded_rows, features=features)


def missing_embeddings(rows: int, with_embedding: int, source: EmbeddingSource) -> tuple[Finding, ...]:
    """The finding of a window with sampled rows that have no embedding; no fact, as that may be intended.

    Returns:
        One finding; none if every row was embedded.
    """
    if with_embedding == rows:
        return ()
    tensors = ", ".join(source.embedding.tensors)
    reason = (
        "the traffic has no tensors of the model's size, or the model refuses them"
        if source.embed is not None
        else "no function that computes embeddings was given"
    )
    message = f"{rows - with_embedding} of {rows} sampled rows have no embedding of {tensors}: {reason}."
    return (Finding(kind="not embedded", feature="", message=message),)
