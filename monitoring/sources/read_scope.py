"""What part of the traffic is read, by whom and for whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from monitoring.engines.engine import Engine
from monitoring.traffic.remote.snapshot import Snapshot
from monitoring.traffic.tables.repeats import IdReader, IdsHere
from monitoring.traffic.tables.table import Table
from monitoring.traffic.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Who reads a table's rows.

    Attributes:
        engine: Runs the tasks that read windows to be judged; None: they are read here, without tasks.
        ids: Makes what goes through the ids of all rows, of what does so here; None: that does.
        in_place: Whether files at a URL are opened there, as executors elsewhere do, and not copied.
        whole: Gives the rows of a window with all columns, where the table has only some; None: it has all.
        meanwhile: Called after each batch of rows.
    """

    engine: Engine | None = None
    ids: Callable[[IdsHere], IdReader] | None = None
    in_place: bool = False
    whole: Callable[[Window], Table] | None = None
    meanwhile: Callable[[], None] = lambda: None


#: Rows are read by the process that judges.
HERE = Reading()


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
        blanks: inputs of which a log's empty text is a category; of others it is a missing value, as a request cannot
            say in any other way that a text is missing.
        snapshot: of a run, which sees one state of a database however often it opens its traffic; None: of no run.
    """

    since: datetime | None = None
    new_since: datetime | None = None
    counted_since: datetime | None = None
    judged_until: datetime | None = None
    job: bool = False
    reading: Reading = HERE
    lean: bool = False
    blanks: frozenset[str] = frozenset()
    snapshot: Snapshot | None = None


#: All of the traffic, for a reader that changes nothing.
EVERYTHING = ReadScope()
