from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitoring.records import IncidentAction, IncidentRecord, IncidentState, WindowRecord
from monitoring.store import Store
from monitoring.store.events import event_names
from tests.monitoring.store.conftest import acknowledgement

APRIL = datetime(2013, 4, 1, tzinfo=UTC)
MakeWindow = Callable[..., WindowRecord]


def moved(incident: IncidentRecord, *states: IncidentState) -> IncidentRecord:
    for day, state in enumerate(states, start=2):
        incident = incident.entered(state, APRIL + timedelta(days=day))
    return incident


def events(store: Store, deployment: int) -> list[tuple[str, str | None]]:
    return [(one.event, one.state) for one in store.outbox.pending(deployment)]


def test_each_state_has_a_name_for_the_life_of_the_incident(incident: IncidentRecord) -> None:
    whole = moved(incident, "worse", "recovering", "worse", "recovering", "closed")
    assert list(event_names(whole)) == ["0", "1", "recovering-1", "2", "recovering-2", "closed-1"]
    assert list(event_names(replace(incident, history=()))) == ["0"]


def test_each_state_is_one_event_whatever_is_committed_again(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    opened = incident
    for day, record in enumerate((opened, moved(opened, "worse"), moved(opened, "worse", "recovering", "closed"))):
        for again in (0, 1):
            store.commit_window(deployment, window(2 * day + again), states={}, label_cursor={}, incidents=[record])
    assert events(store, deployment) == [
        ("flights/1/1/0", "open"),
        ("flights/1/1/1", "worse"),
        ("flights/1/1/recovering-1", "recovering"),
        ("flights/1/1/closed-1", "closed"),
    ]


def test_an_acknowledgement_is_an_event_and_only_once(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    store.commit_window(deployment, window(0), states={}, label_cursor={}, incidents=[incident])
    store.incidents.act(deployment, 1, acknowledgement(APRIL + timedelta(days=1, hours=9)))
    store.incidents.act(deployment, 1, acknowledgement(APRIL + timedelta(days=1, hours=10)))
    store.commit_window(deployment, window(1), states={}, label_cursor={}, incidents=[moved(incident, "recovering")])
    assert events(store, deployment)[1:] == [
        ("flights/1/1/acknowledged-1", "acknowledged"),
        ("flights/1/1/recovering-1", "recovering"),
    ]


def test_closing_and_reopening_by_a_person_are_events_each_time(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    store.commit_window(deployment, window(0), states={}, label_cursor={}, incidents=[incident])
    for hour, kind in enumerate(("close", "reopen", "close", "reopen"), start=9):
        at = APRIL + timedelta(days=1, hours=hour)
        store.incidents.act(deployment, 1, IncidentAction(at=at, by="operator", kind=kind))  # type: ignore[arg-type]  # from a list
    assert events(store, deployment)[1:] == [
        ("flights/1/1/closed-1", "closed"),
        ("flights/1/1/open-2", "open"),
        ("flights/1/1/closed-2", "closed"),
        ("flights/1/1/open-3", "open"),
    ]


def test_an_event_is_written_with_what_causes_it_or_not_at_all(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    broken = replace(incident, number=2, recovery=None)  # type: ignore[arg-type]  # the database refuses it
    with pytest.raises(Exception, match=r"NOT NULL|already"):
        store.commit_window(deployment, window(0), states={}, label_cursor={}, incidents=[incident, broken])
    assert events(store, deployment) == []
    assert store.incidents.read(deployment) == ()
