"""A notification: an event of an incident, and the deployment that it belongs to; what every route is made of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NotRequired, TypeAlias, TypedDict

from monitoring.records import IncidentRecord, IncidentState

#: What a notification is about: an incident that entered a state, or a test of the route.
NotificationKind: TypeAlias = Literal["incident", "test"]


class SpanMessage(TypedDict):
    """A half-open span of time, ISO 8601 in UTC."""

    start: str
    end: str


class IncidentMessage(TypedDict):
    """An incident as in `pitfalls monitor run --json`, and the deployment it belongs to: the body of a webhook.

    `event` identifies what is told, for receivers that must not act twice: it stays the same when it is sent again, and
    no other event of the store has it. `deployment` and `deployment_id` are the deployment's name and number. `test` is
    there, and true, where the notification only tests the route.
    """

    event: str
    deployment: str
    deployment_id: int

    model: str
    version: int
    id: int
    level: str
    opened_at: str
    window: SpanMessage
    watch: str
    slice: str
    cause: str
    message: str
    state: str
    test: NotRequired[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationSource:
    """The deployment that a notification is about.

    Attributes:
        name: Its name.
        number: Its number in the store.
        model: The model's name.
        version: The model's version.
        created_at: When it was created, aware: tells deployments of the same number in two stores apart.
    """

    name: str
    number: int
    model: str
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """An event of one incident.

    Attributes:
        event: Identifies it for the life of the store.
        state: The state that the incident entered.
        incident: The incident.
        source: The deployment.
        kind: Whether there is such an incident, or the notification only tests the route.
    """

    event: str
    state: IncidentState
    incident: IncidentRecord
    source: NotificationSource
    kind: NotificationKind = "incident"

    @property
    def headline(self) -> str:
        """One line: the level, what happened to it, and the cause.

        >>> from monitoring.notifications.notification import example_notification
        >>> example_notification(datetime(2026, 1, 1, tzinfo=UTC)).headline
        'TEST: flights: page: a test of this route'
        """
        verb = "" if self.state == "open" else f" {self.state}"
        test = "TEST: " if self.kind == "test" else ""
        return f"{test}{self.source.name}: {self.incident.level}{verb}: {one_line(self.incident.cause)}"

    @property
    def text(self) -> str:
        """What happened, in words."""
        return self.incident.message

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What it is about: names and values."""
        incident, source = self.incident, self.source
        return (
            ("Deployment", f"{source.name} ({source.number}), {source.model} version {source.version}"),
            ("Incident", f"{incident.number}, {incident.level}, {self.state}"),
            ("Window", f"{iso(incident.window_start)} to {iso(incident.window_end)}"),
            ("Watch", one_line(f"{incident.watch} {incident.slice}")),
        )

    @property
    def document(self) -> IncidentMessage:
        """The JSON document."""
        return incident_message(self)

    @property
    def key(self) -> str:
        """Identifies the incident for its life, whatever its deployment is called: at most 255 ASCII characters."""
        source = self.source
        text = f"{source.model}/{source.version}/{source.number}/{source.created_at.isoformat()}/{self.incident.number}"
        return f"pitfalls-{self.kind}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"

    def link(self, template: str | None) -> str | None:
        """An address of the dashboard, with `{deployment}` and `{incident}` replaced by their numbers."""
        return link_of(template, deployment=self.source.number, incident=self.incident.number)


def incident_message(notification: Notification) -> IncidentMessage:
    """The JSON document of a notification."""
    incident, source = notification.incident, notification.source
    message: IncidentMessage = {
        "event": notification.event,
        "deployment": source.name,
        "deployment_id": source.number,
        "model": source.model,
        "version": source.version,
        "id": incident.number,
        "level": incident.level,
        "opened_at": iso(incident.opened_at),
        "window": {"start": iso(incident.window_start), "end": iso(incident.window_end)},
        "watch": incident.watch,
        "slice": incident.slice,
        "cause": incident.cause,
        "message": incident.message,
        "state": notification.state,
    }
    if notification.kind == "test":
        message["test"] = True
    return message


def example_notification(at: datetime, source: NotificationSource | None = None) -> Notification:
    """A notification that tests a route: of no incident, marked as a test.

    Args:
        at: The time, aware.
        source: The deployment; None where there is none yet.

    Returns:
        The notification, of state open.
    """
    source = source or NotificationSource(name="flights", number=0, model="flights", version=1, created_at=at)
    incident = IncidentRecord(
        number=0,
        level="page",
        state="open",
        opened_at=at,
        window_start=at,
        window_end=at,
        watch="test",
        slice="",
        cause="a test of this route",
        message="This is a test of `pitfalls monitor notify test`. Nothing has happened to the model.",
    )
    event = f"{source.name}/{source.number}/test/{at.timestamp():.0f}"
    return Notification(event=event, state="open", incident=incident, source=source, kind="test")


def link_of(template: str | None, *, deployment: int, incident: int) -> str | None:
    """An address of the dashboard.

    Args:
        template: The address, with `{deployment}` and `{incident}` where their numbers stand; None: there is none.
        deployment: The deployment's number.
        incident: The incident's number.

    Returns:
        The address, or None.

    >>> link_of("https://host/d/flights/{deployment}/incidents/{incident}", deployment=4, incident=3)
    'https://host/d/flights/4/incidents/3'
    """
    if template is None:
        return None
    return template.replace("{deployment}", str(deployment)).replace("{incident}", str(incident))


def iso(moment: datetime) -> str:
    """A time as ISO 8601 in UTC.

    Args:
        moment: The time, aware.

    Returns:
        The text.

    >>> iso(datetime(2026, 11, 27, tzinfo=UTC))
    '2026-11-27T00:00:00Z'
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def one_line(text: str) -> str:
    r"""A text without control characters, and with spaces for line ends.

    Args:
        text: The text.

    Returns:
        One line.

    >>> one_line("a\r\nb\x1b")
    'a b'
    """
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())
