"""What each window brings: the predictions answered in it, and the labels that arrived in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.predictions import NO_LABEL, Predictions, label_indices, microseconds
from monitoring.jobs.cutting import as_microseconds
from monitoring.traffic.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """The labels of one window joined to their predictions: each prediction once, with the label first consumed for it.

    `starts` int64 [n] are the beginnings, in microseconds, of the windows in which the labelled rows were answered.
    `unknown` labels named no prediction within reach; `conflicts` came for a prediction that had another label
    already.
    """

    labelled: Predictions
    starts: NDArray[np.int64]
    unknown: int
    conflicts: int


class LabelFeed:
    """Joins labels to predictions, each label consumed once, in order of arrival.

    A label belongs to the window its `label_time` falls in; one that was written after that window had been judged
    belongs to the first window judged after. Predictions wait for their label for a horizon of time, then are let go.
    Of several labels for one prediction in one window the last written wins; in a later window they change nothing
    and are counted.

    `labels` is the label log (columns prediction_id, label, label_time, sequence) and `read` how many of its rows, in
    order of arrival, the windows judged so far had seen.
    """

    def __init__(self, labels: pa.Table, *, classes: tuple[str, ...], read: int, horizon_us: int) -> None:
        self._ids = labels["prediction_id"].combine_chunks()
        self._labels = label_indices(labels["label"], classes)
        self._times = microseconds(labels["label_time"])
        self._late = np.asarray(labels["sequence"], dtype=np.int64) >= read
        self._by_time = np.argsort(self._times, kind="stable")
        self._ordered = self._times[self._by_time]
        self._horizon_us = horizon_us
        self._waiting: deque[_Waiting] = deque()
        self.read = labels.num_rows

    def recall(self, windows: Iterable[tuple[Window, Predictions]]) -> None:
        """Bring back the windows judged before, oldest first, with the labels that they had consumed."""
        for window, predictions in windows:
            self._wait_for(window, predictions)
            places = self._between(window)
            self._join(places[~self._late[places]], predictions)

    def next(self, window: Window, predictions: Predictions, *, first: bool) -> Arrivals:
        """The window's arrivals; `first` says that it is the first to be judged since the label log was last read."""
        self._wait_for(window, predictions)
        places = self._between(window)
        if first:
            earlier = self._by_time[: np.searchsorted(self._ordered, as_microseconds(window.start))]
            places = np.concatenate([earlier[self._late[earlier]], places])
        return self._join(np.sort(places), predictions)

    def _wait_for(self, window: Window, predictions: Predictions) -> None:
        self._waiting.append(_Waiting(predictions, as_microseconds(window.start)))
        oldest = as_microseconds(window.end) - self._horizon_us
        while self._waiting and self._waiting[0].newest < oldest:
            self._waiting.popleft()

    def _between(self, window: Window) -> NDArray[np.int64]:
        """Places in the label log of the labels whose time lies in the window, in order of arrival."""
        first, last = np.searchsorted(self._ordered, [as_microseconds(window.start), as_microseconds(window.end)])
        return np.sort(self._by_time[first:last])

    def _join(self, places: NDArray[np.int64], empty: Predictions) -> Arrivals:
        waiting = [entry for entry in self._waiting if len(entry.predictions)]
        known = np.full(places.size, -1, dtype=np.int64)
        if waiting and places.size:
            ids = pa.concat_arrays([entry.predictions.ids for entry in waiting])
            wanted = self._ids.take(pa.array(places))
            if wanted.equals(ids):  # every row with its label beside it, in order: nothing to look for
                known = np.arange(len(ids), dtype=np.int64)
            else:
                known = np.asarray(pc.fill_null(pc.index_in(wanted, ids), -1), dtype=np.int64)
        labels = self._labels[places]
        unknown = int((known < 0).sum() + ((known >= 0) & (labels == NO_LABEL)).sum())
        usable = (known >= 0) & (labels != NO_LABEL)
        consumed: list[Predictions] = []
        begun: list[NDArray[np.int64]] = []
        conflicts = 0
        starts = np.cumsum([0, *(len(entry.predictions) for entry in waiting)])
        for entry, start, end in zip(waiting, starts[:-1], starts[1:], strict=True):
            mine = usable & (known >= start) & (known < end)
            if not mine.any():
                continue
            rows, given, times = known[mine] - start, labels[mine], self._times[places[mine]]
            conflicts += entry.conflicts(rows, given)
            consumed.append(entry.consume(rows, given, times))
            begun.append(np.full(len(consumed[-1]), entry.start, dtype=np.int64))
        return Arrivals(
            labelled=_concatenated(consumed) if consumed else empty.take(np.empty(0, dtype=np.int64)),
            starts=np.concatenate(begun) if begun else np.empty(0, dtype=np.int64),
            unknown=unknown,
            conflicts=conflicts,
        )


class _Waiting:
    """One window's predictions with the labels consumed for them so far."""

    def __init__(self, predictions: Predictions, start: int) -> None:
        self.predictions = predictions
        self.start = start
        self.labels: NDArray[np.int64] = np.full(len(predictions), NO_LABEL, dtype=np.int64)
        self.newest = int(predictions.event_times.max()) if len(predictions) else 0

    def conflicts(self, rows: NDArray[np.int64], given: NDArray[np.int64]) -> int:
        """Labels that contradict one already consumed."""
        had = self.labels[rows]
        return int(((had != NO_LABEL) & (had != given)).sum())

    def consume(self, rows: NDArray[np.int64], given: NDArray[np.int64], times: NDArray[np.int64]) -> Predictions:
        """The rows that get their label now; of several for one row the last wins."""
        fresh = self.labels[rows] == NO_LABEL
        rows, given, times = rows[fresh], given[fresh], times[fresh]
        labels, label_times = self.labels.copy(), np.zeros_like(self.labels)
        labels[rows], label_times[rows] = given, times
        mine = np.zeros(len(self.labels), dtype=np.bool_)
        mine[rows] = True
        taken = np.flatnonzero(mine)
        self.labels = labels
        return self.predictions.labelled(labels, label_times).take(taken)


def _concatenated(parts: list[Predictions]) -> Predictions:
    return Predictions(
        ids=pa.concat_arrays([part.ids for part in parts]),
        event_times=np.concatenate([part.event_times for part in parts]),
        features=pa.concat_tables([part.features for part in parts]),
        probabilities=np.concatenate([part.probabilities for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        label_times=np.concatenate([part.label_times for part in parts]),
    )
