"""Early-label bias: whether the labels of a traffic's first rows have arrived, or only those with a short delay.

Labels that arrive early are right-censored: those of longer delays are missing. Where errors are reported sooner than
correct predictions, most early labels are errors. So no loss is evaluated before the first rows have their labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from monitoring.records import Finding
from monitoring.watches.label_coverage import LabelWindow

#: The labels of the first rows are complete at this share of the labels that as many baseline rows have.
COMPLETE_SHARE = 0.9

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
        self, rows: int, newest: int, labelled: Mapping[int, int], *, window: LabelWindow, rate: LabelRate
    ) -> EarlyLabels:
        """The state after one more window.

        Args:
            rows: Rows answered in the window.
            newest: The newest of their event times.
            labelled: Labels that arrived in the window, by the start of the window of their rows.
            window: The window and the label horizon.
            rate: The baseline's label rate.

        Returns:
            The new state. It is complete once `COMPLETE_SHARE` of the labels to expect are there, or once the label
            horizon of the first window is over.

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
        most_arrived = labels >= COMPLETE_SHARE * rate.share * first.rows
        horizon_over = window.end - window.horizon > first.newest
        return replace(first, labels=labels, complete=most_arrived or horizon_over)

    def findings(self, arrived: int) -> tuple[Finding, ...]:
        """The finding of a window whose losses are not evaluated because early labels are incomplete.

        Args:
            arrived: Labels that arrived in the window.

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

        Args:
            text: The text.

        Returns:
            The state.

        >>> EarlyLabels.from_text(EarlyLabels(start=1, rows=3, complete=True).to_text())
        EarlyLabels(start=1, until=0, newest=0, rows=3, labels=0, complete=True)
        """
        *numbers, complete = map(int, text.split())
        return cls(**dict(zip(_NUMBERS, numbers, strict=True)), complete=bool(complete))


#: For a deployment whose first windows were evaluated before this state was kept.
COMPLETE = EarlyLabels(complete=True)
