"""All that a task learns of a window's rows. Partials are merged, and never added rows to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monitoring.judging.window.label_findings import UnknownClassLabels
from monitoring.judging.window.window_sums import WindowSums
from monitoring.traffic.tables.read_sums import ReadSums


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountedRows:
    """Rows of one file whose inline labels were counted.

    Attributes:
        rows: places in the file, or keys of ids, int64 [n].
        labels: what each label is kept as, int64 [n].
    """

    file: str
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Partial:
    """What is known of some of a window's rows.

    `+` is associative, and commutative where evidence is concerned (see `WindowSums`). Partials of one window are
    added in the order of their tasks, so that what is shown besides is the same as well.

    Attributes:
        start: when the window begins, in microseconds.
    """

    start: int
    end: int
    sums: WindowSums
    read: ReadSums
    unknown: UnknownClassLabels
    counted: tuple[CountedRows, ...] = ()

    def __add__(self, other: Partial) -> Partial:
        if (self.start, self.end) != (other.start, other.end):
            raise ValueError(f"partials of two windows: {self.start} to {self.end}, and {other.start} to {other.end}")
        return Partial(
            start=self.start,
            end=self.end,
            sums=self.sums + other.sums,
            read=self.read + other.read,
            unknown=self.unknown + other.unknown,
            counted=(*self.counted, *other.counted),
        )

    def within(self, start: int, end: int) -> Partial:
        """The same rows as some of those of a longer window."""
        losses = self.sums.labelled
        tallies = {start: losses.whole} if losses.tallies else {}
        labelled = replace(losses, tallies=tallies)
        return replace(self, start=start, end=end, sums=replace(self.sums, labelled=labelled))
