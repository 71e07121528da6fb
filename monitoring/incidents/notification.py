"""Notification of webhooks. One that cannot be reached is reported, and stops nothing."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypedDict

from monitoring.config import Webhook
from monitoring.records import IncidentRecord

#: Attempts at one webhook. Between them the wait doubles, from one second on.
ATTEMPTS = 3
_FIRST_WAIT = 1.0

#: Webhooks told at the same time.
MAX_AT_ONCE = 16

#: Seconds that one attempt may take in all, also where the receiver sends its response byte by byte.
TIMEOUT = 10.0

#: Statuses after which another attempt makes sense: a busy receiver, or one that is restarting.
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


class SpanMessage(TypedDict):
    """A half-open span of time, ISO 8601 in UTC."""

    start: str
    end: str


class IncidentMessage(TypedDict):
    """The body of a notification: an incident as in `pitfalls monitor run --json`, and the deployment it belongs to.

    `event` identifies what is told, for receivers that must not act twice: it stays the same when it is sent again, and
    no other event of the store has it. `deployment` and `deployment_id` are the deployment's name and number.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationSource:
    """The deployment that a notification is about.

    Attributes:
        name: Its name.
        number: Its number in the store.
        model: The model's name.
        version: The model's version.
    """

    name: str
    number: int
    model: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The outcome of one notification.

    Attributes:
        url: The webhook's URL without its secrets.
        receiver: The webhook's identity where its URL must not be written: SHA-256 in hexadecimal.
        ok: Whether it was delivered.
        detail: What happened, in a few words.
    """

    url: str
    receiver: str
    ok: bool
    detail: str


def notify(
    incident: IncidentRecord,
    *,
    source: NotificationSource,
    webhooks: Sequence[Webhook],
    send: Callable[[str, bytes], int] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[Delivery, ...]:
    """POST an incident as JSON to each webhook of its level; webhooks of level `notice` get pages too.

    A webhook is tried up to three times; a failure is an outcome, not an exception. Cost: at worst half a minute for
    all of them, as they are told side by side.

    Args:
        incident: The incident.
        source: The deployment.
        webhooks: The receivers.
        send: Posts a body to a URL and returns the response's status, or raises ConnectionError with the reason; by
            default `post`.
        sleep: Waits for so many seconds.

    Returns:
        One outcome for each webhook of the level.
    """
    send = send or post
    body = json.dumps(incident_message(incident, source)).encode()
    receivers = [webhook for webhook in webhooks if incident.level == "page" or webhook.level == "notice"]
    with ThreadPoolExecutor(max_workers=MAX_AT_ONCE) as pool:
        return tuple(pool.map(lambda webhook: _deliver(webhook, body, send, sleep), receivers))


def receiver_of(webhook: Webhook) -> str:
    """The identity of a webhook in the store, without its URL, which may be a secret."""
    return hashlib.sha256(webhook.webhook.encode()).hexdigest()


def incident_message(incident: IncidentRecord, source: NotificationSource) -> IncidentMessage:
    """The body of the notification of an incident."""
    worse = sum(event.state == "worse" for event in incident.history)
    return {
        "event": f"{source.name}/{source.number}/{incident.number}/{worse}",
        "deployment": source.name,
        "deployment_id": source.number,
        "model": source.model,
        "version": source.version,
        "id": incident.number,
        "level": incident.level,
        "opened_at": _iso(incident.opened_at),
        "window": {"start": _iso(incident.window_start), "end": _iso(incident.window_end)},
        "watch": incident.watch,
        "slice": incident.slice,
        "cause": incident.cause,
        "message": incident.message,
        "state": incident.state,
    }


def post(url: str, body: bytes, *, timeout: float = TIMEOUT) -> int:
    """POST a JSON body. Redirects are not followed, and the response's body is not read.

    A proxy from the environment is used for https only: plain http is for this machine.

    Args:
        url: The webhook's URL.
        body: JSON.
        timeout: Seconds that connecting, sending and the response's head may take in all.

    Returns:
        The response's status.

    Raises:
        ConnectionError: There was no response; the text does not contain the URL.
    """
    try:
        return asyncio.run(_post(url, body, timeout))
    except TimeoutError as error:
        raise ConnectionError(f"no response within {timeout:g} s") from error


async def _post(url: str, body: bytes, timeout: float) -> int:  # noqa: ASYNC109 - of all steps together
    import httpx  # noqa: PLC0415  # takes a tenth of a second, and most runs notify nobody

    headers = {"content-type": "application/json", "user-agent": "pitfalls-monitor"}
    try:
        async with (
            asyncio.timeout(timeout),
            httpx.AsyncClient(timeout=timeout, trust_env=url.startswith("https:")) as client,
            client.stream("POST", url, content=body, headers=headers) as response,
        ):
            return response.status_code
    except httpx.TimeoutException as error:
        raise TimeoutError from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        if isinstance(error, TimeoutError):
            raise
        raise ConnectionError(_reason(error)) from error


def _deliver(
    webhook: Webhook, body: bytes, send: Callable[[str, bytes], int], sleep: Callable[[float], None]
) -> Delivery:
    detail = ""
    for attempt in range(1, ATTEMPTS + 1):
        if attempt > 1:
            sleep(_FIRST_WAIT * 2 ** (attempt - 2))
        try:
            status = send(webhook.webhook, body)
        except ConnectionError as error:
            detail = f"{error}, attempt {attempt} of {ATTEMPTS}"
            continue
        detail = f"HTTP {status}, attempt {attempt} of {ATTEMPTS}"
        if status not in _TRANSIENT:
            ok = 200 <= status < 300
            detail = detail if ok else f"HTTP {status}"
            return Delivery(url=webhook.shown, receiver=receiver_of(webhook), ok=ok, detail=detail)
    return Delivery(url=webhook.shown, receiver=receiver_of(webhook), ok=False, detail=detail)


def _reason(error: Exception) -> str:
    """Why there was no response: the operating system's text, never the library's, which may contain the URL."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionError) and cause.errno:  # asyncio has the address for a text
            return os.strerror(cause.errno)
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
