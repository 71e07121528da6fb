"""Which windows of a range a backfill judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.records import Only, WindowRecord
from monitoring.traffic.windows import Window

FORM = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownWindows:
    """What is known of a deployment's windows before a backfill.

    Attributes:
        judged: Those that were judged and begin in the range or later, in order.
        counts: The rows that each has by now, with repeats and without, int64 [n, 2].
        failed: Whether the last attempt at the first of these failed.
        rejudgeable: When the windows begin that can be judged again, in order.
        unused: Why the sums that are kept of a window are not used, by when it begins.
        late_labels: By when it begins, the labels of a window without rows that came later than their rows.
    """

    judged: Sequence[WindowRecord]
    counts: NDArray[np.int64]
    due: Sequence[Window]
    failed: bool
    rejudgeable: Sequence[datetime]
    unused: Mapping[datetime, str] = field(default_factory=dict)
    late_labels: Mapping[datetime, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRange:
    """A range of windows: those that begin in [start, end), and are asked for by `only`.

    Evidence is judged in order, each window once. So a window that was judged is judged again by going back to before
    it, and with it every later one. `by` is who asks.
    """

    start: datetime
    end: datetime
    only: Only | None = None
    by: str = ""

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise BadInput(
                "Not a range of windows.",
                got=f"{self.start:{FORM}} to {self.end:{FORM}}",
                expected="two times, the first before the second",
                fix="Name the day after the last one as the end: --from 2026-03-05 --to 2026-03-08 is three days.",
            )

    def again_from(self, windows: KnownWindows) -> datetime | None:
        """The first window that was judged and is to be judged again.

        Returns:
            When it begins; None where only windows are judged that were not judged before.

        Raises:
            BadInput: It cannot be judged again, its rows or those of later ones are gone, or windows before the range
                are not judged yet.
        """
        if self.only != "failed":
            for record, (_, rows) in zip(windows.judged, windows.counts.tolist(), strict=True):
                if record.start < self.end and (self.only is None or (record.rows == 0 and rows > 0)):
                    _check_kept(record, windows.rejudgeable)
                    _check_rows(record, windows)
                    return record.start
        self._check_order(windows)
        return None

    def has_new(self, windows: KnownWindows) -> bool:
        """Whether the range has a window that is due, was not judged, and is asked for."""
        within = [window for window in windows.due if self.start <= window.start < self.end]
        return bool(within) and (self.only != "failed" or (windows.failed and within[0] == windows.due[0]))

    def _check_order(self, windows: KnownWindows) -> None:
        """Raises BadInput where windows before the range are due and not judged."""
        if windows.due and windows.due[0].start < self.start and self.has_new(windows):
            first = windows.due[0].start
            raise BadInput(
                "Windows before the range are not judged yet, and evidence is judged in order.",
                got=f"a range from {self.start:{FORM}}",
                expected=f"one from {first:{FORM}} or before",
                fix=f"Begin there, or run `pitfalls monitor run`, which judges all that is due from {first:{FORM}} on.",
            )


def _check_kept(record: WindowRecord, rejudgeable: Sequence[datetime]) -> None:
    """Raises BadInput for a window that cannot be judged again."""
    if record.start in rejudgeable:
        return
    oldest = f"one from {rejudgeable[0]:{FORM}} UTC on" if rejudgeable else "none, as no evidence of before is kept"
    raise BadInput(
        "This window can no longer be judged again.",
        got=f"the window that begins at {record.start:{FORM}} UTC",
        expected=oldest,
        fix="A window can be judged again for as long as labels are waited for (label_horizon), or for as long as "
        "`checkpoints` in [retention] said when it was judged, and since the last re-baseline. To judge everything "
        "anew, give the deployment another `name`; what was judged is kept.",
    )


def _check_rows(first: WindowRecord, windows: KnownWindows) -> None:
    """Raises BadInput where a window that would be judged again has fewer rows now than it was judged with."""
    for record, (_, rows) in zip(windows.judged, windows.counts.tolist(), strict=True):
        if record.start < first.start:
            continue
        if rows < record.rows:
            why = windows.unused.get(record.start, "")
            raise BadInput(
                "Rows of a window that would be judged again are gone.",
                got=f"{rows:,} of {record.rows:,} rows of the window that begins at {record.start:{FORM}} UTC"
                + (f"; sums were kept of it, but {why}" if why else ""),
                expected="all rows of every window from the first of the range on, or what `keep` in [engine] kept",
                fix="Name traffic that has them with --traffic, or begin later.",
            )
        if labels := windows.late_labels.get(record.start, 0):
            raise BadInput(
                "Rows are gone that labels are for which came later.",
                got=f"{labels:,} labels in the window that begins at {record.start:{FORM}} UTC, and no rows",
                expected="the rows, or labels that are in their rows",
                fix="Name traffic that has the rows with --traffic, or begin later.",
            )
