"""The Alertmanager route: an alert of its API v2."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitoring.documents.document import iso
from monitoring.notifications.notification import Notification
from monitoring.notifications.routes.request import RouteRequest, json_request

#: How long an alert goes on firing without being sent again. Without an end, Alertmanager would end it in minutes.
FIRING = timedelta(days=7)

#: How long the alert of a test fires.
TEST_FIRING = timedelta(minutes=5)

_SEVERITIES = {"page": "critical", "notice": "warning"}


def alertmanager_request(
    notification: Notification, *, url: str, token: str | None, link: str | None, at: datetime
) -> RouteRequest:
    """The POST of a notification. Its labels identify the incident; what changes is in the annotations."""
    incident, deployment = notification.incident, notification.deployment
    test = notification.kind == "test"
    labels = {
        "alertname": "ModelIncident",
        "severity": "info" if test else _SEVERITIES[incident.level],
        "level": incident.level,
        "deployment": deployment.name,
        "deployment_id": str(deployment.number),
        "model": deployment.model,
        "version": str(deployment.version),
        "incident": str(incident.number),
    }
    ends = at + (TEST_FIRING if test else FIRING)
    if notification.state == "closed":
        ends = max(incident.opened_at, min(incident.closed_at or at, at))
    alert = {
        "labels": labels | ({"test": "true"} if test else {}),
        "annotations": {
            "summary": notification.headline,
            "description": incident.message,
            "state": notification.state,
            "watch": incident.watch,
            "slice": incident.slice,
            "window": f"{iso(incident.window_start)}/{iso(incident.window_end)}",
        },
        "startsAt": iso(incident.opened_at),
        "endsAt": iso(ends),
    }
    if link is not None:
        alert["generatorURL"] = link
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return json_request(f"{url}/api/v2/alerts", [alert], headers)
