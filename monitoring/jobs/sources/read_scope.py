"""What part of the traffic is read, and for whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadScope:
    """What part of the traffic is of interest.

    Attributes:
        since: rows from this event time on; None: all rows.
        new_since: rows of judged windows from this event time on have new labels, unless it is known that they were
            counted; those of rows before it only where it is known that they were not. None: as `since`.
        counted_since: labels that were counted with rows from this event time on are remembered, for windows that may
            be judged again. None: as `since`.
        judged_until: the end of the last window judged; None: none was.
        job: whether the monitor's job reads, which brings labels into the label log.
        lean: whether of a log's rows only answers and the inputs of the specification are read.
    """

    since: datetime | None = None
    new_since: datetime | None = None
    counted_since: datetime | None = None
    judged_until: datetime | None = None
    job: bool = False
    lean: bool = False


#: All of the traffic, for a reader that changes nothing.
EVERYTHING = ReadScope()
