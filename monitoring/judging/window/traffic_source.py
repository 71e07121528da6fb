"""What judging needs of traffic, wherever it is kept: protocols of a source and of one window's rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch
from monitoring.baseline.predictions import Predictions
from monitoring.judging.window.label_findings import UnknownClassLabels
from monitoring.judging.window.window_sums import WindowAggregator
from monitoring.records import Finding
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSummary:
    """What a pass over a window's rows found."""

    repeats: int = 0
    problems: tuple[tuple[str, str], ...] = ()
    unknown_labels: UnknownClassLabels = field(default_factory=UnknownClassLabels)
    findings: tuple[Finding, ...] = ()


class WindowRows(Protocol):
    """The rows of one window."""

    @property
    def inline_labels(self) -> bool:
        """Whether rows come with their labels, which became known with them and are in no label log."""

    def batches(self) -> Iterator[Batch]:
        """The rows, each once, in any order; as often as they are read."""

    def gather(self, aggregator: WindowAggregator) -> None:
        """Give an aggregator the rows, or what others have aggregated of them, with their inline labels.

        The window is judged then: at the end the inline labels are recorded as counted.
        """

    def select(self, ids: IdSet) -> tuple[Predictions, int]:
        """The rows with those ids, and possibly others, with the inline labels that were counted.

        Returns:
            The rows, and the last event time of all rows of the window in microseconds, 0 without rows.
        """

    def summary(self) -> ReadSummary:
        """What the last pass over all rows found."""


class PredictionLookup(Protocol):
    """Knows the ids of predictions that no longer wait for their label."""

    def was_answered(self, ids: pa.Array, before: int) -> NDArray[np.bool_]:
        """Which predictions are known.

        Args:
            before: Leaves out rows with this event time (microseconds) or a later one, where event times are known.
        """

    def of_other_models(self, ids: pa.Array) -> NDArray[np.bool_]:
        """Which ids [n] are known to be of another model's predictions, [n]."""

    def older(self, ids: pa.Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which ids are of predictions so old that `was_answered` and `of_other_models` do not know them.

        Cost: a pass over the ids of all traffic, for labels that would be told as of no known prediction.

        Returns:
            Whether each is one of the model's, [n], and whether one of another model's, [n].
        """


class TrafficSource(PredictionLookup, Protocol):
    """Predictions and labels of one model."""

    def rows(self, window: Window) -> WindowRows:
        """The rows of a window."""

    @property
    def source_findings(self) -> tuple[Finding, ...]:
        """What is wrong with rows and labels that belong to no window."""

    @property
    def waiting_ids(self) -> pa.Array:
        """The ids of labels without a time that wait for their prediction outside the label log, one for each label."""

    @property
    def excluded_rows(self) -> int:
        """Rows of callers that are excluded, in the windows read so far."""

    def expect(self, windows: Sequence[Window]) -> None:
        """Windows that will be gathered one after the other: what reads for several may read for them at once."""

    def forget(self) -> None:
        """Keep no rows of the windows read so far: they are read again where they are wanted."""

    def read(self, window: Window) -> tuple[Predictions, int]:
        """The predictions answered in the window, without labels, and how many repeats were dropped from them."""

    def missing_rows(self, window: Window) -> int:
        """Rows answered in the window that cannot be read: lost by the log, or left out of its sample."""

    def spans(self, longest_gap: timedelta) -> tuple[tuple[datetime, datetime], ...]:
        """The first and last event time of each stretch of traffic without a gap longer than that, in order."""

    def row_counts(self, windows: Sequence[Window]) -> NDArray[np.int64]:
        """How many rows each window has by now, int64 [n, 2]: with repeats and without."""

    def event_times(self) -> NDArray[np.int64]:
        """Every event time, sorted, in microseconds since 1970, UTC, int64 [n]."""

    def label_parts(self) -> Iterator[pa.Table]:
        """What `labels` gives, in parts, in their order."""

    def labels(self) -> pa.Table:
        """The label log in order of arrival: prediction_id, label, label_time, sequence."""

    def latest_labels(self, ids: pa.Array | None = None) -> pa.Table:
        """The last label of each prediction; where ids are given, those of others may be left out."""
