"""Joins labels to the predictions that they are for, window by window."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch, in_batches, joined
from monitoring.baseline.predictions import Predictions, microseconds
from monitoring.judging.window.label_findings import OverdueLabels, UnknownClassLabels, UnmatchedLabels
from monitoring.judging.window.pending_rows import PendingRows
from monitoring.judging.window.traffic_source import PredictionLookup
from monitoring.judging.window.waiting_labels import NO_WAITING_LABELS, WaitingLabels
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.task import NO_LABEL, Task
from monitoring.timestamps import as_microseconds
from monitoring.traffic.id_keys import IdSet, id_keys, is_member
from monitoring.traffic.labels.label_log import labels_ever, without_erased
from monitoring.traffic.labels.spill import StoredRows
from monitoring.traffic.windows import Window

Whole = NDArray[np.int64]

#: Labels of rows older than so many label horizons are overdue, whatever their time.
LATE_LABEL_HORIZONS = 2

#: Reads a window's rows: at least those with the wanted ids, and the last event time of all (see `WindowRows.select`).
RowLoader: TypeAlias = Callable[[IdSet], tuple[Predictions, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelArrivals:
    """The labels that arrived in one window, joined to their predictions; each prediction once.

    Attributes:
        starts: When the window began in which each was answered, in microseconds, [n].
        further: Which got a further part of their label, and had one before, [n]; their labels are that part alone.
    """

    labelled: Predictions
    starts: Whole
    further: NDArray[np.bool_]
    conflicts: int = 0
    overdue: OverdueLabels = field(default_factory=OverdueLabels)
    unmatched: UnmatchedLabels = field(default_factory=UnmatchedLabels)
    unknown_class: UnknownClassLabels = field(default_factory=UnknownClassLabels)

    @property
    def unknown(self) -> int:
        """Labels of no known prediction."""
        return self.unmatched.labels

    def batches(self, *, first: bool) -> Iterator[tuple[int, Batch]]:
        """The labelled rows in batches, each of one window, with the time at which that window began."""
        wanted = ~self.further if first else self.further
        for start in np.unique(self.starts[wanted]).tolist():
            for batch in in_batches(self.labelled.take(wanted & (self.starts == start))):
                yield start, batch


NO_ARRIVALS = LabelArrivals(
    labelled=Predictions(
        ids=pa.nulls(0, pa.string()),
        event_times=np.zeros(0, dtype=np.int64),
        features=pa.table({}),
        probabilities=np.zeros((0, 0)),
        labels=np.zeros(0, dtype=np.int64),
        label_times=np.zeros(0, dtype=np.int64),
    ),
    starts=np.zeros(0, dtype=np.int64),
    further=np.zeros(0, dtype=np.bool_),
)

_NONE = np.empty(0, dtype=np.int64)
_IDS = pa.schema([("prediction_id", pa.string())])
_WORDS = pa.schema([("label", pa.string())])


@dataclass(frozen=True, slots=True, kw_only=True)
class _UnreadWindow:
    """A window whose rows have not been read, and the labels that arrived in it, as indices in the label log.

    A `restored` one was judged by an earlier run.
    """

    window: Window
    load: RowLoader
    labels: Whole
    restored: bool = False


class LabelJoin:
    """Joins the labels of a label log to predictions, each label once, in order of arrival.

    A label belongs to the window that its label time lies in, or to that of its row where this is the later one. One
    that was written after that window was judged belongs to the first window judged afterwards.

    The label horizon is counted from each row: a label counts whose time is at most the horizon after its row's,
    however windows are cut. It is overdue otherwise, and also if its row is older than `LATE_LABEL_HORIZONS` horizons
    at the start of the window that it belongs to. The time of a label without one of its own is that of its row, or the
    start of the window that it belongs to, where this is a later one. Rows wait for their label for as long as one may
    count, and are then dropped; of those that have one, ids, times and labels alone are kept. Of several labels for a
    prediction in one window the last written counts; others that differ from it, there or in a later window, are
    conflicts. A label that has several parts may come with some of them, and later again with these and further ones:
    each part counts when it comes.

    A window's rows are read when a label may be for one of them and not before, and then only the rows that a label of
    this run may be for. Rows with inline labels come with the
    label that was counted; another one is a conflict.

    Args:
        labels: The label log, in order of arrival: prediction_id, label, label_time, sequence; erased ones are empty.
        read: How many labels of the log the windows judged so far have seen.
        outside: Labels that wait for their prediction outside the log: counted with the first window.
        lookup: Tells overdue labels, and labels of other models, which are ignored, from labels of no prediction.
    """

    def __init__(
        self,
        labels: Iterable[pa.Table],
        *,
        task: Task,
        read: int,
        horizon_us: int,
        outside: WaitingLabels = NO_WAITING_LABELS,
        lookup: PredictionLookup | None = None,
    ) -> None:
        self.task = task
        self.read = 0
        self._ids, self._words = StoredRows(_IDS), StoredRows(_WORDS)
        none = pa.chunked_array([], pa.string())
        keys, codes, respelled = [_NONE], [task.label_codes(none)], [task.respelled(none)]
        times, new = [_NONE], [np.zeros(0, dtype=np.bool_)]
        for each in labels:
            self.read = max(self.read, labels_ever(each))
            part = without_erased(each)
            self._ids.append(part.select(_IDS.names).cast(_IDS))
            self._words.append(part.select(_WORDS.names).cast(_WORDS))
            keys.append(id_keys(part["prediction_id"].combine_chunks()))
            codes.append(task.label_codes(part["label"]))
            respelled.append(task.respelled(part["label"]))
            times.append(microseconds(part["label_time"]))
            new.append(np.asarray(part["sequence"], dtype=np.int64) >= read)
        self._keys = np.concatenate(keys)
        del keys
        self._wanted = self._every = IdSet.of_keys(np.unique(self._keys))
        self._codes = np.concatenate(codes)
        del codes
        self._respelled = np.concatenate(respelled)
        self._in_parts = task.labels_in_parts
        self._times = np.concatenate(times)
        del times
        self._new: NDArray[np.bool_] = np.concatenate(new)
        self._by_time = np.argsort(self._times, kind="stable").astype(np.int32)
        in_order = bool(np.all(self._times[:-1] <= self._times[1:]))
        self._sorted_times = self._times if in_order else self._times[self._by_time]
        self._horizon_us = horizon_us
        self._outside = outside
        self._lookup = lookup
        self.looks_back = True
        """Whether labels of no prediction are looked for among all rows that there ever were, once."""
        self._pending: deque[PendingRows] = deque()
        self._unread: deque[_UnreadWindow] = deque()
        self._joined_until: int | None = None
        self._left = np.ones(self._keys.size, dtype=np.bool_)  # the labels that this run may consume

    def restore(self, windows: Iterable[tuple[Window, RowLoader]]) -> None:
        """Add windows judged by earlier runs, oldest first, with the labels that were joined to them then."""
        for window, load in windows:
            labels = self._labels_between(as_microseconds(window.start), as_microseconds(window.end))
            joined_then = labels[~self._new[labels]]
            self._unread.append(_UnreadWindow(window=window, load=load, labels=joined_then, restored=True))

    def join(self, window: Window, load: RowLoader, *, first: bool) -> LabelArrivals:
        """Join the labels of the next window.

        Args:
            window: The window; windows come in order of time.

        Returns:
            The labels that arrived in the window, of its own rows and those of earlier windows.
        """
        start, end = as_microseconds(window.start), as_microseconds(window.end)
        labels = self._labels_between(start, end)
        before = self._new_labels_before(start) if first else self._labels_between(self._joined_until or start, start)
        labels = np.concatenate([before, labels])
        if first:
            self._wanted = self._ids_from(start)
        if (self._sorted_times[:1] < start).any():  # some labels are from before the window: any of its rows?
            rows = load(self._every)
            labels = np.concatenate([labels, self._labels_before_rows(rows[0].ids, start)])
            load = (lambda _: rows) if labels.size else load
        labels = np.unique(labels)
        self._joined_until = end
        oldest = self._oldest(start, labels)
        while self._unread and as_microseconds(self._unread[0].window.end) <= oldest:
            self._unread.popleft()
        self._unread.append(_UnreadWindow(window=window, load=load, labels=labels))
        arrivals = NO_ARRIVALS
        while self._unread and labels.size:
            arrivals = self._join_next(start, oldest)
        return self._with_waiting(arrivals) if first else arrivals

    def _with_waiting(self, arrivals: LabelArrivals) -> LabelArrivals:
        overdue = OverdueLabels(labels=arrivals.overdue.labels + self._outside.late, horizon_us=self._horizon_us)
        return replace(arrivals, unmatched=arrivals.unmatched + self._outside.unmatched, overdue=overdue)

    def waiting(self, after: int) -> int:
        """How many labels wait for a window that begins at a time, in microseconds, or later."""
        return int((self._new | (self._times >= after)).sum())

    def last_unjoined(self, after: int, until: int, *, first: bool) -> int | None:
        """When the last label arrived that no window before a time joins. `after`: the time, in microseconds."""
        first_at, end = np.searchsorted(self._sorted_times, [after, until + 1])
        if end > first_at:
            return int(self._sorted_times[end - 1])
        return after if first and self._new_labels_before(after).size else None

    def labelled(self, batch: Batch, *, before: datetime) -> Batch:
        """Rows with the labels of the log that are known by a time; inline labels stay. Nothing is consumed.

        Args:
            before: Labels of this time and later ones are not known yet.
        """
        missing = np.flatnonzero(~has_label(batch.labels))
        keys = id_keys(batch.ids(missing))
        indices = self._labels_of(np.unique(keys))
        indices = indices[self._times[indices] < as_microseconds(before)]
        if not indices.size:
            return batch
        places = _first_places(self._keys[indices], keys)
        labels, times, matched = batch.labels.copy(), batch.label_times.copy(), places >= 0
        if labels.ndim < self._codes.ndim:  # rows of a log, none of which has a label of its own
            labels = np.full((len(batch), *self._codes.shape[1:]), NO_LABEL, dtype=np.int64)
        labels[missing[matched]] = self._codes[indices[places[matched]]]
        times[missing[matched]] = self._times[indices[places[matched]]]
        return replace(batch, labels=labels, label_times=times)

    def _labels_between(self, start: int, end: int) -> Whole:
        """The labels whose time lies in [start, end), in order of arrival."""
        first, last = np.searchsorted(self._sorted_times, [start, end])
        return np.sort(self._by_time[first:last]).astype(np.int64)

    def _new_labels_before(self, start: int) -> Whole:
        """The labels written since the last run whose time lies before a window."""
        earlier = self._by_time[: np.searchsorted(self._sorted_times, start)].astype(np.int64)
        new: Whole = earlier[self._new[earlier]]
        return new

    def _ids_from(self, start: int) -> IdSet:
        """Ids of the labels that windows from a time on consume: of no rows before is anything else needed."""
        self._left = self._new | (self._times >= start)
        return self._wanted if self._left.all() else IdSet.of_keys(np.unique(self._keys[self._left]))

    def _oldest(self, start: int, labels: Whole) -> int:
        """The event time before which no row waits for one of these labels of a window, or for a later one."""
        if not labels.size:
            return start - self._horizon_us
        earliest = min(int(self._times[labels].min()), start)
        return max(start - LATE_LABEL_HORIZONS * self._horizon_us, earliest - self._horizon_us)

    def _join_next(self, now: int, oldest: int) -> LabelArrivals:
        """Read the next unread window, and join its labels to rows from the oldest event time on."""
        unread = self._unread.popleft()
        start = as_microseconds(unread.window.start)
        rows, newest = unread.load(self._wanted)
        labels = unread.labels
        if unread.restored:  # those of rows that get no other label in this run change nothing any more
            labels = labels[is_member(self._keys[labels], self._wanted.keys)]
            labels = np.union1d(labels, self._labels_before_rows(rows.ids, start))
        self._pending.append(PendingRows(rows, start=start, newest=newest, in_parts=self._in_parts))
        while self._pending and self._pending[0].newest < oldest:
            self._pending.popleft()
        return self._join(labels, rows, now, oldest)

    def _labels_before_rows(self, ids: pa.Array, start: int) -> Whole:
        """The labels of a window's rows, by their ids, whose time lies before the window."""
        labels = self._labels_of(np.unique(id_keys(ids)))
        earlier: Whole = np.sort(labels[self._times[labels] < start])
        return earlier

    def _labels_of(self, keys: Whole) -> Whole:
        """The labels whose ids have some keys, which are sorted: by key, those of one in order of arrival."""
        firsts, ends = (np.searchsorted(self._sorted_keys, keys, side) for side in ("left", "right"))
        counts = ends - firsts
        return self._by_key[np.repeat(ends - np.cumsum(counts), counts) + np.arange(counts.sum())].astype(np.int64)

    @cached_property
    def _by_key(self) -> NDArray[np.int32]:
        """The labels in order of their ids' keys, those of one id in order of arrival."""
        return np.argsort(self._keys, kind="stable").astype(np.int32)

    @cached_property
    def _sorted_keys(self) -> Whole:
        return self._every.keys if self._every.keys.size == self._keys.size else self._keys[self._by_key]

    def _join(self, labels: Whole, empty: Predictions, start: int, oldest: int) -> LabelArrivals:
        """Join labels, given by their indices in the log, to pending rows; `empty` has the columns of a result."""
        pending = [rows for rows in self._pending if len(rows)]
        positions, codes, times = self._positions(labels, pending), self._codes[labels], self._times[labels]
        matched = positions >= 0
        usable = matched & has_label(codes)
        consumed: list[Predictions] = []
        starts: list[Whole] = []
        further: list[NDArray[np.bool_]] = []
        conflicts = late = 0
        ends = np.cumsum([0, *(len(rows) for rows in pending)])
        for rows, first, end in zip(pending, ends[:-1], ends[1:], strict=True):
            indices = np.flatnonzero(usable & (positions >= first) & (positions < end))
            if not indices.size:
                continue
            conflicts += rows.conflicts(positions[indices] - first, codes[indices])
            answered = rows.times[positions[indices] - first]
            in_time = _label_times(times[indices], answered, start) - answered <= self._horizon_us
            late += rows.without_label(positions[indices[~in_time]] - first, positions[indices[in_time]] - first)
            indices = indices[in_time]
            row_offsets = positions[indices] - first
            parts = [rows.extend(row_offsets, codes[indices], times[indices])] if self._in_parts else []
            parts.append(rows.consume(row_offsets, codes[indices], times[indices]))
            further += [np.full(len(part), number < len(parts) - 1) for number, part in enumerate(parts)]
            starts += [np.full(len(part), rows.start, dtype=np.int64) for part in parts]
            consumed += parts
        overdue, unmatched = self._unmatched_labels(labels[~matched], oldest)
        return LabelArrivals(
            labelled=joined(consumed) if consumed else empty.take(np.empty(0, dtype=np.int64)),
            starts=np.concatenate(starts) if starts else np.empty(0, dtype=np.int64),
            further=np.concatenate(further) if further else np.empty(0, dtype=np.bool_),
            conflicts=conflicts,
            overdue=replace(overdue, labels=overdue.labels + late),
            unmatched=unmatched,
            unknown_class=self._unknown_class_labels(labels[matched]),
        )

    def _positions(self, labels: Whole, pending: Sequence[PendingRows]) -> Whole:
        """The position of each label's row among all pending ones, [n]; -1 where there is none."""
        if not pending or not labels.size:
            return np.full(labels.size, -1, dtype=np.int64)
        keys, wanted = np.concatenate([rows.keys for rows in pending]), self._keys[labels]
        if np.array_equal(wanted, keys):  # a label for every row, in the rows' order: nothing to look up
            return np.arange(keys.size, dtype=np.int64)
        order = np.argsort(keys, kind="stable")
        places = _first_places(keys[order], wanted)
        return np.where(places >= 0, order[places], -1)

    def _unmatched_labels(self, labels: Whole, oldest: int) -> tuple[OverdueLabels, UnmatchedLabels]:
        """Of labels without a pending row, those that are overdue, and those of no known prediction."""
        ids = self._ids_of(labels)
        overdue = np.zeros(labels.size, dtype=np.bool_)
        if labels.size and self._lookup is not None:
            overdue = self._lookup.was_answered(ids, oldest)
        rest = ids.filter(pa.array(~overdue))
        if len(rest) and self._lookup is not None:
            rest = rest.filter(pa.array(~self._lookup.of_other_models(rest)))
        late = int(overdue.sum())
        if len(rest) and self.looks_back:
            is_older, others = (some.contains(rest) for some in self._older)
            late, rest = late + int(is_older.sum()), rest.filter(pa.array(~(is_older | others)))
        return (
            OverdueLabels(labels=late, horizon_us=self._horizon_us),
            UnmatchedLabels(labels=len(rest), first_id=pc.min(rest).as_py() or ""),
        )

    @cached_property
    def _older(self) -> tuple[IdSet, IdSet]:
        """Ids of labels whose row is too old to be known to the lookup, and those whose row is another model's."""
        ids = pc.unique(self._ids_of(np.flatnonzero(self._left)))
        if self._lookup is None:
            return IdSet(ids.slice(0, 0)), IdSet(ids.slice(0, 0))
        is_older, others = self._lookup.older(ids)
        return IdSet(ids.filter(pa.array(is_older))), IdSet(ids.filter(pa.array(others)))

    def _ids_of(self, labels: Whole) -> pa.Array:
        return self._ids.take(labels)["prediction_id"].combine_chunks()

    def _unknown_class_labels(self, labels: Whole) -> UnknownClassLabels:
        codes = self._codes[labels]
        unknown = labels[~has_label(codes) | self.task.unknown(codes)]
        respelled = labels[self._respelled[labels]]
        words, others = (pc.unique(self._words.take(some)["label"]).to_pylist() for some in (unknown, respelled))
        return UnknownClassLabels(
            labels=unknown.size, words=frozenset(words), respelled=respelled.size, respelled_words=frozenset(others)
        )


def _first_places(keys: Whole, wanted: Whole) -> Whole:
    """The first place of each wanted key among sorted ones, [n]; -1 where it is not there.

    >>> _first_places(np.array([3, 5, 5]), np.array([5, 4])).tolist()
    [1, -1]
    """
    if not keys.size:
        return np.full(wanted.size, -1, dtype=np.int64)
    places = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
    return np.where(keys[places] == wanted, places, -1)


def _label_times(times: Whole, answered: Whole, start: int) -> Whole:
    """When labels became known: those without a time of their own, which have their row's, when they were first seen.

    >>> _label_times(np.array([5, 8, 12]), np.array([5, 5, 12]), start=10).tolist()
    [10, 8, 12]

    Args:
        times: Label times, [n].
        answered: The event times of their rows, [n].

    Returns:
        Times, [n].
    """
    return np.where((times <= answered) & (times < start), start, times)
