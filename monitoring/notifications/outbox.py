"""Notifications of incidents, sent from an outbox in the store: at least once each, whenever a process dies."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from monitoring.config import MonitorConfig, RouteSection
from monitoring.documents.deployment import DeploymentDocument, deployment_document
from monitoring.errors import AnotherRun
from monitoring.notifications.digest import Digest, Message
from monitoring.notifications.notification import Notification
from monitoring.notifications.routes.sending import Delivery, wants
from monitoring.store.leases import LEASE_SECONDS
from monitoring.store.notifications import Attempt, PendingNotification
from monitoring.store.store import Store
from monitoring.tracing import span

#: Sends a message along routes, all of which want it, and says what became of it on each.
Notify: TypeAlias = Callable[[Message, Sequence[RouteSection]], Sequence[Delivery]]

#: How long a receiver that was not reached is left alone: doubled with each attempt, up to a bound.
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)

#: Attempts before a notification is given up: eight days at least.
MAX_ATTEMPTS = 40

#: Events that are older than this when they are first sent are of the past: they wait for the end of the run.
PAST = timedelta(days=2)

#: States that a receiver is told of although the incident is snoozed, as it stops calling people then; and digests.
SENT_ALWAYS = ("acknowledged", "closed", None)

#: So many events of the past are sent one by one at the end of a run; more of them become one digest.
MAX_PAST_EVENTS = 5


class NotificationOutbox:
    """Sends the notifications that are pending in the store, and stores which receivers were reached.

    An event enters the store as pending, in the transaction of its window. That a receiver was reached is stored after
    it has answered: if the process dies in between, the receiver is notified once more. A receiver that was not reached
    is tried again by a later run, after a minute, two, four and so on up to six hours, and is given up after
    `MAX_ATTEMPTS` attempts, at once if it says that it is gone; that is stored apart from success. A receiver gets the
    events of an incident in their order; while the incident is snoozed, only its acknowledgement and its closing.
    """

    def __init__(
        self,
        store: Store,
        number: int,
        routes: Sequence[RouteSection],
        notify: Notify | None,
        *,
        clock: Callable[[], datetime],
        renew: Callable[[datetime], None],
    ) -> None:
        """Sends nothing yet."""
        self._store = store
        self._number = number
        self._routes = () if notify is None else tuple(routes)
        self._notify = notify
        self._clock = clock
        self._renew = renew
        self.holds_pages = False
        self._tried: set[int] = set()

    def send_pending(self, *, last: bool = False, digest: bool = False) -> None:
        """Send each pending notification that was not tried before. Cost: what the receivers take to answer.

        Args:
            last: whether the run ends: events of the past are sent too, and what is open once more where the receiver
                forgets it otherwise.
        """
        now = self._clock()
        pending = self._pending(now)
        past = [
            notification
            for notification in pending
            if (digest or notification.at < now - PAST) and self._is_first(notification)
        ]
        if last and len(past) > (1 if digest else MAX_PAST_EVENTS):
            self._store.outbox.save_digest(self._number, past, now)
            pending = self._pending(now)
        held = set() if last else {notification.number for notification in past}
        if self.holds_pages:
            held |= {notification.number for notification in pending if is_new_page(notification, now)}
        waiting: set[tuple[str, int | None]] = set()
        for notification in pending:
            message = self._message(notification)
            left = self._left(notification, message)
            rests = notification.next_attempt_at is not None and notification.next_attempt_at > now
            ready = (
                []
                if rests or notification.number in held | self._tried
                else [r for r in left if _is_next(r, notification, waiting)]
            )
            if ready or not left:
                with span("notify", state=notification.state or ""):
                    left = self._send(notification, message, left, ready)
            incident = None if notification.state is None else notification.incidents[0].number
            waiting |= {(route.receiver, incident) for route in left}
        if last:
            self._refresh(now)

    def _refresh(self, now: datetime) -> None:
        """Send what is open once more along the routes whose receivers forget; that is not stored."""
        routes = [route for route in self._routes if route.REFRESHED]
        incidents = self._store.incidents.tracked(self._number) if routes and self._notify is not None else ()
        for incident in incidents:
            if incident.state == "closed" or incident.is_snoozed(now):
                continue
            deployment = self._deployment()
            event = f"{deployment.name}/{self._number}/{incident.number}/again"
            message = Notification(event=event, state="open", incident=incident, deployment=deployment)
            self._renew(self._clock())
            if self._notify is not None:
                self._notify(message, [route for route in routes if wants(route, message)])

    def _pending(self, now: datetime) -> list[PendingNotification]:
        """The pending notifications; of incidents that are snoozed only those that end what a receiver does."""
        pending = self._store.outbox.pending(self._number)
        return [
            notification
            for notification in pending
            if notification.state in SENT_ALWAYS or not notification.incidents[0].is_snoozed(now)
        ]

    def _send(
        self,
        notification: PendingNotification,
        message: Message,
        left: Sequence[RouteSection],
        ready: Sequence[RouteSection],
    ) -> list[RouteSection]:
        """Send a message along the routes that are ready for it, and store what became of it."""
        self._tried.add(notification.number)
        self._renew(self._clock())
        deliveries = self._notify(message, ready) if self._notify is not None and ready else ()
        reached = notification.reached | {delivery.receiver for delivery in deliveries if delivery.ok}
        abandoned = notification.abandoned | {delivery.receiver for delivery in deliveries if delivery.gone}
        later = [route for route in left if route.receiver not in reached | abandoned]
        if later and notification.attempts + 1 >= MAX_ATTEMPTS:
            abandoned, later = abandoned | {route.receiver for route in later}, []
        now = self._clock()
        attempt = Attempt(
            reached=reached,
            abandoned=abandoned,
            completed_at=now if not later and not abandoned else None,
            given_up_at=now if not later and abandoned else None,
            next_attempt_at=now + wait_after(notification.attempts + 1) if later else None,
        )
        self._store.outbox.save_attempt(self._number, notification.number, attempt)
        return later

    def _is_first(self, notification: PendingNotification) -> bool:
        """Whether an event is to be sent for the first time, and somebody wants it."""
        return (
            notification.state is not None
            and notification.attempts == 0
            and bool(self._left(notification, self._message(notification)))
        )

    def _left(self, notification: PendingNotification, message: Message) -> list[RouteSection]:
        settled = notification.reached | notification.abandoned
        return [route for route in self._routes if wants(route, message) and route.receiver not in settled]

    def _message(self, notification: PendingNotification) -> Message:
        deployment = self._deployment()
        if notification.state is None:
            return Digest(
                event=notification.event,
                events=notification.events,
                incidents=notification.incidents,
                deployment=deployment,
                notified_numbers=notification.notified_numbers,
            )
        return Notification(
            event=notification.event,
            state=notification.state,
            incident=notification.incidents[0],
            deployment=deployment,
        )

    def _deployment(self) -> DeploymentDocument:
        return notified_deployment(self._store, self._number)


def notified_deployment(store: Store, number: int) -> DeploymentDocument:
    """A deployment without its traffic, budgets and metrics, which do not leave along a route."""
    record = store.deployments.read(number)
    return deployment_document(record, number).model_copy(update={"traffic": None, "budget": None, "metrics": None})


def is_new_page(notification: PendingNotification, now: datetime) -> bool:
    """Whether an event is a page that has opened lately and that nobody was told of."""
    return (
        notification.state == "open"
        and not notification.attempts
        and notification.at >= now - PAST
        and notification.incidents[0].level == "page"
    )


def send_outbox(
    config: MonitorConfig, store: Store, number: int, notify: Notify | None, clock: Callable[[], datetime]
) -> bool:
    """Send what is pending in the store, without judging anything.

    Returns:
        Whether it was done; False where a run has the deployment's lease, which sends it too.
    """
    try:
        lease = store.leases.take(number, uuid.uuid4().hex, clock(), LEASE_SECONDS)
    except AnotherRun:
        return False
    with lease:
        NotificationOutbox(store, number, config.notify, notify, clock=clock, renew=lease.renew).send_pending(last=True)
    return True


def wait_after(attempts: int) -> timedelta:
    """How long a receiver is left alone after so many attempts.

    >>> [str(wait_after(attempts)) for attempts in (1, 2, 5, 9, 10, 40)]
    ['0:01:00', '0:02:00', '0:16:00', '4:16:00', '6:00:00', '6:00:00']
    """
    doubled: int = 2 ** min(attempts - 1, 20)
    return min(FIRST_WAIT * doubled, LONGEST_WAIT)


def _is_next(route: RouteSection, notification: PendingNotification, waiting: set[tuple[str, int | None]]) -> bool:
    """Whether no earlier event of the same incident, and no digest, waits for the receiver of a route."""
    numbers = {None, *(incident.number for incident in notification.incidents)}
    return not any((route.receiver, number) in waiting for number in numbers)
