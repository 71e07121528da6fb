"""Drills: faults planted in replayed traffic, and whether and when the monitor detected them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from monitoring.records.watch import Level

#: The year of windows of a reference without dates.
UNDATED = 1970

#: What a fault changes.
Touched: TypeAlias = Literal["inputs", "answers", "labels", "rows"]

#: Where the replayed windows are from.
DrillSource: TypeAlias = Literal["traffic", "reference"]

#: What became of a fault: detected in at least half of its replicates, missed, or smaller than what is detected.
Outcome: TypeAlias = Literal["detected", "missed", "too small"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillRun:
    """One replicate of one fault.

    Attributes:
        column: What the fault was planted in: an input, or a slice; empty for a fault of no column.
        level: The level of the incident that detected it; None where none did.
        delay: In which window with the fault it was opened, the first is 1; None where none was.
        watch: Its watch; empty where none did, as are the next three.
        named: The input that it names first; empty where it names none.
        nearest: How near a missed fault came to a page; empty where it was detected, and in drills of earlier releases.
    """

    replicate: int
    column: str = ""
    level: Level | None = None
    delay: int | None = None
    watch: str = ""
    slice: str = ""
    cause: str = ""
    named: str = ""
    nearest: str = ""

    @property
    def named_rightly(self) -> bool:
        """Whether the input named first is the faulty one, or none is named where no input is faulty."""
        return self.named == self.column.partition("=")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultResult:
    """All replicates of one fault.

    Attributes:
        level: The level at which the monitor should tell.
        promised: Whether it is no smaller than what the deployment detects in as many windows.
    """

    fault: str
    title: str
    what: str
    touches: Touched
    level: Level
    promised: bool = True
    runs: tuple[DrillRun, ...]

    @property
    def detected(self) -> tuple[DrillRun, ...]:
        """The replicates that were detected at the level at which they should be, or a higher one."""
        return tuple(run for run in self.runs if run.level in ("page", self.level))

    @property
    def noticed(self) -> int:
        """How many replicates were detected at a lower level only."""
        return sum(run.level is not None for run in self.runs) - len(self.detected)

    @property
    def outcome(self) -> Outcome:
        """Detected in at least half of the replicates; or missed, if it is large enough to be promised."""
        if 2 * len(self.detected) >= len(self.runs):
            return "detected"
        return "missed" if self.promised else "too small"

    @property
    def median_delay(self) -> int | None:
        """The median delay of the detected replicates, in windows; None where none was detected."""
        delays = sorted(run.delay or 0 for run in self.detected)
        return delays[(len(delays) - 1) // 2] if delays else None

    @property
    def named_rightly(self) -> int:
        """How many of the detected replicates name the faulty input first, or none where no input is faulty."""
        return sum(run.named_rightly for run in self.detected)

    @property
    def cause(self) -> str:
        """The cause of most detected replicates, of several the first; empty where none was detected."""
        causes = Counter(run.cause for run in self.detected)
        return causes.most_common(1)[0][0] if causes else ""

    @property
    def nearest(self) -> str:
        """How near the first replicate that was not detected came to a page; empty where all were detected."""
        return next((run.nearest for run in self.runs if run.nearest), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfitFault:
    """A fault that does not fit a deployment."""

    fault: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DrillRecord:
    """One drill of a deployment. All times are aware.

    Attributes:
        basis: The digest of the settings and the baseline that it was held against.
        source_windows: From how many windows they were drawn.
        lead: Windows without the fault before it, in each replicate.
        replicates: How often each fault was planted.
        false_pages: Pages in the windows without any fault, lead and all.
        false_notices: Notices there.
    """

    name: str
    version: int
    basis: str
    at: datetime
    by: str
    release: str
    seed: int
    source: DrillSource
    source_windows: int
    source_start: datetime
    source_end: datetime
    lead: int
    windows: int
    replicates: int
    false_pages: int
    false_notices: int
    faults: tuple[FaultResult, ...]
    unfit: tuple[UnfitFault, ...] = ()
    number: int = 0

    @property
    def clean_windows(self) -> int:
        """The windows without any fault, over all replicates."""
        return self.replicates * (self.lead + self.windows)

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """When the windows that were drawn from begin and end; None for a reference without dates."""
        return None if self.source_end.year == UNDATED else (self.source_start, self.source_end)

    @property
    def sentence(self) -> str:
        """What it found, in one sentence."""
        detected = sum(fault.outcome == "detected" for fault in self.faults)
        missed = ", ".join(fault.title for fault in self.faults if fault.outcome == "missed")
        return f"{detected} of {len(self.faults)} faults detected{f'; missed: {missed}' if missed else ''}."

    def __repr__(self) -> str:
        return f"DrillRecord({self.name}, {self.at:%Y-%m-%d %H:%M}: {self.sentence})"

    @property
    def missed(self) -> tuple[FaultResult, ...]:
        """The faults that should page and were missed."""
        return tuple(fault for fault in self.faults if fault.level == "page" and fault.outcome == "missed")
