"""One window's traffic: what its judgement needs of its rows and labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from monitoring.baseline.batch import Batch
from monitoring.judging.window.window_sums import AnsweredSums, LabelledSums
from monitoring.records import Finding
from monitoring.traffic.windows import Window


class WindowBatches(Protocol):
    """A window's rows, batch by batch, as often as they are read."""

    def answered(self) -> Iterator[Batch]:
        """The rows answered in the window."""

    def labelled(self) -> Iterator[Batch]:
        """The rows whose labels arrived in the window."""

    def earlier(self, span: Window) -> Iterator[Batch]:
        """The rows answered in a span before the window, with the labels that are known by the window's end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficEnd:
    """The end of the traffic, in a window or before it.

    Attributes:
        last_row: The last event time of all rows, in microseconds.
        is_followed: Whether the traffic is followed as it comes; else rows may come still, in this window too.
        labels: Labels whose time lies in the window.
    """

    last_row: int
    is_followed: bool
    labels: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DueWindow:
    """A window that is to be read.

    Attributes:
        first: Whether it is the first window judged since the label log was read.
        end: The end of the traffic, where it is in the window or before.
    """

    window: Window
    first: bool
    end: TrafficEnd | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTraffic:
    """One window's rows, and the labels that arrived in it.

    Attributes:
        batches: The rows themselves, read again for the few windows in which an incident opens.
        repeats: Rows that were dropped because an earlier row has their id.
        labels_unknown: Labels of no prediction within the label horizon.
        labels_conflicting: Labels of predictions that already had a different one.
        missing_rows: Rows that were answered and cannot be read: lost by the log, or left out of its sample.
        end: The end of the traffic, where it is in the window or before; None where rows come after it.
        late_rows: Rows that arrived since the last window was judged, for windows judged before.
    """

    window: Window
    answered: AnsweredSums
    labelled: LabelledSums
    batches: WindowBatches
    repeats: int = 0
    labels_unknown: int = 0
    labels_conflicting: int = 0
    input_problems: tuple[tuple[str, str], ...] = ()
    findings: tuple[Finding, ...] = ()
    missing_rows: int = 0
    end: TrafficEnd | None = None
    late_rows: int = 0

    @property
    def is_open(self) -> bool:
        """Whether rows may come still, as the traffic ends here and is not followed as it comes."""
        return self.end is not None and not self.end.is_followed
