"""The rows of one window of a traffic log, as the monitor's job reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from typing_extensions import override

from monitoring.baseline.batch import Batch, HeldRows
from monitoring.baseline.predictions import Predictions
from monitoring.judging.window.traffic_source import ReadSummary, WindowRows
from monitoring.judging.window.window_sums import WindowAggregator
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.windows import Window


class WindowReader(Protocol):
    """Reads windows of a traffic log."""

    def batches(self, window: Window) -> Iterator[Batch]:
        """The rows of a window, each once, in any order."""

    def select(self, window: Window, ids: IdSet) -> tuple[Predictions, int]:
        """The rows of a window that have one of some ids, and the newest event time of all of its rows."""

    def summary(self, window: Window) -> ReadSummary:
        """What a pass over a window's rows found."""


class LogWindow(WindowRows):
    """One window of a traffic log, whose labels are all in the label log. A `WindowRows`.

    Nothing is read before it is asked for; rows that were gathered are held if they are few.
    """

    inline_labels = False

    def __init__(self, reader: WindowReader, window: Window, *, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Reads nothing yet. `meanwhile` is called after each batch."""
        self._reader = reader
        self._window = window
        self._meanwhile = meanwhile
        self._held: Sequence[Batch] | None = None

    @property
    @override
    def held(self) -> Sequence[Batch] | None:
        return self._held

    @override
    def batches(self) -> Iterator[Batch]:
        if self._held is not None:
            yield from self._held
            return
        for batch in self._reader.batches(self._window):
            yield batch
            self._meanwhile()

    @override
    def gather(self, aggregator: WindowAggregator) -> None:
        held = HeldRows()
        for batch in self.batches():
            held.add(batch)
            aggregator.add_answered(batch)
        self._held = held.batches

    @override
    def select(self, ids: IdSet) -> tuple[Predictions, int]:
        return self._reader.select(self._window, ids)

    @override
    def summary(self) -> ReadSummary:
        return self._reader.summary(self._window)
