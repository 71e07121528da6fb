"""An index of a traffic log's predictions by id and event time, to classify unmatched labels and count late rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import CALLER, prediction_ids
from monitoring.traffic.id_keys import id_keys, is_member
from monitoring.traffic.log.assembly import IDENTITY
from monitoring.traffic.log.scans import Query, excluded_rows, scan_batches
from monitoring.traffic.windows import Window


class PredictionIndex:
    """The ids and event times of a log's rows from a time on: those of one model, and the ids of all others.

    Cost: three columns of every file are read once; memory: 16 bytes per row of the model, 8 per row of others.

    Args:
        query: Which model's rows are its own, and from when to when; rows of excluded callers count as another model's.
    """

    def __init__(self, root: Path, query: Query) -> None:
        pairs: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        others: list[NDArray[np.int64]] = []
        every = replace(query, model=None, version=None, excluded=frozenset())
        for scan in scan_batches(root, every, (*IDENTITY, *(CALLER if query.excluded else ()))):
            if scan.key is None or not scan.table.num_rows:
                continue
            table = scan.table
            keys = id_keys(prediction_ids(table))
            if not query.wants(scan.key):
                others.append(keys)
                continue
            out = excluded_rows(table, query.excluded)
            pairs.append((keys[~out], table["event_time"].cast(pa.int64()).to_numpy()[~out]))
            others.append(keys[out])
        ids = np.concatenate([part for part, _ in pairs] or [np.zeros(0, np.int64)])
        times = np.concatenate([part for _, part in pairs] or [np.zeros(0, np.int64)])
        order = np.lexsort((times, ids))
        self._ids, self._times = ids[order], times[order]
        self._others = np.unique(np.concatenate(others or [np.zeros(0, np.int64)]))

    def was_answered(self, ids: pa.Array, us: int) -> NDArray[np.bool_]:
        """Which ids are those of rows of the model with an event time before `us` (microseconds), bool [n]."""
        wanted = id_keys(ids)
        at = np.searchsorted(self._ids, wanted)
        is_answered = is_member(wanted, self._ids)
        if is_answered.any():
            is_answered[is_answered] = self._times[at[is_answered]] < us
        return is_answered

    def of_other_models(self, ids: pa.Array) -> NDArray[np.bool_]:
        """Which ids are those of rows of another model or version, bool [n]."""
        return is_member(id_keys(ids), self._others)

    def row_counts(self, windows: Sequence[Window]) -> NDArray[np.int64]:
        """The number of rows of the model in each window, int64 [n, 2]: with repeats, and each id once."""
        order = np.argsort(self._times, kind="stable")
        times, ids = self._times[order], self._ids[order]
        counts = np.zeros((len(windows), 2), dtype=np.int64)
        for place, window in enumerate(windows):
            first, end = np.searchsorted(times, [as_microseconds(window.start), as_microseconds(window.end)])
            counts[place] = end - first, np.unique(ids[first:end]).size
        return counts
