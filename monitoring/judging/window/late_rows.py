"""Late rows: those that arrived after their window was judged, each reported once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitoring.records import Finding, WindowRecord
from monitoring.timestamps import as_microseconds

#: Precedes the start of a window (microseconds) in the names of cursor entries.
_PREFIX = "late:"


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRows:
    """Late rows that were not reported before, and what the next run needs to know of all of them.

    Attributes:
        cursor: The late rows of each window so far, as entries of the label cursor.
    """

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
