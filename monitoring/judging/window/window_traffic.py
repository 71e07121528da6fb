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

    @property
    def held(self) -> Sequence[Batch] | None:
        """The rows answered in the window, if they are in memory still."""

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
        labels_of_no_class: Labels that are none of the task's classes, each of which counts as an error.
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
    labels_of_no_class: int = 0
    input_problems: tuple[tuple[str, str], ...] = ()
    findings: tuple[Finding, ...] = ()
    missing_rows: int = 0
    end: TrafficEnd | None = None
    late_rows: int = 0

    @property
    def share_of_no_class(self) -> float:
        """The share of the labels that arrived which are of no class."""
        return self.labels_of_no_class / max(self.labelled.rows, 1)

    @property
    def is_open(self) -> bool:
        """Whether rows may come still, as the traffic ends here and is not followed as it comes."""
        return self.end is not None and not self.end.is_followed


#: Precede the start of a window (microseconds) in the names of cursor entries.
_LATE, _COPIES = "late:", "copies:"


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRows:
    """Rows for judged windows that were not reported before, and what the next run needs to know of all of them.

    Attributes:
        copies: Rows with the id of a row that was counted.
    """

    rows: int = 0
    copies: int = 0
    cursor: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, judged: Sequence[WindowRecord], counts: NDArray[np.int64], reported: Mapping[str, int]) -> LateRows:
        """Compare windows that were judged with the rows that they have by now.

        Rows whose copies are no longer there are not late.

        Args:
            counts: Their rows by now, with repeats and without, [n, 2].
        """
        fresh_rows, fresh_copies = 0, 0
        cursor: dict[str, int] = {}
        for record, (rows, distinct) in zip(judged, counts.tolist(), strict=True):
            names = [f"{prefix}{as_microseconds(record.start)}" for prefix in (_LATE, _COPIES)]
            late_before, copies_before = (int(reported.get(name, 0)) for name in names)
            more = rows - record.repeats - record.rows
            late = max(min(more, distinct - record.rows), late_before)
            copies = max(more - late, copies_before)
            fresh_rows += late - late_before
            fresh_copies += copies - copies_before
            cursor |= {name: count for name, count in zip(names, (late, copies), strict=True) if count}
        return cls(rows=fresh_rows, copies=fresh_copies, cursor=cursor)

    def findings(self) -> tuple[Finding, ...]:
        """The findings about them.

        >>> LateRows(rows=500).findings()[0].message
        '500 rows arrived after their window was judged. They are not scored without a backfill; labels for them count.'
        """
        findings = []
        if self.rows:
            message = (
                f"{self.rows:,} rows arrived after their window was judged. They are not scored without a "
                "backfill; labels for them count."
            )
            if self.rows == 1:
                message = (
                    "1 row arrived after its window was judged. It is not scored without a backfill; a label for it "
                    "counts."
                )
            findings.append(Finding(kind="late rows", feature="", message=message))
        if self.copies:
            message = (
                f"Rows sent again for windows that are judged: {self.copies:,}. Each has the id of a row that was "
                "counted, and is dropped as a duplicate. Other rows need other ids. Corrected rows count once they "
                "stand in place of the first and their windows are judged again: `pitfalls monitor backfill`."
            )
            findings.append(Finding(kind="rows sent again", feature="", message=message))
        return tuple(findings)
