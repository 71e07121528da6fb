"""The rows of one window, as they come from traffic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch, in_batches
from monitoring.baseline.predictions import Predictions
from monitoring.judging.window.label_findings import UnknownClassLabels, UnmatchedLabels
from monitoring.records import Finding
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSummary:
    """What a pass over a window's rows found out: repeats dropped, broken inputs, labels of no class, and the rest."""

    repeats: int = 0
    problems: tuple[tuple[str, str], ...] = ()
    unknown_labels: UnknownClassLabels = field(default_factory=UnknownClassLabels)
    findings: tuple[Finding, ...] = ()


class WindowRows(Protocol):
    """The rows of one window. `inline_labels` says that their own labels count with them."""

    @property
    def inline_labels(self) -> bool:
        """Whether the rows' labels stand beside them, became known with them, and are in no label log."""

    def batches(self) -> Iterator[Batch]:
        """The rows, each once, in any order; as often as it is asked for."""

    def consume(self) -> Iterator[Batch]:
        """The same, once, to be judged: that the labels beside the rows were counted is remembered at its end."""

    def select(self, ids: IdSet) -> tuple[Predictions, int]:
        """The rows with those ids at least, in memory, with the labels beside them that were counted.

        And the time of the newest of all rows, 0 where there is none.
        """

    def summary(self) -> ReadSummary:
        """What the last pass over all of them found out."""


def newest_event_us(rows: Predictions) -> int:
    """The last event time (microseconds), 0 where there is no row."""
    return int(rows.event_times.max()) if len(rows) else 0


class InMemoryRows:
    """Rows in memory, without labels. A `WindowRows`."""

    inline_labels = False

    def __init__(self, predictions: Predictions, repeats: int, findings: Callable[[], tuple[Finding, ...]]) -> None:
        self._predictions = predictions
        self._repeats = repeats
        self._findings = findings

    def batches(self) -> Iterator[Batch]:
        """See `WindowRows`."""
        return in_batches(self._predictions)

    def consume(self) -> Iterator[Batch]:
        """See `WindowRows`."""
        return self.batches()

    def select(self, ids: IdSet) -> tuple[Predictions, int]:
        """See `WindowRows`."""
        return self._predictions, newest_event_us(self._predictions)

    def summary(self) -> ReadSummary:
        """See `WindowRows`."""
        return ReadSummary(repeats=self._repeats, problems=self._predictions.problems, findings=self._findings())


class TrafficSource(Protocol):
    """The narrow waist between where predictions are kept and how they are judged."""

    def rows(self, window: Window) -> WindowRows:
        """The rows of a window, to be read batch by batch."""

    @property
    def source_findings(self) -> tuple[Finding, ...]:
        """What was found about rows that no window holds."""

    @property
    def unmatched_labels(self) -> UnmatchedLabels:
        """Labels that name no prediction so far, and wait for it in no label log."""

    def was_answered(self, ids: pa.Array, before: int) -> NDArray[np.bool_]:
        """Which ids of labels are those of rows that are there, as far as it is known, [n].

        Where rows are known with their times, those from `before` (microseconds) on are not among them.
        """

    def of_other_models(self, ids: pa.Array) -> NDArray[np.bool_]:
        """Which ids of labels are those of another model's rows, as far as it is known, [n]."""

    def read(self, window: Window) -> tuple[Predictions, int]:
        """The predictions answered in the window, without labels, and how many repeats were dropped from them."""

    def missing_rows(self, window: Window) -> int:
        """Rows that were answered in the window and cannot be read: lost by the log, or left out of its sample."""

    def spans(self, longest_gap: timedelta) -> tuple[tuple[datetime, datetime], ...]:
        """First and last event time of each stretch of traffic that has no gap longer than that."""

    def row_counts(self, windows: Sequence[Window]) -> NDArray[np.int64]:
        """How many rows some windows have by now, int64 [n, 2]: all, and without repeats."""

    def event_times(self) -> NDArray[np.int64]:
        """Every event time, sorted, in microseconds since 1970, UTC."""

    def labels(self) -> pa.Table:
        """The labels in order of arrival, as `LabelLog.read` gives them."""

    def latest_labels(self) -> pa.Table:
        """One label per prediction, the last to arrive."""
