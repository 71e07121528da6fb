"""Tensors in the joint watch: sampled rows get the numbers of their embedding, which somebody else computes.

The monitor runs no model. Whoever runs it hands in a function that does; it is called for the sample of a window that
the joint watch looks at, and never for the others.
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

#: From a bundle's version folder to what embeds its rows. May load the model at the first row, and not before.
Embedder: TypeAlias = Callable[[Path], Embed]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingSource:
    """How a deployment's joint watch sees tensors: by which embedding, and what computes it, if anything does."""

    embedding: Embedding
    embed: Embed | None = None


def embedding_bins(baseline: Baseline) -> tuple[tuple[Bins, ...], tuple[FeatureCounts, ...]]:
    """Bins of the embedding's numbers over the baseline's rows, and its counts in them; none without an embedding."""
    if baseline.spec.embedding is None:
        return (), ()
    numbers = tuple(FeatureSpec(name=name, kind="number") for name in baseline.spec.embedding.columns)
    rows = replace(baseline.rows.answers, features=baseline.rows.inputs(baseline.spec.embedding.columns))
    bins = fit_bins(rows, BaselineSpec(classes=baseline.spec.classes, features=numbers))
    return bins, profile(rows, bins).features


def embedded(rows: Predictions, embedding: Embedding, embed: Embed | None) -> Predictions:
    """The rows that can be embedded, with the numbers of their embedding in the place of tensors.

    None where nothing embeds, or a tensor is not among the columns.
    """
    nobody = rows.take(np.zeros(0, dtype=np.int64))
    if embed is None or not len(rows) or not set(embedding.tensors) <= set(rows.features.column_names):
        return nobody
    numbers = embed(rows.features)
    known = np.flatnonzero(np.isfinite(numbers).all(axis=1))
    kept = rows.take(known)
    columns = dict(zip(embedding.columns, numbers[known].T, strict=True))
    features = kept.features.drop_columns(list(embedding.tensors))
    for name, column in columns.items():
        features = features.append_column(name, pa.array(column))
    return replace(kept, features=features)


def unseen_tensors(rows: int, seen: int, sight: EmbeddingSource) -> tuple[Finding, ...]:
    """What to say where sampled rows were not embedded: a finding, and no fact, as it may well be meant so."""
    if seen == rows:
        return ()
    tensors = ", ".join(sight.embedding.tensors)
    why = (
        "the traffic has no tensors of the model's size, or the model refuses them"
        if sight.embed is not None
        else "nothing was given to embed them"
    )
    message = f"{rows - seen} of {rows} sampled rows have no embedding of {tensors}: {why}."
    return (Finding(kind="not embedded", feature="", message=message),)
