"""Rows that came after their window had been judged: how many there are, each told once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitoring.records import Finding, WindowRecord
from monitoring.timestamps import as_microseconds

#: Before the beginning of a window (microseconds), in the names of a cursor's entries.
_LATE = "late:"


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRows:
    """LateRows rows: how many were not told before, and how many there are by window, as a cursor's entries."""

    rows: int = 0
    cursor: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, judged: Sequence[WindowRecord], counts: NDArray[np.int64], told: Mapping[str, int]) -> LateRows:
        """By windows that were judged, and their rows by now [n, 2], all and without repeats.

        Copies of rows are not late, and no more are rows whose copies are forgotten. What was `told` is in the last
        cursor.
        """
        fresh, cursor = 0, {}
        for record, (rows, counted) in zip(judged, counts.tolist(), strict=True):
            name = f"{_LATE}{as_microseconds(record.start)}"
            before = int(told.get(name, 0))
            found = max(min(rows - record.repeats, counted) - record.rows, before)
            fresh += found - before
            if found:
                cursor[name] = found
        return cls(rows=fresh, cursor=cursor)

    def findings(self) -> tuple[Finding, ...]:
        """The finding that there are some.

        >>> LateRows(rows=500).findings()[0].message
        '500 rows came after their window was judged, and do not count; labels of theirs do.'
        """
        if not self.rows:
            return ()
        message = f"{self.rows:,} rows came after their window was judged, and do not count; labels of theirs do."
        if self.rows == 1:
            message = "1 row came after its window was judged, and does not count; a label of its does."
        return (Finding(kind="late rows", feature="", message=message),)
