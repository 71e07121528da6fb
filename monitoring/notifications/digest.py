"""A digest: one notification in the place of many events of the past."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TypeAlias

from monitoring.documents.deployment import DeploymentDocument
from monitoring.documents.document import iso
from monitoring.documents.incident import DigestDocument, DigestEventDocument, incident_document
from monitoring.notifications.notification import NAMED, Notification, link_of, one_line
from monitoring.records import IncidentRecord, Level
from monitoring.records.incident_order import by_cause
from monitoring.sentences.incident_text import cause_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Many events of one deployment: of a backfill, or from before anybody was there to be notified."""

    event: str
    events: int
    incidents: tuple[IncidentRecord, ...]
    deployment: DeploymentDocument
    notified_numbers: frozenset[int] = frozenset()

    def of_level(self, level: Level) -> Digest:
        """The digest for a route of a level: one of level `page` gets pages only."""
        incidents = tuple(incident for incident in self.incidents if level == "notice" or incident.level == "page")
        return replace(self, incidents=incidents)

    @property
    def notifications(self) -> tuple[Notification, ...]:
        """One of each incident that is not closed, or was told before, for systems that keep incidents of their own."""
        incidents = [
            incident
            for incident in self.incidents
            if incident.state != "closed" or incident.number in self.notified_numbers
        ]
        return tuple(map(self._notification, incidents))

    @property
    def headline(self) -> str:
        """One line: how many incidents there were, and how many are open."""
        still = sum(incident.state != "closed" for incident in self.incidents)
        return f"{self.deployment.name}: digest of the past: {len(self.incidents)} incidents, {still} not closed"

    @property
    def text(self) -> str:
        """A line for each incident, in the order of every view."""
        incidents = by_cause(self.incidents)
        lines = [
            f"{incident.number}  {incident.level}, {incident.state}, {iso(incident.window_start)[:16]}Z: "
            f"{one_line(cause_line(incident))}"
            for incident in incidents[:NAMED]
        ]
        more = [f"and {len(incidents) - NAMED} more"] if len(incidents) > NAMED else []
        head = f"{self.events} events of the past in one message."
        return "\n".join([head, *lines, *more])

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What it is about: names and values."""
        deployment = self.deployment
        return (
            ("Deployment", f"{deployment.name} ({deployment.number}), {deployment.model} version {deployment.version}"),
        )

    @property
    def key(self) -> str:
        """Identifies the digest."""
        return f"pitfalls-digest-{hashlib.sha256(self.event.encode()).hexdigest()[:32]}"

    def link(self, template: str | None) -> str | None:
        """An address of the dashboard, as that of the last incident."""
        return link_of(template, deployment=self.deployment.number, incident=self.incidents[-1].number)

    @property
    def document(self) -> DigestDocument:
        """The JSON document."""
        return DigestDocument(
            event=DigestEventDocument(id=self.event, kind="digest", events=self.events),
            deployment=self.deployment,
            incidents=[incident_document(incident) for incident in by_cause(self.incidents)],
            message=self.text,
        )

    def _notification(self, incident: IncidentRecord) -> Notification:
        return Notification(event=self.event, state=incident.state, incident=incident, deployment=self.deployment)


#: What a route sends.
Message: TypeAlias = Notification | Digest
