"""Random rows of a window, and the watches that they are aggregated for."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from monitoring.baseline.batch import Batch
from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions, no_predictions
from monitoring.baseline.profile import fit_bins
from monitoring.baseline.profile_builder import ProfileBuilder, profile
from monitoring.baseline.reference import InMemoryReference
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.judging.window.row_scorer import RowScorer
from monitoring.judging.window.window_sums import AnsweredSums, LabelledSums, WindowAggregator
from monitoring.tasks.task import NO_LABEL
from monitoring.watches.catalogue import Catalogue, catalogue

WORDS = ("a", "b", "c", "new")


def rows_of(count: int, seed: int, classes: int = 2, *, moments: int = 10**9) -> Predictions:
    """Random rows: one in ten without a finite answer, three in ten without a label, event times below `moments`."""
    rng = np.random.default_rng(seed)
    answers = rng.random((count, classes))
    answers /= answers.sum(axis=1, keepdims=True)
    answers[rng.random(count) < 0.1] = np.nan
    labels = rng.integers(0, classes, count)
    labels[rng.random(count) < 0.3] = NO_LABEL
    number = rng.normal(size=count)
    number[rng.random(count) < 0.1] = np.nan
    words = [None if rng.random() < 0.1 else WORDS[place] for place in rng.integers(0, 4, count)]
    times = rng.integers(0, moments, count)
    return Predictions(
        ids=pa.array([f"row-{place}" for place in rng.permutation(count)], pa.string()),
        event_times=times,
        features=pa.table(
            {"x": pa.array(number), "z": pa.array(rng.normal(size=count)), "w": pa.array(words, pa.string())}
        ),
        probabilities=answers,
        labels=labels,
        label_times=times,
    )


def spec_of(classes: int) -> BaselineSpec:
    """Inputs x, z and w of a model with so many classes."""
    return BaselineSpec(
        classes=tuple("abcdefghij"[:classes]),
        features=(
            FeatureSpec(name="x", kind="number"),
            FeatureSpec(name="z", kind="number"),
            FeatureSpec(name="w", kind="category"),
        ),
    )


def catalogue_of(classes: int) -> tuple[Catalogue, Predictions]:
    """The watches of a baseline of 1,500 such rows, and predictions of no rows."""
    spec, reference = spec_of(classes), rows_of(1500, 7, classes)
    bins = fit_bins(reference, spec)
    found = Baseline(spec=spec, bins=bins, profile=profile(reference, bins), rows=InMemoryReference(reference))
    return catalogue(found, ("w",)), no_predictions(spec)


#: The watches of models with so many classes, and their predictions of no rows.
WATCHED = {classes: catalogue_of(classes) for classes in (2, 3)}


def aggregate(rows: list[Batch], classes: int, *, inline: bool = True) -> tuple[RowScorer, AnsweredSums, LabelledSums]:
    """The aggregates of one window, whose labels are inline or come apart from their rows."""
    watched, empty = WATCHED[classes]
    scorer = RowScorer(watched, threshold=0.7, confusion_classes=10)
    found = WindowAggregator(scorer, ProfileBuilder(watched.bins))
    for batch in rows:
        if inline:
            found.add_with_labels(batch, 0)
        else:
            found.add_answered(batch)
    if not inline:
        for batch in rows:
            known = np.flatnonzero(batch.labels != NO_LABEL)
            found.add_labelled(Batch.of(batch.take(known)), 0)
    sums = found.result(empty)
    return scorer, sums.answered, sums.labelled
