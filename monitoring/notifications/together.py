"""Pages of several deployments of a team within the same hours: one message that lists them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.config import RouteSection
from monitoring.documents.deployment import DeploymentDocument
from monitoring.errors import AnotherRun
from monitoring.notifications.notification import Notification
from monitoring.notifications.outbox import Notify, is_new_page, notified_deployment, wait_after
from monitoring.notifications.routes.sending import wants
from monitoring.store.leases import LEASE_SECONDS
from monitoring.store.notifications import Attempt, PendingNotification
from monitoring.store.store import Store

#: Pages whose windows end within so long of the first are told together.
TOGETHER = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamPage:
    """A page that nobody was told of yet: its deployment, and who is to be told."""

    number: int
    deployment: DeploymentDocument
    routes: Sequence[RouteSection]
    pending: PendingNotification

    def notification(self, others: Sequence[TeamPage] = ()) -> Notification:
        """What is sent of it, in the name of others as well."""
        together = tuple((page.deployment, page.pending.incidents[0]) for page in others)
        return Notification(
            event=self.pending.event,
            state="open",
            incident=self.pending.incidents[0],
            deployment=self.deployment,
            together=together,
        )

    @property
    def receivers(self) -> dict[str, RouteSection]:
        """The routes that want it, by the identity of their receivers."""
        return {route.receiver: route for route in self.routes if wants(route, self.notification())}


def send_together(
    store: Store, routes: Mapping[int, Sequence[RouteSection]], notify: Notify, clock: Callable[[], datetime]
) -> int:
    """Send the new pages of a team's deployments: those of the same hours as one message to each receiver.

    The message is that of the earliest page, and lists the others. A page by itself is left to the outbox of its
    deployment, as are receivers that were not reached.

    Returns:
        How many messages were sent. Cost: what the receivers take to answer.
    """
    with ExitStack() as leases:
        pages = []
        for number, some in routes.items():
            if not any(is_new_page(notification, clock()) for notification in store.outbox.pending(number)):
                continue
            try:
                leases.enter_context(store.leases.take(number, uuid.uuid4().hex, clock(), LEASE_SECONDS))
            except AnotherRun:
                continue  # that run sends them
            deployment = notified_deployment(store, number)
            pages += [
                TeamPage(number=number, deployment=deployment, routes=some, pending=notification)
                for notification in store.outbox.pending(number)
                if is_new_page(notification, clock()) and not notification.incidents[0].is_snoozed(clock())
            ]
        sent = 0
        for group in _groups(pages):
            if len({page.number for page in group}) > 1:
                _send(store, group, notify, clock)
                sent += 1
        return sent


def _groups(pages: Sequence[TeamPage]) -> list[list[TeamPage]]:
    """Pages of the same hours, in the order of time."""
    groups: list[list[TeamPage]] = []
    for page in sorted(pages, key=lambda page: (page.pending.at, page.number, page.pending.number)):
        if groups and page.pending.at - groups[-1][0].pending.at <= TOGETHER:
            groups[-1].append(page)
        else:
            groups.append([page])
    return groups


def _send(store: Store, group: Sequence[TeamPage], notify: Notify, clock: Callable[[], datetime]) -> None:
    """Tell each receiver of those pages that it wants, by one message."""
    routes = {receiver: route for page in group for receiver, route in page.receivers.items()}
    reached, gone = set(), set()
    for receiver, route in routes.items():
        first, *others = (page for page in group if receiver in page.receivers)
        for delivery in notify(first.notification(others), [route]):
            reached |= {delivery.receiver} if delivery.ok else set()
            gone |= {delivery.receiver} if delivery.gone else set()
    now = clock()
    for page in group:
        wanted = frozenset(page.receivers)
        left, abandoned = wanted - reached - gone, wanted & gone
        attempt = Attempt(
            reached=wanted & reached,
            abandoned=abandoned,
            completed_at=now if not left and not abandoned else None,
            given_up_at=now if not left and abandoned else None,
            next_attempt_at=now + wait_after(1) if left else None,
        )
        store.outbox.save_attempt(page.number, page.pending.number, attempt)
