"""Sending a notification along routes. One that cannot be reached is reported, and stops nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from monitoring.config import (
    AlertmanagerRoute,
    AppriseRoute,
    CommandRoute,
    EmailRoute,
    PagerDutyRoute,
    PluginRoute,
    RouteSection,
    SlackRoute,
    WebhookRoute,
)
from monitoring.errors import BadInput
from monitoring.notifications.digest import Digest, Message
from monitoring.notifications.notification import Notification
from monitoring.notifications.routes.apprise import send_by_apprise
from monitoring.notifications.routes.command import command_input, run_command
from monitoring.notifications.routes.mail import MailServer, mail_of, send_mail
from monitoring.notifications.routes.plugin import send_by_plugin
from monitoring.notifications.routes.post import Answer, post
from monitoring.notifications.routes.receivers import (
    alertmanager_request,
    pagerduty_request,
    slack_request,
    webhook_request,
)
from monitoring.notifications.routes.request import RouteRequest
from monitoring.notifications.routes.secret import read_secret, read_secret_url

#: Attempts at one receiver. Between them the wait doubles, from one second on, or is what the receiver asks for.
ATTEMPTS = 3
_FIRST_WAIT = 1.0

#: The longest wait that a receiver may ask for within a run, in seconds; a longer one is left to the next run.
LONGEST_WAIT = 15.0

#: Receivers notified at the same time.
MAX_AT_ONCE = 16

#: Statuses after which another attempt makes sense: a busy receiver, or one that is restarting.
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})

#: The status of a receiver that wants nothing any more.
_GONE = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The outcome of one notification along one route. `shown`: the receiver, without secrets."""

    shown: str
    receiver: str
    ok: bool
    detail: str
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """How things are sent: a test may send faster.

    Attributes:
        sleep: Waits for so many seconds.
        clock: Gives the time, aware.
    """

    post: Callable[[RouteRequest], Answer] = post
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


SENDER = Sender()


def wants(route: RouteSection, message: Message) -> bool:
    """Whether a route is for a message: by its level, to which pages always belong, and by its states.

    Args:
        message: The message; a digest has no state, and is for every route of whose level it has an incident.
    """
    if isinstance(message, Digest):
        return bool(message.of_level(route.level).incidents)
    level = message.incident.level == "page" or route.level == "notice"
    if message.kind == "rollout":  # who keeps incidents is told of harm alone
        return level or not isinstance(route, PagerDutyRoute | AlertmanagerRoute)
    return message.kind == "test" or (level and message.state in route.states)


def notify(message: Message, routes: Sequence[RouteSection], *, sender: Sender = SENDER) -> tuple[Delivery, ...]:
    """Send a message along each of the routes that want it.

    A receiver by HTTP is tried up to three times; a failure is an outcome, not an exception. Cost: at worst a minute
    for all of them, as they are notified side by side.
    """
    wanting = [route for route in routes if wants(route, message)]
    with ThreadPoolExecutor(max_workers=MAX_AT_ONCE) as pool:
        return tuple(pool.map(lambda route: _deliver(route, message, sender), wanting))


def _deliver(route: RouteSection, message: Message, sender: Sender) -> Delivery:
    if isinstance(message, Digest):
        message = message.of_level(route.level)
    ok, gone = True, False
    try:
        match route:
            case EmailRoute():
                ok, gone, detail = _mail(route, message)
            case CommandRoute():
                text = command_input(message, link=message.link(route.link))
                run_command(route.command, text, timeout=route.timeout.total_seconds())
                detail = "exit status 0"
            case AppriseRoute():
                timeout = route.timeout.total_seconds()
                send_by_apprise(message, route.config_file, link=message.link(route.link), timeout=timeout)
                detail = "exit status 0"
            case PluginRoute():
                timeout = route.timeout.total_seconds()
                link = message.link(route.link)
                send_by_plugin(message, route.route, route.options, link=link, timeout=timeout)
                detail = "exit status 0"
            case PagerDutyRoute() | AlertmanagerRoute():
                ok, gone, detail = _post_all(_incident_requests(route, message, sender.clock()), sender)
            case _:
                ok, gone, detail = _post(_message_request(route, message, sender.clock()), sender)
    except (ConnectionError, BadInput) as error:
        ok, detail = False, str(error).removesuffix(".")
    return Delivery(shown=route.redacted_address, receiver=route.receiver, ok=ok, gone=gone, detail=detail)


