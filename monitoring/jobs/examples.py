"""Rows to look at first: those of an incident's window that carry most of what its watch is about."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import Bins
from monitoring.jobs.cutting import as_datetime
from monitoring.records import CauseRow, Watch, WatchKey
from monitoring.watches import performance, surprise
from monitoring.watches.catalogue import known_rows
from monitoring.watches.scoring import slice_masks

#: Rows named with an incident.
MOST_ROWS = 10


def worst_rows(
    key: WatchKey, watch: Watch, bins: tuple[Bins, ...], *, labelled: Predictions, answered: Predictions
) -> tuple[CauseRow, ...]:
    """The rows with the largest scores, of equal ones the first by id; none for watches that no single row carries.

    Of a loss or a surprise: `labelled` rows of the window, in the watch's slice. Of missing or unseen values: rows
    among those `answered`.
    """
    if watch.family in ("performance", "surprise"):
        rows = labelled.take(known_rows(labelled))
        if key.slice:
            column, _, value = key.slice.partition("=")
            rows = rows.take(slice_masks(rows, {column: (value,)})[key.slice])
        family = performance if watch.family == "performance" else surprise
        scores = watch.offset + watch.scale * family.scores(rows.probabilities, rows.labels)[watch.name]
        return _largest(rows, scores)
    if watch.family == "integrity" and watch.feature:
        inside = _broken(answered, watch, next(one for one in bins if one.feature == watch.feature))
        return _largest(answered.take(inside), np.ones(int(inside.sum())))
    return ()


def _broken(rows: Predictions, watch: Watch, bins: Bins) -> NDArray[np.bool_]:
    column = rows.features[bins.feature].combine_chunks()
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    missing = np.asarray(column.is_null(nan_is_null=True), dtype=np.bool_)
    if watch.name.startswith("missing:"):
        return missing
    known = pc.is_in(column, pa.array(bins.categories or (), pa.string()))
    return np.asarray(~np.asarray(known, dtype=np.bool_) & ~missing, dtype=np.bool_)


def _largest(rows: Predictions, scores: NDArray[np.float64]) -> tuple[CauseRow, ...]:
    ids = rows.ids.to_pylist()
    order = sorted(range(len(rows)), key=lambda place: (-float(scores[place]), ids[place]))[:MOST_ROWS]
    return tuple(
        CauseRow(
            prediction_id=ids[place],
            event_time=as_datetime(int(rows.event_times[place])),
            score=float(scores[place]),
        )
        for place in order
    )
