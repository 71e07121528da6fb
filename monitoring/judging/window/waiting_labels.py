"""Labels that wait for their prediction outside the label log, as they have no time: each is reported once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from monitoring.judging.window.label_findings import UnmatchedLabels
from monitoring.judging.window.traffic_source import TrafficSource

#: The label cursor's entries: how many labels waited by then, and how many of those were of predictions too old.
WAITING = "waiting"
LATE = "waiting late"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLabels:
    """Labels that were not reported before, and what the next run needs to know of all of them.

    Attributes:
        cursor: How many there are in all, as entries of the label cursor.
    """

    unmatched: UnmatchedLabels = field(default_factory=UnmatchedLabels)
    late: int = 0
    cursor: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, traffic: TrafficSource, reported: Mapping[str, int]) -> WaitingLabels:
        """Compare the labels that wait with those that were reported.

        Cost: where some are new, a pass over the ids of all traffic.
        """
        ids, waited, waited_late = traffic.waiting_ids, int(reported.get(WAITING, 0)), int(reported.get(LATE, 0))
        if len(ids) <= waited:
            return cls(cursor={WAITING: len(ids), LATE: min(waited_late, len(ids))})
        is_older, others = traffic.older(ids)
        rest = ids.filter(pa.array(~(is_older | others)))
        late = int(is_older.sum())
        return cls(
            unmatched=UnmatchedLabels(
                labels=max(len(rest) - max(waited - waited_late, 0), 0), first_id=pc.min(rest).as_py() or ""
            ),
            late=max(late - waited_late, 0),
            cursor={WAITING: len(ids), LATE: late},
        )


NO_WAITING_LABELS = WaitingLabels()
