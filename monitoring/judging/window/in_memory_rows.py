"""A window's rows in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from monitoring.baseline.batch import Batch, in_batches
from monitoring.baseline.predictions import Predictions
from monitoring.judging.window.traffic_source import ReadSummary
from monitoring.records import Finding
from monitoring.traffic.id_keys import IdSet


class InMemoryRows:
    """Rows in memory, whose labels are all in the label log. A `monitoring.judging.window.traffic_source.WindowRows`.

    Args:
        predictions: The rows.
        repeats: Rows dropped because an earlier row has their id.
        findings: What is wrong with the window, found when it is called.
    """

    inline_labels = False

    def __init__(self, predictions: Predictions, repeats: int, findings: Callable[[], tuple[Finding, ...]]) -> None:
        self._predictions = predictions
        self._repeats = repeats
        self._findings = findings

    def batches(self) -> Iterator[Batch]:
        """See `monitoring.judging.window.traffic_source.WindowRows`."""
        return in_batches(self._predictions)

    def consume(self) -> Iterator[Batch]:
        """See `monitoring.judging.window.traffic_source.WindowRows`."""
        return self.batches()

    def select(self, ids: IdSet) -> tuple[Predictions, int]:
        """See `monitoring.judging.window.traffic_source.WindowRows`: all rows, whatever the ids."""
        rows = self._predictions
        return rows, int(rows.event_times.max()) if len(rows) else 0

    def summary(self) -> ReadSummary:
        """See `monitoring.judging.window.traffic_source.WindowRows`."""
        return ReadSummary(repeats=self._repeats, problems=self._predictions.problems, findings=self._findings())
