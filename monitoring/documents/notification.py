"""The schemas of what leaves along a route: an event of one incident, or a digest of many."""

from __future__ import annotations

from typing import Literal

from monitoring.documents.deployment import DeploymentDocument
from monitoring.documents.document import Document
from monitoring.documents.incident import IncidentDocument
from monitoring.records import IncidentState


class NotificationEventDocument(Document):
    """What is notified: an incident that entered a state, a test of the route, or what happened in a rollout.

    `id` stays the same when the notification is sent again, and no other event of the store has it: a receiver that
    must not act twice keeps it.
    """

    id: str
    kind: Literal["incident", "test", "rollout"]
    state: IncidentState


class TogetherDocument(Document):
    """Another deployment of the team that was paged within the same hours, and its incident."""

    deployment: DeploymentDocument
    incident: IncidentDocument


class NotificationDocument(Document):
    """The body of a webhook: an event, its deployment, and the incident as it is when the notification is sent.

    `together` has the other deployments of a team whose pages the notification stands for; mostly it is empty.
    """

    event: NotificationEventDocument
    deployment: DeploymentDocument
    incident: IncidentDocument
    together: list[TogetherDocument]


class DigestEventDocument(Document):
    """A digest in the place of so many events of the past, with an id as that of any other event."""

    id: str
    kind: Literal["digest"]
    events: int


class DigestDocument(Document):
    """The body of a webhook that stands for many events of one deployment; `message` is their list in words."""

    event: DigestEventDocument
    deployment: DeploymentDocument
    incidents: list[IncidentDocument]
    message: str
