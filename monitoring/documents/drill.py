"""The schema of a drill: faults planted in replayed traffic, and whether and when the monitor detected them."""

from __future__ import annotations

from typing import Final

from monitoring.documents.document import Document, Moment
from monitoring.records import DrillRecord, DrillRun, Level
from monitoring.records.drill import DrillSource, Outcome, Touched

#: What is true of every drill of traffic that was logged.
AS_LOGGED: Final = (
    "Predictions are those that the model made for the rows as they were: a fault of inputs does not change them."
)


class ReplayedDocument(Document):
    """The windows that were replayed; `start` and `end` are null for a reference without dates."""

    kind: DrillSource
    windows: int
    start: Moment | None
    end: Moment | None


class WithoutFaultDocument(Document):
    """The windows without any fault, over all replicates, and the false alarms in them."""

    windows: int
    pages: int
    notices: int


class ReplicateDocument(Document):
    """One replicate of a fault; what is of the incident that it opened is null where none did.

    `column` is the input or slice that the fault was planted in, null for a fault of no column. `delay` is in which
    window with the fault the incident opened, the first is 1; `named` is the input that it names first. `nearest`
    says how near a missed one came to a page.
    """

    replicate: int
    column: str | None
    level: Level | None
    delay: int | None
    watch: str | None
    slice: str | None
    cause: str | None
    named: str | None
    named_rightly: bool
    nearest: str | None


class FaultDocument(Document):
    """All replicates of one fault; `level` is that at which the monitor should detect it.

    `detected` and `named_rightly` count replicates, `noticed` those detected at a lower level only; `median_delay` is
    in windows. A fault that is not `promised` is smaller than what the deployment detects in as many windows.
    """

    fault: str
    title: str
    what: str
    touches: Touched
    level: Level
    promised: bool
    outcome: Outcome
    detected: int
    noticed: int
    median_delay: int | None
    named_rightly: int
    cause: str | None
    runs: list[ReplicateDocument]


class LeftOutDocument(Document):
    """A fault that does not fit the deployment, and why."""

    fault: str
    title: str
    reason: str


class DrillDocument(Document):
    """One drill of a deployment; `number` is null before it is stored.

    Each replicate has `lead` windows without the fault and `windows` with it; `release` is the release of this library,
    and `seed` what the draws of days and rows begin from.
    """

    number: int | None
    name: str
    version: int
    at: Moment
    by: str
    release: str
    seed: int
    replicates: int
    lead: int
    windows: int
    replayed: ReplayedDocument
    without_fault: WithoutFaultDocument
    faults: list[FaultDocument]
    left_out: list[LeftOutDocument]
    note: str


def drill_document(drill: DrillRecord) -> DrillDocument:
    """A drill as a document."""
    start, end = drill.span or (None, None)
    return DrillDocument.of(
        drill,
        number=drill.number or None,
        replayed=ReplayedDocument(kind=drill.source, windows=drill.source_windows, start=start, end=end),
        without_fault=WithoutFaultDocument(
            windows=drill.clean_windows, pages=drill.false_pages, notices=drill.false_notices
        ),
        faults=[
            FaultDocument.of(
                fault,
                detected=len(fault.detected),
                cause=fault.cause or None,
                runs=[_replicate(run) for run in fault.runs],
            )
            for fault in drill.faults
        ],
        left_out=drill.unfit,
        note=AS_LOGGED,
    )


def _replicate(run: DrillRun) -> ReplicateDocument:
    opened = run.level is not None
    return ReplicateDocument.of(
        run,
        column=run.column or None,
        watch=run.watch if opened else None,
        slice=run.slice if opened else None,
        cause=run.cause if opened else None,
        named=run.named or None,
        named_rightly=opened and run.named_rightly,
        nearest=run.nearest or None,
    )
