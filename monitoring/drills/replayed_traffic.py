"""Replayed traffic: rows in memory, shown to the monitor's job as its own traffic is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.baseline.batch import Batch, in_batches
from monitoring.baseline.predictions import Predictions, microseconds, predictions_from, with_usable_answers
from monitoring.baseline.spec import BaselineSpec
from monitoring.drills.timeline import RETYPED
from monitoring.judging.window.traffic_source import ReadSummary, TrafficSource
from monitoring.records import Finding
from monitoring.sources.log_window import LogWindow
from monitoring.timestamps import as_datetime, as_microseconds
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.windows import Window


class ReplayedTraffic(TrafficSource):
    """Rows in memory with their labels. A `TrafficSource`; all labels are in its label log, by their own times."""

    def __init__(self, rows: pa.Table, spec: BaselineSpec, *, known_until: datetime | None = None) -> None:
        """Sorts the labels.

        Args:
            rows: Rows, [n]: prediction_id, event_time, inputs, probabilities, label, label_time. Those without an
                event time are not in the traffic, and of those with one id the first is.
            known_until: Labels of that time and later have not come yet; None: all have.
        """
        labels = rows.select(["prediction_id", "label", "label_time"]).filter(rows["label"].is_valid())
        labels = labels.take(pa.array(_firsts(labels["prediction_id"])))
        logged = rows.drop_columns(["label", "label_time"]).filter(rows["event_time"].is_valid())
        logged = logged.take(pa.array(np.argsort(microseconds(logged["event_time"]), kind="stable")))
        firsts = _firsts(logged["prediction_id"])
        repeated = np.ones(logged.num_rows, dtype=np.bool_)
        repeated[firsts] = False
        self._repeats = microseconds(logged["event_time"])[repeated]
        self._rows = logged.take(pa.array(firsts))
        self._spec = spec
        self._times = microseconds(self._rows["event_time"])
        if known_until is not None:
            labels = labels.filter(pc.less(labels["label_time"], pa.scalar(known_until, pa.timestamp("us", "UTC"))))
        order = np.argsort(microseconds(labels["label_time"]), kind="stable")
        sequence = pa.array(np.arange(order.size), pa.int64())
        self._labels = labels.take(pa.array(order)).append_column("sequence", sequence).combine_chunks()
        self._read: tuple[Window, Predictions] | None = None

    @property
    @override
    def source_findings(self) -> tuple[Finding, ...]:
        return ()

    @property
    @override
    def waiting_ids(self) -> pa.Array:
        return pa.nulls(0, pa.string())

    @property
    @override
    def excluded_rows(self) -> int:
        return 0

    @override
    def older(self, ids: pa.Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        none = np.zeros(len(ids), dtype=np.bool_)
        return none, none

    def expect(self, windows: Sequence[Window]) -> None:
        """See `TrafficSource`: windows are read one by one."""

    def forget(self) -> None:
        """See `TrafficSource`: all rows are in memory anyway."""

    @override
    def rows(self, window: Window) -> LogWindow:
        return LogWindow(self, window)

    @override
    def read(self, window: Window) -> tuple[Predictions, int]:
        if self._read is None or self._read[0] != window:
            first, last = self._places(window)
            rows = _retyped(self._rows.slice(first, last - first))
            self._read = window, with_usable_answers(predictions_from(rows, self._spec), self._spec.task)
        inside = (self._repeats >= as_microseconds(window.start)) & (self._repeats < as_microseconds(window.end))
        return self._read[1], int(np.count_nonzero(inside))

    def batches(self, window: Window) -> Iterator[Batch]:
        """The rows of a window, in batches."""
        return in_batches(self.read(window)[0])

    def summary(self, window: Window) -> ReadSummary:
        """See `WindowRows.summary`."""
        rows, repeats = self.read(window)
        return ReadSummary(repeats=repeats, problems=rows.problems)

    def select(self, window: Window, ids: IdSet) -> tuple[Predictions, int]:
        """See `WindowRows.select`."""
        rows = self.read(window)[0]
        return rows, int(rows.event_times[-1]) if len(rows) else 0

    @override
    def missing_rows(self, window: Window) -> int:
        return 0

    @override
    def spans(self, longest_gap: timedelta) -> tuple[tuple[datetime, datetime], ...]:
        if not self._times.size:
            return ()
        breaks = np.flatnonzero(np.diff(self._times) > longest_gap // timedelta(microseconds=1))
        starts, ends = np.concatenate([[0], breaks + 1]), np.concatenate([breaks, [self._times.size - 1]])
        pairs = zip(self._times[starts].tolist(), self._times[ends].tolist(), strict=True)
        return tuple((as_datetime(first), as_datetime(last)) for first, last in pairs)

    @override
    def row_counts(self, windows: Sequence[Window]) -> NDArray[np.int64]:
        counts = [last - first for first, last in map(self._places, windows)]
        return np.array([counts, counts], dtype=np.int64).T.reshape(-1, 2)

    @override
    def event_times(self) -> NDArray[np.int64]:
        return self._times

    @override
    def label_parts(self) -> Iterator[pa.Table]:
        yield self.labels()

    @override
    def labels(self) -> pa.Table:
        return self._labels

    def latest_labels(self, ids: pa.Array | None = None) -> pa.Table:
        """See `TrafficSource`: each prediction has one label at most."""
        return self._labels

    @override
    def was_answered(self, ids: pa.Array, before: int) -> NDArray[np.bool_]:
        places = pc.index_in(ids, self._rows["prediction_id"].combine_chunks())
        is_answered = np.asarray(places.is_valid(), dtype=np.bool_)
        if is_answered.any():
            is_answered &= self._times[np.asarray(pc.fill_null(places, 0))] < before
        return is_answered

    @override
    def of_other_models(self, ids: pa.Array) -> NDArray[np.bool_]:
        return np.zeros(len(ids), dtype=np.bool_)

    def _places(self, window: Window) -> tuple[int, int]:
        ends = [as_microseconds(window.start), as_microseconds(window.end)]
        first, last = np.searchsorted(self._times, ends).tolist()
        return first, last


def _firsts(ids: pa.ChunkedArray) -> NDArray[np.int64]:
    """The places of the first rows of each id, in order."""
    _, firsts = np.unique(np.asarray(ids.to_pylist(), dtype=object), return_index=True)
    return np.sort(firsts).astype(np.int64)


def _retyped(rows: pa.Table) -> pa.Table:
    """The rows of a window, in which a number that became text is text."""
    for name in [column for column in rows.column_names if column.endswith(RETYPED)]:
        number = name.removesuffix(RETYPED)
        if rows[name].null_count < rows.num_rows:
            rows = rows.set_column(rows.column_names.index(number), number, rows[name])
        rows = rows.drop_columns([name])
    return rows
