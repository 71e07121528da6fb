from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitoring.errors import BadInput
from monitoring.records import IncidentEvent, IncidentRecord, WindowRecord
from monitoring.store import Store
from monitoring.store.notifications import Attempt
from tests.monitoring.store.conftest import acknowledgement

APRIL = datetime(2013, 4, 1, tzinfo=UTC)


MakeWindow = Callable[..., WindowRecord]


def commit(store: Store, deployment: int, window: WindowRecord, *incidents: IncidentRecord) -> None:
    store.commit_window(
        deployment, window, states={"page": f"after {window.start}"}, label_cursor={"segment": 7}, incidents=incidents
    )


def test_incidents_are_replaced_by_number(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), incident)
    closed = replace(incident, state="closed", closed_at=APRIL + timedelta(days=2), recovery="done")
    second = replace(incident, number=2, opened_at=APRIL + timedelta(days=3))
    commit(store, deployment, window(1), closed, second)
    assert store.incidents.read(deployment) == (closed, second)


def test_an_incident_is_acknowledged_once(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), incident)
    at = APRIL + timedelta(days=1, hours=8)
    action = acknowledgement(at)
    acknowledged = store.incidents.act(deployment, 1, action)
    seen = (*incident.history, IncidentEvent(at=at, state="acknowledged"))
    assert acknowledged == replace(incident, state="acknowledged", acknowledged_at=at, history=seen, actions=(action,))
    assert store.incidents.act(deployment, 1, acknowledgement(at + timedelta(hours=1))) == acknowledged
    assert store.incidents.read(deployment) == (acknowledged,)


def test_a_recovering_incident_that_is_acknowledged_goes_on_recovering(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), replace(incident, state="recovering"))
    assert store.incidents.act(deployment, 1, acknowledgement(APRIL)).state == "recovering"


def test_what_cannot_be_acknowledged_is_refused(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    with pytest.raises(BadInput, match="there are no incidents"):
        store.incidents.act(deployment, 1, acknowledgement(APRIL))
    commit(store, deployment, window(0), replace(incident, state="closed"))
    with pytest.raises(BadInput, match="is closed"):
        store.incidents.act(deployment, 1, acknowledgement(APRIL))
    with pytest.raises(BadInput, match="one of: 1"):
        store.incidents.act(deployment, 2, acknowledgement(APRIL))
    with pytest.raises(BadInput, match="No such deployment"):
        store.incidents.act(deployment + 1, 1, acknowledgement(APRIL))


@pytest.mark.parametrize(
    ("judged", "kept"), [("open", "acknowledged"), ("recovering", "recovering"), ("closed", "closed")]
)
def test_a_job_that_did_not_know_of_an_acknowledgement_does_not_undo_it(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord, judged: str, kept: str
) -> None:
    commit(store, deployment, window(0), incident)
    store.incidents.act(deployment, 1, acknowledgement(APRIL))
    commit(store, deployment, window(1), replace(incident, state=judged))  # type: ignore[arg-type]  # from a list
    (stored,) = store.incidents.read(deployment)
    assert (stored.state, stored.acknowledged_at) == (kept, APRIL)


def test_what_became_worse_is_notified_again_and_is_to_be_acknowledged_again(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), incident)
    store.outbox.save_attempt(deployment, 1, Attempt(reached=frozenset({"a"}), completed_at=APRIL))
    seen = store.incidents.act(deployment, 1, acknowledgement(APRIL + timedelta(days=2)))
    worse = replace(seen, acknowledged_at=None).entered("worse", APRIL + timedelta(days=3))
    commit(store, deployment, window(1), worse)
    _, pending = store.outbox.pending(deployment)
    assert (pending.state, pending.reached, pending.attempts) == ("worse", frozenset(), 0)
    assert [event.state for event in pending.incidents[0].history] == ["open", "acknowledged", "worse"]


def test_the_latest_incidents_are_read_page_by_page(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    every = [replace(incident, number=number, state="closed" if number == 3 else "open") for number in range(1, 6)]
    store.commit_window(deployment, window(0), states={}, label_cursor={}, incidents=every)
    store.incidents.act(deployment, 4, acknowledgement(incident.opened_at + timedelta(days=1)))

    def numbers(**asked: Any) -> list[int]:
        return [one.number for one in store.incidents.recent(deployment, **asked)]

    assert numbers(latest=2, before=None, closed=False) == [5, 4]
    assert numbers(latest=9, before=4, closed=False) == [2, 1]
    assert numbers(latest=9, before=4, closed=True) == [3, 2, 1]
    (acted,) = store.incidents.recent(deployment, latest=1, before=5, closed=False)
    assert acted == store.incidents.get(deployment, 4)
    assert len(acted.actions) == 1
