"""What judging and runs need of traffic, wherever it is kept: protocols of a source and of one window's rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
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

    @property
    def held(self) -> Sequence[Batch] | None:
        """All rows, once they were gathered and if they are in memory still."""
        return None

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
    """Predictions and labels of one model. What only some kinds of traffic have is a member with a default."""

    def rows(self, window: Window) -> WindowRows:
        """The rows of a window."""

    @property
    def source_findings(self) -> tuple[Finding, ...]:
        """What is wrong with rows and labels that belong to no window."""

    def findings_after(self, moment: datetime | None) -> tuple[Finding, ...]:
        """What the windows that begin at a moment, or any, will tell of traffic that no window has."""
        return ()

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

    @property
    def has_counted_rows(self) -> bool:
        """Whether all rows were counted when the traffic was opened, so that `row_counts` costs nothing."""
        return False

    @property
    def labels_by_id(self) -> bool:
        """Whether labels go by their rows' ids however old the rows are, whatever part of the traffic is opened."""
        return False

    def without_handed_over(self, windows: Sequence[Window]) -> tuple[Window, ...]:
        """The windows but for those in which only other versions of the model answered: nothing of this one is missing.

        Cost: ids and times of the rows, which a run reads anyway; of other versions' only if this one has none in some
        window.
        """
        return tuple(windows)

    def may_have_more(self, windows: Sequence[Window], rows: Sequence[int]) -> bool:
        """Whether more rows than so many may lie in one of some windows, as far as is known without reading ids."""
        return True

    def keep(self, folder: Path, aggregator: WindowAggregator, *, judges: bool) -> None:
        """Have windows judged by the sums that a folder keeps of them, and keep those of the windows that are read.

        Args:
            aggregator: Sums windows up as the judge does.
            judges: Whether windows are read to be judged; otherwise it is only known which there are.
        """
        return  # for the type checker: not every kind of traffic has sums to keep

    def why_not_kept(self, window: Window) -> str:
        """Why the sums that are kept of a window are not used; empty if they are, or there are none."""
        return ""

    def kept_labels(self, window: Window) -> int | None:
        """How many labels the kept sums of a window have; None where its rows are there, or nothing is kept."""
        return None

    def images(self, name: str, window: Window, ids: IdSet) -> dict[str, bytes]:
        """The images, as files, that some rows of a window have as an input."""
        return {}

    def answered_ids(self, window: Window, ids: IdSet) -> dict[int, str]:
        """Of a ranking, the ids that some rows of a window were answered, by their codes."""
        return {}
