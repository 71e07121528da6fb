"""Rows to look at first: those of an incident's window that carry most of what its watch is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch
from monitoring.baseline.predictions import NO_LABEL
from monitoring.baseline.profile import Bins
from monitoring.records import CauseRow, Watch, WatchKey
from monitoring.timestamps import as_datetime
from monitoring.watches import performance, surprise
from monitoring.watches.catalogue import Catalogue
from monitoring.watches.classes import ClassSlices
from monitoring.watches.scoring import slice_codes

#: Rows named with an incident.
MOST_ROWS = 10


def worst_rows(
    key: WatchKey,
    catalogue: Catalogue,
    *,
    labelled: Callable[[], Iterable[Batch]],
    answered: Callable[[], Iterable[Batch]],
) -> tuple[CauseRow, ...]:
    """The rows with the largest scores, of equal ones the first by id; none for watches that no single row carries.

    Of a loss or a surprise: `labelled` rows of the window, in the watch's slice. Of missing or unseen values and
    unusable answers: rows among those `answered`. Cost: a pass over either.
    """
    best: tuple[CauseRow, ...] = ()
    watch = catalogue.watches[key.watch]
    if watch.family in ("performance", "surprise"):
        for batch in labelled():
            places = _labelled_places(batch, key, catalogue.class_slices)
            if places.size:
                family = performance if watch.family == "performance" else surprise
                found = family.scores(batch.probabilities[places], batch.labels[places])[watch.name]
                best = _largest(best, batch, places, watch.offset + watch.scale * found)
    elif watch.family == "integrity":
        one = next((one for one in catalogue.bins if one.feature == watch.feature), None)
        for batch in answered():
            places = np.flatnonzero(_unusable(batch) if one is None else _broken(batch, watch, one))
            best = _largest(best, batch, places, np.ones(places.size))
    return best


def _labelled_places(batch: Batch, key: WatchKey, classes: ClassSlices) -> NDArray[np.int64]:
    """Rows of the watch's slice that have a label and an answer that is a number."""
    inside = (batch.labels != NO_LABEL) & np.isfinite(batch.probabilities).all(axis=1)
    if key.slice in classes.names:
        places = np.flatnonzero(inside)
        return places[classes.masks(batch.probabilities[places], batch.labels[places])[key.slice]]
    if key.slice:
        column, _, value = key.slice.partition("=")
        inside &= slice_codes(batch.features[column], (value,)) == 0
    return np.flatnonzero(inside)


def _unusable(batch: Batch) -> NDArray[np.bool_]:
    return np.asarray(~np.isfinite(batch.probabilities).all(axis=1), dtype=np.bool_)


def _broken(batch: Batch, watch: Watch, bins: Bins) -> NDArray[np.bool_]:
    column = batch.features[bins.feature].combine_chunks()
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    missing = np.asarray(column.is_null(nan_is_null=True), dtype=np.bool_)
    if watch.name.startswith("missing:"):
        return missing
    known = pc.is_in(column.cast(pa.string()), pa.array(bins.categories or (), pa.string()))
    return np.asarray(~np.asarray(known, dtype=np.bool_) & ~missing, dtype=np.bool_)


def _largest(
    best: tuple[CauseRow, ...], batch: Batch, places: NDArray[np.int64], scores: NDArray[np.float64]
) -> tuple[CauseRow, ...]:
    """The first of those so far and of some more rows."""
    if places.size > MOST_ROWS:  # ids are made for those alone that may be among the largest
        near = scores >= np.partition(scores, scores.size - MOST_ROWS)[scores.size - MOST_ROWS]
        places, scores = places[near], scores[near]
    more = tuple(
        CauseRow(prediction_id=id_, event_time=as_datetime(time), score=score)
        for id_, time, score in zip(
            batch.ids(places).to_pylist(), batch.event_times[places].tolist(), scores.tolist(), strict=True
        )
    )
    return tuple(sorted((*best, *more), key=lambda row: (-row.score, row.prediction_id))[:MOST_ROWS])
