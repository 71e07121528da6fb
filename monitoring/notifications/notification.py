"""A notification: an event of an incident, and the deployment that it belongs to; what every route is made of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from monitoring.documents.deployment import DeploymentDocument
from monitoring.documents.document import iso
from monitoring.documents.incident import (
    NotificationDocument,
    NotificationEventDocument,
    TogetherDocument,
    incident_document,
)
from monitoring.records import IncidentRecord, IncidentState
from monitoring.sentences.incident_text import IncidentText, cause_line, incident_text, plain_text

#: What a notification is about: an incident that entered a state, a test of the route, or what happened in a rollout.
NotificationKind: TypeAlias = Literal["incident", "test", "rollout"]

#: What a test of a route says.
_TEST = plain_text(
    "a test of this route", "This is a test of `pitfalls monitor notify test`. Nothing has happened to the model."
)

#: Incidents that a message about many names; the others are counted.
NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """An event of one incident.

    Attributes:
        kind: Whether there is such an incident, the notification only tests the route, or it is of a rollout, whose
            number stands in the incident.
        said: What it says, where that is not what its incident says.
    """

    event: str
    state: IncidentState
    incident: IncidentRecord
    deployment: DeploymentDocument
    kind: NotificationKind = "incident"
    together: tuple[tuple[DeploymentDocument, IncidentRecord], ...] = ()
    said: IncidentText | None = None

    @property
    def incident_text(self) -> IncidentText:
        """What the incident says."""
        return self.said or incident_text(self.incident)

    @property
    def headline(self) -> str:
        """One line: the level, what happened to it, and the cause.

        >>> from datetime import UTC, datetime
        >>> example_notification(datetime(2026, 1, 1, tzinfo=UTC)).headline
        'TEST: flights: page: a test of this route'
        """
        verb = "" if self.state == "open" else f" {self.state}"
        test = "TEST: " if self.kind == "test" else ""
        others = f" and {len(self.together)} other deployments" if self.together else ""
        return f"{test}{self.deployment.name}{others}: {self.incident.level}{verb}: {one_line(self.incident_text.line)}"

    @property
    def text(self) -> str:
        """What happened, in words."""
        if not self.together:
            return self.incident_text.message
        lines = [
            f"  {deployment.name} ({deployment.number}), incident {incident.number}: {one_line(cause_line(incident))}"
            for deployment, incident in self.together[:NAMED]
        ]
        more = [f"  and {len(self.together) - NAMED} more"] if len(self.together) > NAMED else []
        head = "Other deployments of the team were paged within the same hours, perhaps by the same cause:"
        return "\n".join([self.incident_text.message, "", head, *lines, *more])

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What it is about: names and values."""
        incident, deployment = self.incident, self.deployment
        return (
            ("Deployment", f"{deployment.name} ({deployment.number}), {deployment.model} version {deployment.version}"),
            ("Incident", f"{incident.number}, {incident.level}, {self.state}"),
            ("Window", f"{iso(incident.window_start)} to {iso(incident.window_end)}"),
            ("Watch", one_line(f"{incident.watch} {incident.slice}")),
        )

    @property
    def document(self) -> NotificationDocument:
        """The JSON document."""
        return NotificationDocument(
            event=NotificationEventDocument(id=self.event, kind=self.kind, state=self.state),
            deployment=self.deployment,
            incident=incident_document(self.incident, self.incident_text),
            together=[
                TogetherDocument(deployment=deployment, incident=incident_document(incident))
                for deployment, incident in self.together
            ],
        )

    @property
    def key(self) -> str:
        """Identifies the incident for its life, whatever its deployment is called: at most 255 ASCII characters."""
        deployment = self.deployment
        created = "" if deployment.created_at is None else deployment.created_at.isoformat()
        text = f"{deployment.model}/{deployment.version}/{deployment.number}/{created}/{self.incident.number}"
        return f"pitfalls-{self.kind}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"

    def link(self, template: str | None) -> str | None:
        """An address of the dashboard, with `{deployment}` and `{incident}` replaced by their numbers."""
        return link_of(template, deployment=self.deployment.number, incident=self.incident.number)


def example_notification(at: datetime, deployment: DeploymentDocument | None = None) -> Notification:
    """A notification that tests a route: of no incident, marked as a test.

    Args:
        deployment: The deployment; None where there is none yet.
    """
    deployment = deployment or DeploymentDocument(
        number=0, name="flights", model="flights", version=1, timezone="UTC", created_at=at
    )
    incident = IncidentRecord(
        number=0, level="page", state="open", opened_at=at, window_start=at, window_end=at, watch="test", slice=""
    )
    event = f"{deployment.name}/{deployment.number}/test/{at.timestamp():.0f}"
    return Notification(event=event, state="open", incident=incident, deployment=deployment, kind="test", said=_TEST)


def link_of(template: str | None, *, deployment: int, incident: int) -> str | None:
    """An address of the dashboard.

    Args:
        template: The address, with `{deployment}` and `{incident}` where their numbers stand; None: there is none.

    >>> link_of("https://host/d/flights/{deployment}/incidents/{incident}", deployment=4, incident=3)
    'https://host/d/flights/4/incidents/3'
    """
    if template is None:
        return None
    return template.replace("{deployment}", str(deployment)).replace("{incident}", str(incident))


def one_line(text: str) -> str:
    r"""A text without control characters, and with spaces for line ends.

    >>> one_line("a\r\nb\x1b")
    'a b'
    """
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())
