"""Notifications of incidents, sent from an outbox in the store: at least once each, whenever a process dies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import TypeAlias

from monitoring.incidents.notification import NotificationSource
from monitoring.records import IncidentRecord
from monitoring.store.notifications import Attempt
from monitoring.store.store import Store

#: Notifies every receiver of an incident's level but those named, which were reached before; says which were reached.
Notify: TypeAlias = Callable[[IncidentRecord, NotificationSource, AbstractSet[str]], Mapping[str, bool]]

#: Attempts, one a run, before a notification is given up: a day of runs every quarter of an hour.
MAX_ATTEMPTS = 96


class NotificationOutbox:
    """Sends the notifications that are pending in the store, and stores which receivers were reached.

    An incident enters the store with a pending notification, in the transaction of its window. That a receiver was
    reached is stored after it has answered: if the process dies in between, the receiver is notified once more. A
    receiver that was not reached is tried again by the next run, up to `MAX_ATTEMPTS` runs, and is given up then, which
    is stored apart from success. An incident that becomes worse is pending again, for all receivers.
    What is pending while an incident is snoozed is sent once the snooze has ended.
    """

    def __init__(
        self,
        store: Store,
        number: int,
        notify: Notify | None,
        *,
        clock: Callable[[], datetime],
        renew: Callable[[datetime], None],
    ) -> None:
        """Sends nothing yet.

        Args:
            store: holds the pending notifications.
            number: the deployment's number in the store.
            notify: sends a notification; None: there are no receivers, and each notification is done at once.
            clock: gives the time.
            renew: called before each notification, as receivers may take their time.
        """
        self._store = store
        self._number = number
        self._notify = notify
        self._clock = clock
        self._renew = renew
        self._tried: set[tuple[int, int]] = set()

    def send_pending(self) -> None:
        """Send each pending notification that was not tried before. Cost: what the receivers take to answer."""
        for pending in self._store.pending_notifications(self._number):
            number = pending.incident.number
            telling = (number, pending.incident.worsenings)
            if telling in self._tried or pending.incident.is_snoozed(self._clock()):
                continue
            self._tried.add(telling)
            self._renew(self._clock())
            reached = {} if self._notify is None else self._notify(pending.incident, self._source(), pending.notified)
            notified = pending.notified | {receiver for receiver, ok in reached.items() if ok}
            done = all(reached.values())
            last = not done and pending.attempts + 1 >= MAX_ATTEMPTS
            now = self._clock()
            attempt = Attempt(
                notified=frozenset(notified), completed_at=now if done else None, given_up_at=now if last else None
            )
            self._store.save_notification(self._number, number, attempt)

    def _source(self) -> NotificationSource:
        record = self._store.deployment_record(self._number)
        return NotificationSource(name=record.called, number=self._number, model=record.model, version=record.version)
