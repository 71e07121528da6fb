"""What is sent to the receivers that take a POST: Alertmanager, PagerDuty, Slack, and any webhook."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from monitoring.documents.document import iso
from monitoring.errors import BadInput
from monitoring.notifications.digest import Message
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


_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

#: Slack's limits, in characters.
HEADER, SECTION, CONTEXT = 150, 3000, 2000


def slack_request(message: Message, *, url: str, link: str | None) -> RouteRequest:
    """The POST of a message."""
    facts = " · ".join(f"{name} {value}" for name, value in message.facts)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": escaped(message.headline, HEADER)}},
        {"type": "section", "text": _text(escaped(message.text, SECTION))},
        {"type": "context", "elements": [_text(escaped(facts, CONTEXT))]},
    ]
    if link is not None:
        blocks.append({"type": "section", "text": _text(f"<{escaped(link, CONTEXT)}|Dashboard>")})
    return json_request(url, {"text": escaped(message.headline, SECTION), "blocks": blocks})


def _text(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def escaped(text: str, limit: int) -> str:
    """Escape a text, so that no part of it is a mention or a link, and cut it to so many characters.

    Returns:
        The escaped text, never empty, as Slack refuses that.

    >>> escaped("<!channel> a & b", 100)
    '&lt;!channel&gt; a &amp; b'
    >>> escaped("a<b", 5)
    'a…'
    """
    letters = [_ESCAPED.get(letter, letter) for letter in text]
    if sum(map(len, letters)) <= limit:
        return "".join(letters) or "…"
    cut, length = "", 1
    for letter in letters:
        length += len(letter)
        if length > limit:
            break
        cut += letter
    return f"{cut}…"


_PREFIX = "whsec_"
_KEY_BYTES = (24, 64)


def webhook_request(message: Message, *, url: str, secret: str | None, at: datetime) -> RouteRequest:
    """The POST of a message.

    Args:
        secret: Signs the POST: one secret or, while they are changed, several with spaces between; None: no signature.
    """
    request = json_request(url, message.document.plain())
    if secret is None:
        return request
    headers = signature_headers(message.event, request.body, secret=secret, at=at)
    return RouteRequest(url=url, body=request.body, headers=headers)


def signature_headers(event: str, body: bytes, *, secret: str, at: datetime) -> Mapping[str, str]:
    """The three headers of Standard Webhooks: HMAC-SHA256 over id, time and body.

    Args:
        secret: `whsec_` and 24 to 64 bytes in base64; several with spaces between.
    """
    identity, seconds = f"msg_{hashlib.sha256(event.encode()).hexdigest()[:32]}", str(int(at.timestamp()))
    signed = b".".join((identity.encode(), seconds.encode(), body))
    signatures = [hmac.digest(_key(key), signed, "sha256") for key in secret.split()]
    return {
        "webhook-id": identity,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(signature).decode()}" for signature in signatures),
    }


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    low, high = _KEY_BYTES
    if not low <= len(key) <= high:
        raise BadInput(
            "The secret of a webhook cannot be used.",
            got="a text of another form",
            expected=f"whsec_ and {low} to {high} bytes in base64",
            fix='Make one, for example: echo "whsec_$(openssl rand -base64 32)"',
        )
    return key


#: How long an alert goes on firing without being sent again. Without an end, Alertmanager would end it in minutes.
FIRING = timedelta(days=7)

#: How long the alert of a test fires.
TEST_FIRING = timedelta(minutes=5)


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
            "description": notification.incident_text.message,
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
