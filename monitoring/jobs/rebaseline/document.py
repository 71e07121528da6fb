"""A new baseline, and the undoing of one, as JSON documents."""

from __future__ import annotations

from monitoring.documents.document import Document, Moment
from monitoring.jobs.rebaseline.rebaseline import RebaselineResult
from monitoring.records import Rebaseline


class NewBaselineDocument(Document):
    """A new baseline: its folder, its rows, from when on windows are judged against it, and the incidents it closed.

    `deployment` is null where none has been judged with the config.
    """

    deployment: int | None
    baseline: str
    rows: int
    labels: int
    since: Moment
    closed: list[int]
    notes: list[str]


class UndoneBaselineDocument(Document):
    """A new baseline that was undone: windows from `since` on are judged again by the next run."""

    since: Moment
    reopened: list[int]


def rebaseline_document(result: RebaselineResult) -> NewBaselineDocument:
    """A new baseline as a document."""
    return NewBaselineDocument(
        deployment=result.deployment,
        baseline=str(result.folder),
        rows=result.rows,
        labels=result.labels,
        since=result.since,
        closed=list(result.closed),
        notes=list(result.notes),
    )


def undone_document(undone: Rebaseline) -> UndoneBaselineDocument:
    """The undoing of a new baseline as a document."""
    return UndoneBaselineDocument(since=undone.since, reopened=list(undone.closed))
