from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from monitoring.records import IncidentRecord, WindowRecord
from monitoring.store import Store
from monitoring.store.notifications import Attempt, PendingNotification

APRIL = datetime(2013, 4, 1, tzinfo=UTC)
MakeWindow = Callable[..., WindowRecord]


def commit(store: Store, deployment: int, window: WindowRecord, *incidents: IncidentRecord) -> None:
    store.commit_window(deployment, window, states={}, label_cursor={}, incidents=incidents)


def test_a_new_incident_is_pending_at_once(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    assert store.pending_notifications(deployment) == ()
    commit(store, deployment, window(0), incident)
    assert store.pending_notifications(deployment) == (PendingNotification(incident=incident),)


def test_attempts_and_receivers_are_kept_until_all_are_notified(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), incident, replace(incident, number=2))
    store.save_notification(deployment, 1, Attempt(notified=frozenset({"b", "a"})))
    store.save_notification(deployment, 2, Attempt(notified=frozenset(), completed_at=APRIL))
    (pending,) = store.pending_notifications(deployment)
    assert pending == PendingNotification(incident=incident, notified=frozenset({"a", "b"}), attempts=1)
    store.save_notification(
        deployment, 1, Attempt(notified=frozenset({"a", "b", "c"}), completed_at=APRIL + timedelta(hours=1))
    )
    assert store.pending_notifications(deployment) == ()


def test_a_new_state_of_the_incident_changes_nothing_of_its_notification(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), incident)
    store.save_notification(deployment, 1, Attempt(notified=frozenset({"a"})))
    recovering = replace(incident, state="recovering")
    commit(store, deployment, window(1), recovering)
    (pending,) = store.pending_notifications(deployment)
    assert pending == PendingNotification(incident=recovering, notified=frozenset({"a"}), attempts=1)


def test_deployments_have_notifications_of_their_own(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), incident)
    assert store.pending_notifications(deployment + 1) == ()


def test_what_was_given_up_is_neither_pending_nor_delivered(
    store: Store, deployment: int, window: Callable[..., WindowRecord], incident: IncidentRecord
) -> None:
    store.commit_window(deployment, window(0), states={}, label_cursor={}, incidents=(incident,))
    store.save_notification(deployment, 1, Attempt(given_up_at=APRIL))
    assert store.pending_notifications(deployment) == ()
    assert store.given_up_notifications(deployment) == (1,)
    worse = incident.entered("worse", APRIL + timedelta(days=2))
    store.commit_window(deployment, window(1), states={}, label_cursor={}, incidents=(worse,))
    assert [one.incident.number for one in store.pending_notifications(deployment)] == [1]
    assert store.given_up_notifications(deployment) == ()
