"""The PagerDuty route: an event of its Events API v2."""

from __future__ import annotations

from typing import Any

from monitoring.documents.document import iso
from monitoring.notifications.notification import Notification
from monitoring.notifications.routes.request import RouteRequest, json_request, shortened

_ACTIONS = {"acknowledged": "acknowledge", "closed": "resolve"}
_SEVERITIES = {"page": "critical", "notice": "warning"}
_SUMMARY = 1024


def pagerduty_request(
    notification: Notification, *, url: str, routing_key: str, link: str | None, action: str | None = None
) -> RouteRequest:
    """The event of a notification: trigger, acknowledge or resolve, with one deduplication key for the incident's life.

    Args:
        action: The event's action; None: that of the notification's state.
    """
    incident, deployment = notification.incident, notification.deployment
    action = action or _ACTIONS.get(notification.state, "trigger")
    event: dict[str, Any] = {"routing_key": routing_key, "event_action": action, "dedup_key": notification.key}
    if action == "trigger":
        event["payload"] = {
            "summary": shortened(notification.headline, _SUMMARY),
            "source": shortened(deployment.name, _SUMMARY),
            "severity": "info" if notification.kind == "test" else _SEVERITIES[incident.level],
            "timestamp": iso(incident.window_end),
            "component": deployment.model,
            "class": incident.watch,
            "custom_details": notification.document.plain(),
        }
        event["client"] = "pitfalls"
        if link is not None:
            event |= {"client_url": link, "links": [{"href": link, "text": "Dashboard"}]}
    return json_request(url, event)
