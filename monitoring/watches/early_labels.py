"""Early-label bias: whether the labels of a traffic's first rows have arrived, or only those with a short delay.

Labels that arrive early are right-censored: those of longer delays are missing. Where errors are reported sooner than
correct predictions, most early labels are errors. So no loss is evaluated before the first rows have their labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monitoring.records import Finding
from monitoring.watches.label_coverage import LabelWindow
from monitoring.watches.label_delays import EDGES

#: The labels of the first rows are complete at this share of the labels that as many baseline rows have.
COMPLETE_SHARE = 0.9

#: Labels after the first and after the last row of a traffic are left out of losses if their delays differ so much from
#: those of all labels: the total variation between both.
MOST_BIAS = 0.1

#: Delays in a sample of them.
DELAYS = 100

Whole = NDArray[np.int64]

NO_DELAYS: Whole = np.zeros(0, dtype=np.int64)

_NUMBERS = ("start", "until", "newest", "rows", "labels")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRate:
    """The share of the baseline's rows that have a label, and how many rows are enough to compare with it."""

    share: float
    min_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyLabels:
    """The labels of a traffic's first rows, as counts; times in microseconds.

    The first rows are those of the windows that began from `start` to `until`, the `newest` event of the first of which
    is kept. There are `rows` of them, and `labels` of these have a label by now. `complete` never becomes false again.

    A label that arrives belongs to a row as old as the label's delay. A traffic that has just begun has no old rows, so
    only labels with short delays arrive.
    """

    start: int = 0
    until: int = 0
    newest: int = 0
    rows: int = 0
    labels: int = 0
    complete: bool = False

    def updated(
        self,
        rows: int,
        newest: int,
        labelled: Mapping[int, int],
        *,
        window: LabelWindow,
        rate: LabelRate,
        delays: Whole = NO_DELAYS,
    ) -> EarlyLabels:
        """The state after one more window.

        Args:
            delays: A sample of the label delays of the baseline, int64 [n], where the window's labels have the same.

        Returns:
            The new state. It is complete once `COMPLETE_SHARE` of the labels to expect are there: of all of the first
            rows, or where few delays tell no less than all, of those due by the baseline's; or once the label horizon
            of the first window is over.

        >>> rate = LabelRate(share=1.0, min_rows=50)
        >>> first = EarlyLabels().updated(100, 0, {0: 60}, window=LabelWindow(start=0, end=1, horizon=9), rate=rate)
        >>> second = first.updated(100, 1, {0: 35, 1: 60}, window=LabelWindow(start=1, end=2, horizon=9), rate=rate)
        >>> first.complete, second.complete
        (False, True)
        """
        if self.complete or not (self.rows or rows):
            return self
        first = self if self.rows else replace(self, start=window.start, newest=newest)
        if first.rows < rate.min_rows:
            first = replace(first, until=window.start, rows=first.rows + rows)
        arrived = sum(count for start, count in labelled.items() if first.start <= start <= first.until)
        labels = first.labels + arrived
        due, end = 1.0, first.until + window.end - window.start
        if labels and delays.size and delay_bias(delays, window, first_row=first.start) <= MOST_BIAS:
            due = due_share(delays, first=first.start, last=end, now=window.end)
        most_arrived = labels >= COMPLETE_SHARE * rate.share * first.rows * due
        horizon_over = window.end - window.horizon > first.newest
        return replace(first, labels=labels, complete=most_arrived or horizon_over)

    def findings(self, arrived: int) -> tuple[Finding, ...]:
        """The finding of a window whose losses are not evaluated because early labels are incomplete.

        Returns:
            One finding; none if labels are complete or none arrived.
        """
        if self.complete or not arrived:
            return ()
        message = (
            f"{self.labels} of the first {self.rows} rows have a label so far. Early labels are biased towards short "
            "label delays, so no loss is evaluated until nearly all have arrived or `label_horizon` is over."
        )
        return (Finding(kind="labels still arriving", feature="", message=message),)

    def to_text(self) -> str:
        """The state as integers, separated by spaces."""
        return " ".join(str(int(getattr(self, name))) for name in (*_NUMBERS, "complete"))

    @classmethod
    def from_text(cls, text: str) -> EarlyLabels:
        """Read what `to_text` wrote.

        >>> EarlyLabels.from_text(EarlyLabels(start=1, rows=3, complete=True).to_text())
        EarlyLabels(start=1, until=0, newest=0, rows=3, labels=0, complete=True)
        """
        *numbers, complete = map(int, text.split())
        return cls(**dict(zip(_NUMBERS, numbers, strict=True)), complete=bool(complete))


