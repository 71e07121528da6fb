"""Changes of a deployment's baseline in the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitoring.errors import BadInput, CannotRun
from monitoring.records import IncidentAction, IncidentRecord, Rebaseline, WindowRecord
from monitoring.records.state_names import StateName
from monitoring.store import DeploymentRecord, Store
from tests.monitoring.store.conftest import APRIL

NOW = APRIL + timedelta(days=9)
STATES: dict[StateName, str] = {"page": "p", "notice": "n", "witness": "w", "awaited": "a"}
CHANGE = Rebaseline(
    at=NOW,
    by="ada",
    reason="new prices",
    start=APRIL,
    end=APRIL + timedelta(days=2),
    since=APRIL + timedelta(days=2),
    former_basis="former",
)

MakeWindow = Callable[..., WindowRecord]


@pytest.fixture
def former(deployment_record: DeploymentRecord) -> DeploymentRecord:
    return replace(deployment_record, basis="former")


@pytest.fixture
def number(store: Store, former: DeploymentRecord, window: MakeWindow, incident: IncidentRecord) -> int:
    """A deployment with three windows, an incident of the first, and one that is opened after the third."""
    found = store.find_or_create(former)
    for day in range(3):
        last = replace(incident, number=2, opened_at=APRIL + timedelta(days=3), watch="error", slice="")
        opened = {0: (incident,), 2: (last,)}.get(day, ())
        store.commit_window(found, window(day), states=STATES, label_cursor={"labels": day}, incidents=opened)
    return found


def new(record: DeploymentRecord, *, since: datetime = CHANGE.since) -> DeploymentRecord:
    change = replace(CHANGE, since=since)
    return replace(record, settings_digest="cd" * 32, basis="new", since=since, rebaseline=change, created_at=NOW)


def test_the_deployment_goes_on_and_what_the_new_baseline_explains_is_closed(
    store: Store, number: int, former: DeploymentRecord
) -> None:
    assert store.find_or_create(new(former)) == store.find_or_create(new(former)) == number
    assert store.windows.count(number) == 3
    assert store.deployments.states(number) == {"awaited": "a"}
    assert store.deployments.read(number).since == APRIL + timedelta(days=3)  # the last judged window's end
    assert [one.state for one in store.incidents.read(number)] == ["closed", "open"]
    [action] = store.incidents.get(number, 1).actions
    assert (action.by, action.kind, action.text) == ("ada", "close", "New baseline: new prices")
    [change] = store.rebaselines.read(number)
    assert change == replace(CHANGE, since=APRIL + timedelta(days=3), closed=(1,))


def test_undoing_restores_states_windows_and_incidents(
    store: Store, number: int, former: DeploymentRecord, window: MakeWindow, incident: IncidentRecord
) -> None:
    before = store.windows.read(number)
    store.find_or_create(new(former))
    since = replace(incident, number=3, opened_at=APRIL + timedelta(days=4), watch="brier", slice="")
    store.commit_window(number, window(3), states={"page": "new"}, label_cursor={}, incidents=(since,))
    undone = store.rebaselines.undo(number, "bob", NOW)
    assert (undone.undone_by, undone.undone_at) == ("bob", NOW)
    assert store.windows.read(number) == before
    assert store.deployments.states(number) == STATES
    assert [one.state for one in store.incidents.read(number)] == ["open", "open", "closed"]
    assert store.find_or_create(former) == number
    assert store.rebaselines.read(number) == (undone,)
    with pytest.raises(BadInput, match="no new baseline to undo"):
        store.rebaselines.undo(number, "bob", NOW)


def test_an_incident_that_somebody_reopened_or_that_is_closed_still_is_open_after_undoing(
    store: Store, number: int, former: DeploymentRecord
) -> None:
    store.find_or_create(new(former))
    store.incidents.act(number, 1, IncidentAction(at=NOW, by="eve", kind="reopen"))
    store.rebaselines.undo(number, "bob", NOW)
    assert [one.kind for one in store.incidents.get(number, 1).actions] == ["close", "reopen"]


def test_the_former_baseline_is_refused_until_it_is_undone(store: Store, number: int, former: DeploymentRecord) -> None:
    store.find_or_create(new(former))
    with pytest.raises(BadInput, match=r"newer baseline than this config.*by ada"):
        store.find_or_create(former)
    assert len(store.deployments.all()) == 1


def test_nothing_changes_while_a_run_is_judging(store: Store, number: int, former: DeploymentRecord) -> None:
    with store.leases.take(number, "run", NOW, 60), pytest.raises(CannotRun, match="A run is judging"):
        store.find_or_create(new(former))
    assert store.rebaselines.read(number) == ()
    store.find_or_create(new(former))
    with store.leases.take(number, "run", NOW, 60), pytest.raises(CannotRun, match="A run is judging"):
        store.rebaselines.undo(number, "bob", NOW)


def test_a_baseline_of_another_deployment_s_traffic_begins_a_new_one(
    store: Store, number: int, former: DeploymentRecord
) -> None:
    other = replace(new(former), rebaseline=replace(CHANGE, former_basis="unknown"))
    assert store.find_or_create(other) == number + 1
    assert store.deployments.read(number + 1).since == CHANGE.since
