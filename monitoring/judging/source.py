"""The rows of one window, as they come from traffic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch, in_batches
from monitoring.baseline.predictions import Predictions
from monitoring.records import Finding
from monitoring.traffic.id_keys import Wanted
from monitoring.traffic.windows import Window

#: Classes that a message names.
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownClassLabels:
    """Labels that name no class: how many, and their words.

    >>> one = UnknownClassLabels(labels=2, words=frozenset({"yes", "no"}))
    >>> (one + UnknownClassLabels(labels=1, words=frozenset({"maybe"}))).findings(("0", "1"))[0].message
    "3 labels name none of the classes 0, 1, and do not count; one is 'maybe'."
    """

    labels: int = 0
    words: frozenset[str] = frozenset()

    def __add__(self, other: UnknownClassLabels) -> UnknownClassLabels:
        return UnknownClassLabels(labels=self.labels + other.labels, words=self.words | other.words)

    def findings(self, classes: tuple[str, ...]) -> tuple[Finding, ...]:
        """The finding that there are some, with the first of their words in the order of text."""
        if not self.labels:
            return ()
        known = ", ".join(classes[:_SHOWN]) + (", …" if len(classes) > _SHOWN else "")
        one = min(self.words)[:60]
        message = f"{self.labels:,} labels name none of the classes {known}, and do not count; one is {one!r}."
        if self.labels == 1:
            message = f"1 label names none of the classes {known}, and does not count: {one!r}."
        return (Finding(kind="unknown labels", feature="", message=message),)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmatchedLabels:
    """Labels that name no prediction that is known: how many, and the id that one of them gives.

    >>> (UnmatchedLabels(labels=2, one="7.0") + UnmatchedLabels(labels=1, one="8.0")).findings(2)[0].message
    "3 labels name no known prediction; one is '7.0'."
    """

    labels: int = 0
    one: str = ""

    def __add__(self, other: UnmatchedLabels) -> UnmatchedLabels:
        return UnmatchedLabels(
            labels=self.labels + other.labels, one=min(filter(None, (self.one, other.one)), default="")
        )

    def findings(self, joined: int) -> tuple[Finding, ...]:
        """The finding that they are most of a window's labels, `joined` of which were of known predictions."""
        if self.labels <= joined:
            return ()
        message = f"{self.labels:,} labels name no known prediction; one is {self.one[:60]!r}."
        if self.labels == 1:
            message = f"1 label names no known prediction: {self.one[:60]!r}."
        return (Finding(kind="unknown predictions", feature="", message=message),)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSummary:
    """What a pass over a window's rows found out: repeats dropped, broken inputs, labels of no class, and the rest."""

    repeats: int = 0
    problems: tuple[tuple[str, str], ...] = ()
    strange: UnknownClassLabels = UnknownClassLabels()
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

    def select(self, ids: Wanted) -> tuple[Predictions, int]:
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

    def select(self, ids: Wanted) -> tuple[Predictions, int]:
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
