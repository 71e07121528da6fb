"""Telling of incidents what the store says is owed: at least once each, whatever dies in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import TypeAlias

from monitoring.jobs.deployment import Deployment
from monitoring.records import IncidentRecord
from monitoring.store.store import Store

#: Tells an incident to every receiver of its level but those named, which were reached before; says who was reached.
Tell: TypeAlias = Callable[[IncidentRecord, Deployment, AbstractSet[str]], Mapping[str, bool]]

#: Attempts, one a run, before nobody is told of an incident any more: a day of runs every quarter of an hour.
MOST_TELLINGS = 96


class Teller:
    """Tells what is owed, and keeps in the store who was reached.

    An incident enters the store with nobody told, in the transaction of its window. A receiver that was reached is
    noted after it has answered: a process that dies in between tells it once more, never not at all. A receiver that
    was not reached is tried again by the next run, alone. Without `tell` nobody is owed anything.
    """

    def __init__(
        self,
        store: Store,
        deployment: int,
        tell: Tell | None,
        *,
        clock: Callable[[], datetime],
        renew: Callable[[datetime], None],
    ) -> None:
        self._store = store
        self._number = deployment
        self._tell = tell
        self._clock = clock
        self._renew = renew
        self._tried: set[int] = set()

    def owed(self, deployment: Deployment) -> None:
        """Tell of each incident owed, once in this run. Cost: what the receivers take to answer."""
        for owed in self._store.pending_notifications(self._number):
            number = owed.incident.number
            if number in self._tried:
                continue
            self._tried.add(number)
            self._renew(self._clock())
            reached = {} if self._tell is None else self._tell(owed.incident, deployment, owed.notified)
            told = owed.notified | {receiver for receiver, ok in reached.items() if ok}
            over = all(reached.values()) or owed.attempts + 1 >= MOST_TELLINGS
            self._store.save_notification(self._number, number, told, self._clock() if over else None)