def delay_bias(
    delays: Whole, window: LabelWindow, *, first_row: int | None = None, last_row: int | None = None
) -> float:
    """How far the delays of labels differ from those of all labels where they arrive soon after the first row, or late.

    Rows come evenly from the first to the last one. So of the labels with one delay, those arrive in the window whose
    rows came so long before it. Labels that all have one delay are not biased.

    >>> day = 86_400_000_000
    >>> week, same, two = LabelWindow(start=0, end=7 * day, horizon=0), np.array([3 * day]), np.array([day, 10 * day])
    >>> delay_bias(same, week, last_row=0), round(delay_bias(two, week, last_row=0), 3)
    (0.0, 0.375)
    >>> delay_bias(same, week, first_row=0), delay_bias(two, week, first_row=0)
    (0.0, 0.5)

    Args:
        delays: A sample of label delays, int64 [n], in microseconds; none where they are not known.
        first_row: The first event time of the traffic, in microseconds; None: long ago.
        last_row: The last one; None: none is.

    Returns:
        The total variation between both distributions, in [0, 1]; 1 where no label was due in the window.
    """
    if not delays.size:
        return 0.0
    first, last = window.start - delays, window.end - delays
    first = first if first_row is None else np.maximum(first, first_row)
    due = np.clip((last if last_row is None else np.minimum(last, last_row)) - first, 0, None)
    arriving = float(due.mean())
    return 0.5 * float(np.abs(due / arriving - 1.0).mean()) if arriving else 1.0


def due_share(delays: Whole, *, first: int, last: int, now: int) -> float:
    """The share of the labels of some rows that are due, where the rows came evenly from the first to the last one.

    >>> due_share(np.array([5, 5]), first=0, last=10, now=8)
    0.3

    Args:
        delays: A sample of label delays, int64 [n], at least one.
    """
    return float(np.clip((np.minimum(last, now - delays) - first) / (last - first), 0.0, 1.0).mean())


def delay_sample(counts: tuple[int, ...]) -> Whole:
    """Some `DELAYS` label delays in microseconds, [n], of labels counted by their delay; the longest of each bin.

    >>> delay_sample((1, 0, 3) + (0,) * (len(EDGES) - 2)).tolist()[::30]
    [60000000, 300000000, 300000000, 300000000]

    Returns:
        Them, sorted; none without labels.
    """
    if not sum(counts):
        return np.zeros(0, dtype=np.int64)
    ends = np.cumsum(counts) / sum(counts)
    places = np.searchsorted(ends, (np.arange(DELAYS) + 0.5) / DELAYS)
    return np.array((*EDGES, 2 * EDGES[-1]), dtype=np.int64)[places] * 1_000_000


def late_label_findings(labels: int) -> tuple[Finding, ...]:
    """The finding of a window whose labels have too long delays to be those of all rows; none without labels."""
    if not labels:
        return ()
    message = (
        f"{labels:,} labels arrived after the last row of the traffic, without those of short label delays: they are "
        "counted, and no loss is evaluated."
    )
    return (Finding(kind="late labels alone", feature="", message=message),)


#: For a deployment whose first windows were evaluated before this state was kept.
COMPLETE = EarlyLabels(complete=True)
