"""Whether the first labels have come: until then those that did are of the quick ones, and not like all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from monitoring.records import Finding
from monitoring.watches.labelled import LabelWindow

#: The first labels have come when this share of those is there that the baseline would have.
NEARLY_ALL = 0.9

_NUMBERS = ("start", "until", "newest", "rows", "labels")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRate:
    """The share of the baseline's rows that got a label, and how many rows are enough to tell one."""

    share: float
    enough: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyLabels:
    """What is remembered of the labels of a traffic's first rows, times in microseconds.

    They are those of the windows that began from `start` to `until`; the `newest` of the first window happened then.
    There are `rows` of them, of which `labels` got their label by now. Once the labels are `complete`, they remain so.

    A label that arrives is of a row as old as the label took. A traffic that has just begun has no old rows, so what
    arrives is of the quick labels alone: where errors are told sooner than what was right, most of them are errors.
    """

    start: int = 0
    until: int = 0
    newest: int = 0
    rows: int = 0
    labels: int = 0
    complete: bool = False

    def after(
        self, rows: int, newest: int, labelled: Mapping[int, int], *, window: LabelWindow, usual: LabelRate
    ) -> EarlyLabels:
        """One window on: it has that many `rows`, the `newest` of them then; `labelled` goes by their windows' starts.

        >>> usual = LabelRate(share=1.0, enough=50)
        >>> first = EarlyLabels().after(100, 0, {0: 60}, window=LabelWindow(start=0, end=1, horizon=9), usual=usual)
        >>> second = first.after(100, 1, {0: 35, 1: 60}, window=LabelWindow(start=1, end=2, horizon=9), usual=usual)
        >>> first.complete, second.complete
        (False, True)
        """
        if self.complete or not (self.rows or rows):
            return self
        first = self if self.rows else replace(self, start=window.start, newest=newest)
        if first.rows < usual.enough:
            first = replace(first, until=window.start, rows=first.rows + rows)
        came = sum(count for start, count in labelled.items() if first.start <= start <= first.until)
        labels = first.labels + came
        nearly_all = labels >= NEARLY_ALL * usual.share * first.rows
        too_late = window.end - window.horizon > first.newest
        return replace(first, labels=labels, complete=nearly_all or too_late)

    def findings(self, arrived: int) -> tuple[Finding, ...]:
        """What is said of a window in which that many labels arrived, and were not judged."""
        if self.complete or not arrived:
            return ()
        message = (
            f"The first labels still arrive, {self.labels} of {self.rows} rows have one: those that are there are the "
            "quick ones. No loss is judged until nearly all have come, or `label_horizon` is over."
        )
        return (Finding(kind="labels still arriving", feature="", message=message),)

    def to_text(self) -> str:
        """Whole numbers, parted by spaces."""
        return " ".join(str(int(getattr(self, name))) for name in (*_NUMBERS, "complete"))

    @classmethod
    def from_text(cls, text: str) -> EarlyLabels:
        """The inverse of `to_text`.

        >>> EarlyLabels.from_text(EarlyLabels(start=1, rows=3, complete=True).to_text())
        EarlyLabels(start=1, until=0, newest=0, rows=3, labels=0, complete=True)
        """
        *numbers, complete = map(int, text.split())
        return cls(**dict(zip(_NUMBERS, numbers, strict=True)), complete=bool(complete))


#: Of a traffic that was judged before this was remembered.
COMPLETE = EarlyLabels(complete=True)
