"""One window's traffic: what its judgement needs of its rows and labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch
from monitoring.judging.window.window_sums import AnsweredSums, LabelledSums
from monitoring.records import Finding, WindowRecord
from monitoring.timestamps import as_microseconds
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
    """A window that is to be read. `first`: whether it is the first window judged since the label log was read."""

    window: Window
    first: bool
    end: TrafficEnd | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTraffic:
    """One window's rows, and the labels that arrived in it.

    Attributes:
        missing_rows: Rows that were answered and cannot be read: lost by the log, or left out of its sample.
        end: The end of the traffic, where it is in the window or before; None where rows come after it.
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


#: Precedes the start of a window (microseconds) in the names of cursor entries.
_PREFIX = "late:"


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRows:
    """Late rows that were not reported before, and what the next run needs to know of all of them."""

    rows: int = 0
    cursor: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, judged: Sequence[WindowRecord], counts: NDArray[np.int64], reported: Mapping[str, int]) -> LateRows:
        """Compare windows that were judged with the rows that they have by now.

        Copies of earlier rows are not late. Rows whose copies are no longer there are not late either.

        Args:
            counts: Their rows by now, with repeats and without, [n, 2].
        """
        fresh, cursor = 0, {}
        for record, (rows, distinct) in zip(judged, counts.tolist(), strict=True):
            name = f"{_PREFIX}{as_microseconds(record.start)}"
            before = int(reported.get(name, 0))
            late = max(min(rows - record.repeats, distinct) - record.rows, before)
            fresh += late - before
            if late:
                cursor[name] = late
        return cls(rows=fresh, cursor=cursor)

    def findings(self) -> tuple[Finding, ...]:
        """The finding about them.

        >>> LateRows(rows=500).findings()[0].message
        '500 rows arrived after their window was judged. They are not scored without a backfill; labels for them count.'
        """
        if not self.rows:
            return ()
        message = (
            f"{self.rows:,} rows arrived after their window was judged. They are not scored without a "
            "backfill; labels for them count."
        )
        if self.rows == 1:
            message = (
                "1 row arrived after its window was judged. It is not scored without a backfill; a label for it counts."
            )
        return (Finding(kind="late rows", feature="", message=message),)
