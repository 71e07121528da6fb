"""The rows of an incident's window to look at first: those with the largest scores of its watch."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch
from monitoring.baseline.profile import Bins
from monitoring.records import CauseRow, Watch, WatchKey
from monitoring.tasks.label_codes import has_label
from monitoring.timestamps import as_datetime
from monitoring.watches.catalogue import Catalogue
from monitoring.watches.classes import ClassSlices
from monitoring.watches.scoring import slice_codes

#: Rows named with an incident, at most.
MAX_ROWS = 10


def worst_rows(
    key: WatchKey,
    catalogue: Catalogue,
    *,
    labelled: Callable[[], Iterable[Batch]],
    answered: Callable[[], Iterable[Batch]],
) -> tuple[CauseRow, ...]:
    """The rows with the largest scores; of equal ones the earliest, of one time those of the alphabetically first ids.

    Cost: a pass over the rows that the watch scores.

    Returns:
        At most `MAX_ROWS`; none for the other watches, whose scores are not of single rows.
    """
    worst: tuple[CauseRow, ...] = ()
    watch = catalogue.watches[key.watch]
    if watch in catalogue.ranks.watches:
        for batch in labelled():
            selection = _labelled_indices(batch, key, catalogue.losses.class_slices)
            places, losses = catalogue.ranks.row_losses(
                watch.name, batch.probabilities[selection], batch.labels[selection]
            )
            worst = _merged(worst, batch, selection[places], losses)
    elif watch.family in ("performance", "surprise"):
        for batch in labelled():
            indices = _labelled_indices(batch, key, catalogue.losses.class_slices)
            if indices.size:
                rows = batch.take(indices)
                scores = catalogue.loss_scores(rows, is_live=True)[watch.name]
                selection = ~np.isnan(scores)
                worst = _merged(worst, batch, indices[selection], watch.offset + watch.scale * scores[selection])
    elif watch.family == "integrity":
        bins = next((bins for bins in catalogue.bins if bins.feature == watch.feature), None)
        for batch in answered():
            broken = _unusable(batch) if bins is None else _missing_or_unseen(batch, watch, bins)
            indices = np.flatnonzero(broken)
            worst = _merged(worst, batch, indices, np.ones(indices.size))
    return worst


def _labelled_indices(batch: Batch, key: WatchKey, classes: ClassSlices) -> NDArray[np.int64]:
    """The rows of the watch's slice that have a label and finite probabilities."""
    inside = has_label(batch.labels) & ~_unusable(batch)
    if key.slice in classes.names:
        indices = np.flatnonzero(inside)
        return indices[classes.masks(batch.probabilities[indices], batch.labels[indices])[key.slice]]
    if key.slice:
        column, _, value = key.slice.partition("=")
        inside &= slice_codes(batch.features[column], (value,)) == 0
    return np.flatnonzero(inside)


def _unusable(batch: Batch) -> NDArray[np.bool_]:
    return np.asarray(~np.isfinite(batch.probabilities).all(axis=1), dtype=np.bool_)


def _missing_or_unseen(batch: Batch, watch: Watch, bins: Bins) -> NDArray[np.bool_]:
    column = batch.features[bins.feature].combine_chunks()
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    missing = np.asarray(column.is_null(nan_is_null=True), dtype=np.bool_)
    if watch.name.startswith("missing:"):
        return missing
    is_category = pc.is_in(column.cast(pa.string()), pa.array(bins.categories or (), pa.string()))
    return np.asarray(~np.asarray(is_category, dtype=np.bool_) & ~missing, dtype=np.bool_)


def _merged(
    worst: tuple[CauseRow, ...], batch: Batch, indices: NDArray[np.int64], scores: NDArray[np.float64]
) -> tuple[CauseRow, ...]:
    """The worst rows so far and some rows of a batch, reduced to `MAX_ROWS`."""
    if indices.size > MAX_ROWS:  # ids are made only for rows that may be among the worst
        large = scores >= np.partition(scores, scores.size - MAX_ROWS)[scores.size - MAX_ROWS]
        indices, scores = indices[large], scores[large]
    ids, times = batch.ids(indices).to_pylist(), batch.event_times[indices].tolist()
    more = tuple(
        CauseRow(prediction_id=id_, event_time=as_datetime(time), score=score)
        for id_, time, score in zip(ids, times, scores.tolist(), strict=True)
    )
    return tuple(sorted((*worst, *more), key=lambda row: (-row.score, row.event_time, row.prediction_id))[:MAX_ROWS])
