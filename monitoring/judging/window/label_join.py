"""What each window brings: the predictions answered in it, and the labels that arrived in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch, in_batches, joined
from monitoring.baseline.predictions import NO_LABEL, Predictions, label_indices, microseconds
from monitoring.judging.window.label_findings import UnknownClassLabels, UnmatchedLabels
from monitoring.judging.window.traffic_source import newest_event_us
from monitoring.records import Finding
from monitoring.timestamps import as_microseconds
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelArrivals:
    """The labels of one window joined to their predictions: each prediction once, with the label first consumed for it.

    `starts` int64 [n] are the beginnings, in microseconds, of the windows in which the labelled rows were answered.
    `nameless` labels named no prediction within reach; `conflicts` came for a prediction that had another label
    already; `overdue` are those of predictions that wait no longer, and `strange` those of no class.
    """

    labelled: Predictions
    starts: NDArray[np.int64]
    conflicts: int
    overdue: int = 0
    nameless: UnmatchedLabels = field(default_factory=UnmatchedLabels)
    strange: UnknownClassLabels = field(default_factory=UnknownClassLabels)

    @property
    def unknown(self) -> int:
        """Labels that do not count, as they name no prediction within reach or no class."""
        return self.nameless.labels + self.strange.labels

    def batches(self) -> Iterator[tuple[int, Batch]]:
        """The labelled rows, each batch with the beginning of the window in which all of its rows were answered."""
        for start in np.unique(self.starts).tolist():
            for batch in in_batches(self.labelled.take(self.starts == start)):
                yield start, batch


#: Of a window in which no label arrived.
NO_LABEL_ARRIVALS = LabelArrivals(
    labelled=Predictions(
        ids=pa.array([], pa.string()),
        event_times=np.zeros(0, dtype=np.int64),
        features=pa.table({}),
        probabilities=np.zeros((0, 0)),
        labels=np.zeros(0, dtype=np.int64),
        label_times=np.zeros(0, dtype=np.int64),
    ),
    starts=np.zeros(0, dtype=np.int64),
    conflicts=0,
)

#: No label waits for its row.
NOBODY = UnmatchedLabels()

#: A window's predictions, or what reads them when they are asked for: those with wanted ids at least, and the time of
#: the newest of all.
Given: TypeAlias = Predictions | Callable[[IdSet], tuple[Predictions, int]]


class PredictionLookup(Protocol):
    """What is known of rows that wait for no label."""

    def was_answered(self, ids: pa.Array, before: int) -> NDArray[np.bool_]:
        """Which ids are those of rows that were answered before a time (microseconds), as far as it is known, [n]."""

    def of_other_models(self, ids: pa.Array) -> NDArray[np.bool_]:
        """Which ids are those of another model's rows, as far as it is known, [n]."""


