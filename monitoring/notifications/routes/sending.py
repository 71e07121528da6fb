"""Sending a notification along routes. One that cannot be reached is reported, and stops nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from monitoring.config.routes import (
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
        return level or not route.KEEPS_INCIDENTS
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
    try:
        sent = _SENDERS[type(route)](route, message, sender)
    except (ConnectionError, BadInput) as error:
        sent = _Sent(ok=False, detail=str(error).removesuffix("."))
    return Delivery(
        shown=route.redacted_address, receiver=route.receiver, ok=sent.ok, gone=sent.gone, detail=sent.detail
    )


class _Sent(NamedTuple):
    """What became of a message: whether it was taken, in words, and whether the receiver is gone for good."""

    ok: bool
    detail: str
    gone: bool = False


def _webhook(route: WebhookRoute, message: Message, sender: Sender) -> _Sent:
    secret = read_secret(route.secret_file, route.secret_env)
    url = route.webhook or _secret_url(route)
    return _post(webhook_request(message, url=url, secret=secret, at=sender.clock()), sender)


def _slack(route: SlackRoute, message: Message, sender: Sender) -> _Sent:
    return _post(slack_request(message, url=_secret_url(route), link=message.link(route.link)), sender)


def _pagerduty(route: PagerDutyRoute, message: Message, sender: Sender) -> _Sent:
    key = read_secret(route.routing_key_file, route.routing_key_env) or ""
    actions = ("trigger", "resolve") if isinstance(message, Notification) and message.kind == "test" else (None,)
    requests = [
        pagerduty_request(each, url=route.url, routing_key=key, link=each.link(route.link), action=action)
        for each in _notifications(message)
        for action in actions
    ]
    return _post_all(requests, sender)


def _alertmanager(route: AlertmanagerRoute, message: Message, sender: Sender) -> _Sent:
    token, at = read_secret(route.token_file, route.token_env), sender.clock()
    requests = [
        alertmanager_request(each, url=route.url, token=token, link=each.link(route.link), at=at)
        for each in _notifications(message)
    ]
    return _post_all(requests, sender)


def _email(route: EmailRoute, message: Message, _: Sender) -> _Sent:
    """Send a mail; recipients that were refused while others got it are gone: it is not sent to the others again."""
    password = read_secret(route.password_file, route.password_env)
    server = MailServer(host=route.host, port=route.port, security=route.security, user=route.user, password=password)
    refused = send_mail(mail_of(message, sender=route.sender, to=route.to, link=message.link(route.link)), server)
    if refused:
        detail = f"the server refused {', '.join(refused)}, and took the mail to the others"
        return _Sent(ok=False, detail=detail, gone=True)
    return _Sent(ok=True, detail="taken by the server")


def _command(route: CommandRoute, message: Message, _: Sender) -> _Sent:
    text = command_input(message, link=message.link(route.link))
    run_command(route.command, text, timeout=route.timeout.total_seconds())
    return _ENDED_WELL


def _apprise(route: AppriseRoute, message: Message, _: Sender) -> _Sent:
    link, timeout = message.link(route.link), route.timeout.total_seconds()
    send_by_apprise(message, route.config_file, link=link, timeout=timeout)
    return _ENDED_WELL


def _plugin(route: PluginRoute, message: Message, _: Sender) -> _Sent:
    link, timeout = message.link(route.link), route.timeout.total_seconds()
    send_by_plugin(message, route.route, route.options, link=link, timeout=timeout)
    return _ENDED_WELL


_ENDED_WELL = _Sent(ok=True, detail="exit status 0")

#: What sends a message along each kind of route. It raises ConnectionError where it was not taken, and BadInput where a
#: secret cannot be used.
_SENDERS: Mapping[type[RouteSection], Callable[[Any, Message, Sender], _Sent]] = {
    WebhookRoute: _webhook,
    SlackRoute: _slack,
    PagerDutyRoute: _pagerduty,
    AlertmanagerRoute: _alertmanager,
    EmailRoute: _email,
    CommandRoute: _command,
    AppriseRoute: _apprise,
    PluginRoute: _plugin,
}


def _notifications(message: Message) -> tuple[Notification, ...]:
    return message.notifications if isinstance(message, Digest) else (message,)


def _secret_url(route: WebhookRoute | SlackRoute) -> str:
    return read_secret_url(route.webhook_file, route.webhook_env) or ""


def _post_all(requests: Sequence[RouteRequest], sender: Sender) -> _Sent:
    """Send requests in order, up to the first that fails."""
    sent = _Sent(ok=True, detail="nothing to send: no incident is open")
    for request in requests:
        sent = _post(request, sender)
        if not sent.ok:
            break
    return sent


def _post(request: RouteRequest, sender: Sender) -> _Sent:
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
            return _Sent(ok=ok, gone=gone, detail=f"HTTP {answer.status}{outcome}")
        detail, retry_after = f"HTTP {answer.status}, attempt {attempt} of {ATTEMPTS}", answer.retry_after
        if retry_after is not None and retry_after > LONGEST_WAIT:
            return _Sent(ok=False, detail=f"HTTP {answer.status}, asks to wait {retry_after:.0f} s")
    return _Sent(ok=False, detail=detail)