def _message_request(route: RouteSection, message: Message, at: datetime) -> RouteRequest:
    """What is sent to a webhook. Raises BadInput where a secret cannot be used."""
    match route:
        case WebhookRoute():
            secret = read_secret(route.secret_file, route.secret_env)
            return webhook_request(message, url=route.webhook or _secret_url(route), secret=secret, at=at)
        case SlackRoute():
            return slack_request(message, url=_secret_url(route), link=message.link(route.link))
        case _:
            raise TypeError(f"no such route: {type(route).__name__}")


def _incident_requests(
    route: PagerDutyRoute | AlertmanagerRoute, message: Message, at: datetime
) -> tuple[RouteRequest, ...]:
    """What is sent to a system with incidents of its own. Raises BadInput where a secret cannot be used."""
    notifications = message.notifications if isinstance(message, Digest) else (message,)
    if isinstance(route, AlertmanagerRoute):
        token = read_secret(route.token_file, route.token_env)
        return tuple(
            alertmanager_request(notification, url=route.url, token=token, link=notification.link(route.link), at=at)
            for notification in notifications
        )
    key = _secret(route, "routing_key")
    actions = ("trigger", "resolve") if isinstance(message, Notification) and message.kind == "test" else (None,)
    return tuple(
        pagerduty_request(
            notification, url=route.url, routing_key=key, link=notification.link(route.link), action=action
        )
        for notification in notifications
        for action in actions
    )


def _secret(route: Any, name: str) -> str:
    return read_secret(getattr(route, f"{name}_file"), getattr(route, f"{name}_env")) or ""


def _secret_url(route: WebhookRoute | SlackRoute) -> str:
    return read_secret_url(route.webhook_file, route.webhook_env) or ""


def _mail(route: EmailRoute, message: Message) -> tuple[bool, bool, str]:
    """Send a mail; recipients that were refused while others got it are gone: it is not sent to the others again."""
    password = read_secret(route.password_file, route.password_env)
    server = MailServer(host=route.host, port=route.port, security=route.security, user=route.user, password=password)
    refused = send_mail(mail_of(message, sender=route.sender, to=route.to, link=message.link(route.link)), server)
    if refused:
        return False, True, f"the server refused {', '.join(refused)}, and took the mail to the others"
    return True, False, "taken by the server"


def _post_all(requests: Sequence[RouteRequest], sender: Sender) -> tuple[bool, bool, str]:
    """Send requests in order, up to the first that fails: whether it went well, whether the receiver is gone, words."""
    ok, gone, detail = True, False, "nothing to send: no incident is open"
    for request in requests:
        ok, gone, detail = _post(request, sender)
        if not ok:
            break
    return ok, gone, detail


def _post(request: RouteRequest, sender: Sender) -> tuple[bool, bool, str]:
    detail, retry_after = "", None
    for attempt in range(1, ATTEMPTS + 1):
        if attempt > 1:
            sender.sleep(_FIRST_WAIT * 2 ** (attempt - 2) if retry_after is None else retry_after)
        retry_after = None
        try:
            answer = sender.post(request)
        except ConnectionError as error:
            detail = f"{error}, attempt {attempt} of {ATTEMPTS}"
            continue
        if answer.status not in _TRANSIENT:
            ok, gone = 200 <= answer.status < 300, answer.status == _GONE
            outcome = f", attempt {attempt} of {ATTEMPTS}" if ok else ": gone for good" if gone else ""
            return ok, gone, f"HTTP {answer.status}{outcome}"
        detail, retry_after = f"HTTP {answer.status}, attempt {attempt} of {ATTEMPTS}", answer.retry_after
        if retry_after is not None and retry_after > LONGEST_WAIT:
            return False, False, f"HTTP {answer.status}, asks to wait {retry_after:.0f} s"
    return False, False, detail