class LabelJoin:
    """Joins labels to predictions, each label consumed once, in order of arrival.

    A label belongs to the window its `label_time` falls in; one that was written after that window had been judged
    belongs to the first window judged after. Predictions wait for their label for a horizon of time, then are let go;
    of those that have one, ids and labels alone are kept. Of several labels for one prediction in one window the last
    written wins; in a later window they change nothing and are counted.

    Windows are read for their predictions when a label may be for one of them, and not before: where no label is in
    the log, as those in a table are counted with their rows, nothing is held; and of a window that is streamed only the
    rows that a label of the log is for. A window's predictions may have labels already, which were counted elsewhere;
    another one for the same row is a conflict.

    `labels` is the label log (columns prediction_id, label, label_time, sequence) and `read` how many of its rows, in
    order of arrival, the windows judged so far had seen. `waiting` are labels that are not in the log, as they wait for
    their rows: those that are told now, with the first window. `rows` tells labels that came too late, and those of
    another model, which are nobody's business here, from those that name no row at all.
    """

    def __init__(
        self,
        labels: pa.Table,
        *,
        classes: tuple[str, ...],
        read: int,
        horizon_us: int,
        waiting: UnmatchedLabels = NOBODY,
        rows: PredictionLookup | None = None,
    ) -> None:
        self._ids = labels["prediction_id"].combine_chunks()
        self._wanted = IdSet(self._ids)
        self.classes = classes
        self._words = labels["label"]
        self._labels = label_indices(labels["label"], classes)
        self._times = microseconds(labels["label_time"])
        self._late = np.asarray(labels["sequence"], dtype=np.int64) >= read
        self._by_time = np.argsort(self._times, kind="stable")
        self._ordered = self._times[self._by_time]
        self._horizon_us = horizon_us
        self._nameless = waiting
        self._rows = rows
        self._waiting: deque[_Waiting] = deque()
        self._put_off: deque[tuple[Window, Given, NDArray[np.int64]]] = deque()
        self.read = labels.num_rows

    def restore(self, windows: Iterable[tuple[Window, Given]]) -> None:
        """Bring back the windows judged before, oldest first, with the labels that they had consumed."""
        for window, predictions in windows:
            places = self._between(window)
            self._put_off.append((window, predictions, places[~self._late[places]]))

    def join(self, window: Window, predictions: Given, *, first: bool) -> LabelArrivals:
        """The window's arrivals; `first` says that it is the first judged since the last read.

        What was read last is the label log.
        """
        places = self._between(window)
        if first:
            earlier = self._by_time[: np.searchsorted(self._ordered, as_microseconds(window.start))]
            places = np.concatenate([earlier[self._late[earlier]], places])
        oldest = as_microseconds(window.end) - self._horizon_us
        while self._put_off and as_microseconds(self._put_off[0][0].end) <= oldest:
            self._put_off.popleft()
        self._put_off.append((window, predictions, np.sort(places)))
        found = NO_LABEL_ARRIVALS
        while self._put_off and places.size:
            window, predictions, taken = self._put_off.popleft()
            rows, newest = (
                (predictions, newest_event_us(predictions))
                if isinstance(predictions, Predictions)
                else predictions(self._wanted)
            )
            self._wait_for(window, rows, newest)
            found = self._join(taken, rows, as_microseconds(window.end) - self._horizon_us)
        return replace(found, nameless=found.nameless + self._nameless) if first else found

    def overdue_findings(self, arrivals: LabelArrivals) -> tuple[Finding, ...]:
        """What is said of labels that came too late to count."""
        if not arrivals.overdue:
            return ()
        horizon = f"label_horizon ({_length(self._horizon_us)})"
        message = f"{arrivals.overdue:,} labels came later than {horizon} after their predictions, and do not count."
        if arrivals.overdue == 1:
            message = f"1 label came later than {horizon} after its prediction, and does not count."
        return (Finding(kind="labels too late", feature="", message=message),)

    def _wait_for(self, window: Window, predictions: Predictions, newest: int) -> None:
        self._waiting.append(_Waiting(predictions, as_microseconds(window.start), newest))
        oldest = as_microseconds(window.end) - self._horizon_us
        while self._waiting and self._waiting[0].newest < oldest:
            self._waiting.popleft()

    def _between(self, window: Window) -> NDArray[np.int64]:
        """Places in the label log of the labels whose time lies in the window, in order of arrival."""
        first, last = np.searchsorted(self._ordered, [as_microseconds(window.start), as_microseconds(window.end)])
        return np.sort(self._by_time[first:last])

    def _join(self, places: NDArray[np.int64], empty: Predictions, oldest: int) -> LabelArrivals:
        waiting = [entry for entry in self._waiting if len(entry.ids)]
        known = np.full(places.size, -1, dtype=np.int64)
        if waiting and places.size:
            ids = pa.concat_arrays([entry.ids for entry in waiting])
            wanted = self._ids.take(pa.array(places))
            if wanted.equals(ids):  # every row with its label beside it, in order: nothing to look for
                known = np.arange(len(ids), dtype=np.int64)
            else:
                known = np.asarray(pc.fill_null(pc.index_in(wanted, ids), -1), dtype=np.int64)
        labels = self._labels[places]
        strange = places[(known >= 0) & (labels == NO_LABEL)]
        unknown = places[known < 0]
        overdue = np.zeros(unknown.size, dtype=np.bool_)
        if unknown.size and self._rows is not None:
            overdue = self._rows.was_answered(self._ids.take(pa.array(unknown)), oldest)
        unknown = unknown[~overdue]
        if unknown.size and self._rows is not None:
            unknown = unknown[~self._rows.of_other_models(self._ids.take(pa.array(unknown)))]
        usable = (known >= 0) & (labels != NO_LABEL)
        consumed: list[Predictions] = []
        begun: list[NDArray[np.int64]] = []
        conflicts = 0
        starts = np.cumsum([0, *(len(entry.ids) for entry in waiting)])
        for entry, start, end in zip(waiting, starts[:-1], starts[1:], strict=True):
            mine = usable & (known >= start) & (known < end)
            if not mine.any():
                continue
            rows, given, times = known[mine] - start, labels[mine], self._times[places[mine]]
            conflicts += entry.conflicts(rows, given)
            consumed.append(entry.consume(rows, given, times))
            begun.append(np.full(len(consumed[-1]), entry.start, dtype=np.int64))
        return LabelArrivals(
            labelled=joined(consumed) if consumed else empty.take(np.empty(0, dtype=np.int64)),
            starts=np.concatenate(begun) if begun else np.empty(0, dtype=np.int64),
            conflicts=conflicts,
            overdue=int(overdue.sum()),
            nameless=UnmatchedLabels(labels=unknown.size, one=_first(self._ids.take(pa.array(unknown)))),
            strange=UnknownClassLabels(
                labels=strange.size,
                words=frozenset(pc.unique(self._words.take(pa.array(strange))).to_pylist()),
            ),
        )


