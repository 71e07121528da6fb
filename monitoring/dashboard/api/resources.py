"""The documents of the HTTP API that it alone has: its lists, its errors, and what it takes to act on an incident."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

from monitoring.dashboard.stores.roster import Entry
from monitoring.documents.deployment import DeploymentDocument, StandingDocument, deployment_document
from monitoring.documents.document import Document, span
from monitoring.documents.incident import IncidentDocument
from monitoring.errors import PitfallsError
from monitoring.timestamps import require_everywhere

#: A time with an offset, which is one in every time zone.
When = Annotated[AwareDatetime, AfterValidator(require_everywhere)]


class FailureDocument(Document):
    """A config or a store that is not as it is to be, and why: missing, unreadable, or its last run failed.

    `store` is the name of the store where it is one that cannot be read, and otherwise empty.
    """

    store: str
    config: str
    reason: str


class DeploymentPageDocument(Document):
    """A page of deployments; `next` is the `after` of the next page, null on the last."""

    deployments: list[DeploymentDocument]
    failures: list[FailureDocument]
    next: str | None


class ErrorDocument(Document):
    """What happened, what was got, what was expected, and the next step."""

    what: str
    got: str
    expected: str
    fix: str


class ActionRequest(Document):
    """What a person does with an incident: a note, an owner or a reason as `text`; the end of a snooze as `until`."""

    by: Annotated[str, Field(min_length=1)]
    text: str = ""
    until: When | None = None
    until_worse: bool = False


class RunActionRequest(Document):
    """An action of the config, by its name, and who has it done."""

    by: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)]


class ActionOutcomeDocument(Document):
    """Whether an action was done, its outcome in words, and the incident with both in its log."""

    done: bool
    outcome: str
    incident: IncidentDocument


def entry_document(entry: Entry) -> DeploymentDocument:
    """A deployment as the overview has it."""
    summary, standing = entry.summary, entry.standing
    return deployment_document(
        summary.record,
        summary.number,
        store=entry.store,
        standing=StandingDocument(
            state=standing.state,
            facts=list(standing.facts),
            summary=" ".join((standing.sentence, *standing.also)),
            undelivered=summary.undelivered.total,
            checked_at=summary.checked_at,
            used_at=summary.used_at,
            last_window=None if summary.last is None else span(*summary.last),
            open_pages=sum(incident.level == "page" for incident in summary.incidents),
            open_notices=sum(incident.level == "notice" for incident in summary.incidents),
            failure=summary.failure or None,
        ),
    )


def error_document(error: PitfallsError) -> ErrorDocument:
    """An error."""
    return ErrorDocument(what=error.what, got=error.got, expected=error.expected, fix=error.fix)
