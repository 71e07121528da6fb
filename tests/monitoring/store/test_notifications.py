from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from monitoring.records import IncidentRecord, WindowRecord
from monitoring.store import Store
from monitoring.store.notifications import Attempt, PendingNotification
from tests.incident_words import worded
from tests.monitoring.store.migrations.earlier_stores import check_outbox, earlier_store

APRIL = datetime(2013, 4, 1, tzinfo=UTC)
MakeWindow = Callable[..., WindowRecord]


def commit(store: Store, deployment: int, window: WindowRecord, *incidents: IncidentRecord) -> None:
    store.commit_window(deployment, window, states={}, label_cursor={}, incidents=incidents)


def pending_of(incident: IncidentRecord) -> PendingNotification:
    return PendingNotification(
        number=1, event="flights/1/1/0", state="open", at=incident.opened_at, incidents=(incident,)
    )


def test_a_new_incident_is_pending_at_once(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    assert store.outbox.pending(deployment) == ()
    commit(store, deployment, window(0), incident)
    assert store.outbox.pending(deployment) == (pending_of(incident),)


def test_attempts_and_receivers_are_kept_until_all_are_notified(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), incident, replace(incident, number=2))
    store.outbox.save_attempt(deployment, 1, Attempt(reached=frozenset({"b", "a"}), abandoned=frozenset({"c"})))
    store.outbox.save_attempt(deployment, 2, Attempt(completed_at=APRIL))
    (pending,) = store.outbox.pending(deployment)
    expected = replace(pending_of(incident), reached=frozenset({"a", "b"}), abandoned=frozenset({"c"}), attempts=1)
    assert pending == expected
    store.outbox.save_attempt(deployment, 1, Attempt(completed_at=APRIL + timedelta(hours=1)))
    assert store.outbox.pending(deployment) == ()
    assert store.outbox.given_up(deployment) == ()


def test_an_event_keeps_its_state_and_shows_the_incident_as_it_is(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), incident)
    worse = replace(incident, diagnoses=worded("", "More than before.")).entered("worse", APRIL + timedelta(days=2))
    commit(store, deployment, window(1), worse)
    first, second = store.outbox.pending(deployment)
    assert (first.state, second.state) == ("open", "worse")
    assert first.incidents == second.incidents == (worse,)


def test_deployments_have_notifications_of_their_own(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), incident)
    assert store.outbox.pending(deployment + 1) == ()


def test_what_was_given_up_is_neither_pending_nor_delivered_and_stays_known(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), incident)
    store.outbox.save_attempt(deployment, 1, Attempt(abandoned=frozenset({"a"}), given_up_at=APRIL))
    assert store.outbox.pending(deployment) == ()
    assert store.outbox.given_up(deployment) == ("flights/1/1/0",)
    commit(store, deployment, window(1), incident.entered("worse", APRIL + timedelta(days=2)))
    assert [one.event for one in store.outbox.pending(deployment)] == ["flights/1/1/1"]
    assert store.outbox.given_up(deployment) == ("flights/1/1/0",)


def test_a_digest_takes_the_place_of_its_events(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    other = replace(incident, number=2, opened_at=APRIL + timedelta(days=3), history=())
    commit(store, deployment, window(0), incident.entered("worse", APRIL + timedelta(days=2)), other)
    store.outbox.save_digest(deployment, store.outbox.pending(deployment), APRIL + timedelta(days=9))
    (digest,) = store.outbox.pending(deployment)
    assert (digest.event, digest.state, digest.events) == ("flights/1/digest/1-3", None, 3)
    assert digest.at == APRIL + timedelta(days=3)
    assert [one.number for one in digest.incidents] == [1, 2]
    store.outbox.save_attempt(deployment, digest.number, Attempt(completed_at=APRIL))
    assert store.outbox.pending(deployment) == ()


def test_the_outbox_says_what_became_of_each_event(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), *(replace(incident, number=number) for number in range(1, 6)))
    store.outbox.save_digest(deployment, store.outbox.pending(deployment)[:1], APRIL)
    store.outbox.save_attempt(deployment, 2, Attempt(reached=frozenset({"a"}), completed_at=APRIL))
    store.outbox.save_attempt(deployment, 3, Attempt(completed_at=APRIL))
    store.outbox.save_attempt(deployment, 4, Attempt(abandoned=frozenset({"a"}), given_up_at=APRIL))
    found = [(one.state, one.outcome) for one in store.outbox.read(deployment)]
    assert found == [
        ("open", "in a digest"),
        ("open", "delivered"),
        ("open", "not asked for"),
        ("open", "given up"),
        ("open", "pending"),
        ("digest", "pending"),
    ]
    undelivered = store.outbox.undelivered(9)
    assert [(number, one.outcome) for number, one in undelivered] == [
        (deployment, outcome) for outcome in ("pending", "pending", "given up")
    ]
    assert len(store.outbox.undelivered(1)) == 1


def test_finished_events_of_closed_incidents_are_deleted_and_others_stay(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    closed = replace(incident, state="closed", closed_at=APRIL + timedelta(days=2))
    commit(store, deployment, window(0), closed, replace(incident, number=2), replace(closed, number=3))
    done = Attempt(reached=frozenset({"a"}), completed_at=APRIL)
    for number in (1, 2):
        store.outbox.save_attempt(deployment, number, done)
    assert store.outbox.forget(deployment, APRIL) == 0
    assert store.outbox.forget(deployment, APRIL + timedelta(days=1)) == 1
    assert [(one.incident, one.outcome) for one in store.outbox.read(deployment)] == [(2, "delivered"), (3, "pending")]
    store.outbox.save_attempt(deployment, 3, Attempt(abandoned=frozenset({"a"}), given_up_at=APRIL))
    assert store.outbox.forget(deployment, APRIL + timedelta(days=1)) == 1


def test_events_of_a_digest_stay_until_it_is_finished(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    closed = replace(incident, state="closed", closed_at=APRIL + timedelta(days=2))
    commit(store, deployment, window(0), closed, replace(closed, number=2))
    store.outbox.save_digest(deployment, store.outbox.pending(deployment), APRIL)
    later = APRIL + timedelta(days=9)
    assert store.outbox.forget(deployment, later) == 0
    (digest,) = store.outbox.pending(deployment)
    assert [one.number for one in digest.incidents] == [1, 2]
    store.outbox.save_attempt(deployment, digest.number, Attempt(reached=frozenset({"a"}), completed_at=APRIL))
    assert store.outbox.forget(deployment, later) == 3
    assert store.outbox.read(deployment) == ()


def test_what_was_pending_is_an_event_and_what_was_told_is_not(url: str) -> None:
    earlier_store(url)
    check_outbox(url)