def _length(microseconds: int) -> str:
    """A length of time in the largest unit of which it is a whole number.

    >>> _length(7 * 86_400_000_000), _length(5_400_000_000)
    ('7 days', '90 minutes')
    """
    for name, unit in (("day", 86_400_000_000), ("hour", 3_600_000_000), ("minute", 60_000_000), ("second", 1_000_000)):
        count, rest = divmod(microseconds, unit)
        if count and not rest:
            return f"{count} {name}{'s' if count > 1 else ''}"
    return f"{microseconds / 1_000_000} seconds"


def _first(ids: pa.Array) -> str:
    """The first in the order of text, empty where there is none."""
    return pc.min(ids).as_py() or ""


class _Waiting:
    """One window's predictions that still wait for their label, and of the others ids and labels.

    `ids` and `labels` are those of all, first of the `done` ones whose rows are held no longer.
    """

    def __init__(self, predictions: Predictions, start: int, newest: int) -> None:
        self.ids = predictions.ids
        self.labels: NDArray[np.int64] = predictions.labels
        self.start = start
        self.newest = newest
        self._done = 0
        self._predictions = predictions
        self._let_go()

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
        self.labels = labels
        held = slice(self._done, None)
        found = self._predictions.labelled(labels[held], label_times[held]).take(np.flatnonzero(mine[held]))
        self._let_go()
        return found

    def _let_go(self) -> None:
        """Hold the rows that have their label no longer, once they are half of those held."""
        known = self.labels[self._done :] != NO_LABEL
        if 2 * int(known.sum()) < max(known.size, 1):
            return
        order = np.concatenate([np.flatnonzero(known), np.flatnonzero(~known)])
        places = np.concatenate([np.arange(self._done), self._done + order])
        self._predictions = self._predictions.take(~known)
        self._done += int(known.sum())
        self.ids, self.labels = self.ids.take(pa.array(places)), self.labels[places]
