"""A backfill as a JSON document."""

from __future__ import annotations

from monitoring.documents.document import Document, Moment
from monitoring.jobs.backfill.backfill import BackfillResult
from monitoring.records import WindowRecord, WindowRevision
from monitoring.records.window import WindowStatus


class JudgedWindowDocument(Document):
    """What a window was before a backfill, or is after it."""

    status: WindowStatus
    rows: int
    labels: int


class RevisedWindowDocument(Document):
    """A window that was judged before, as it was and as it is; null where it has not been judged again yet."""

    start: Moment
    end: Moment
    before: JudgedWindowDocument
    after: JudgedWindowDocument | None


class BackfillDocument(Document):
    """A backfill; `until` is null where there was nothing to judge, and `stopped` says that windows are left.

    `opened` are the numbers of the incidents that it opened.
    """

    deployment: int
    until: Moment | None
    judged: int
    stopped: bool
    opened: list[int]
    revised: list[RevisedWindowDocument]


def backfill_document(result: BackfillResult) -> BackfillDocument:
    """A backfill as a document."""
    return BackfillDocument(
        deployment=result.run.deployment,
        until=None if result.backfill is None else result.backfill.until,
        judged=result.run.judged,
        stopped=result.run.stopped,
        opened=[incident.number for incident in result.run.opened],
        revised=[
            RevisedWindowDocument(
                start=window.before.start,
                end=window.before.end,
                before=_judged(window.before),
                after=None if window.after is None else _judged(window.after),
            )
            for window in result.revised
        ],
    )


def _judged(window: WindowRecord | WindowRevision) -> JudgedWindowDocument:
    return JudgedWindowDocument(status=window.status, rows=window.rows, labels=window.labels)
