"""Which deployment of a store a config belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitoring.errors import BadInput
from monitoring.records import EarlierDigest, IncidentAction, IncidentRecord, WindowRecord
from monitoring.store import DeploymentRecord, Store
from tests.monitoring.store.conftest import acknowledgement

APRIL = datetime(2013, 4, 1, tzinfo=UTC)
OTHER = "cd" * 32

MakeWindow = Callable[..., WindowRecord]


def commit(store: Store, deployment: int, window: WindowRecord, *incidents: IncidentRecord) -> None:
    store.commit_window(deployment, window, states={"page": "p"}, label_cursor={}, incidents=incidents)


def test_other_traffic_under_the_same_name_is_refused_whatever_the_settings(
    store: Store, deployment: int, deployment_record: DeploymentRecord
) -> None:
    other = replace(deployment_record, traffic="live-us/*.parquet")
    for record in (other, replace(other, settings_digest=OTHER), replace(other, version=2)):
        with pytest.raises(BadInput, match=r"of this name with other traffic.*live-us.*section.*--moved"):
            store.find_or_create(record)
    assert store.deployments.all() == (deployment_record,)
    assert store.find_or_create(replace(other, name="flights-us", settings_digest=OTHER)) == deployment + 1


def test_traffic_that_has_moved_takes_its_history_along(
    store: Store, deployment: int, deployment_record: DeploymentRecord
) -> None:
    moved = replace(deployment_record, traffic="elsewhere")
    assert store.find_or_create(moved, moved=True) == deployment
    assert store.find_or_create(moved) == deployment
    assert store.deployments.read(deployment).traffic == "elsewhere"


def test_a_deployment_of_unknown_traffic_takes_that_of_its_next_run(
    store: Store, deployment_record: DeploymentRecord
) -> None:
    number = store.find_or_create(replace(deployment_record, traffic=""))
    assert store.find_or_create(deployment_record) == number
    assert store.deployments.read(number).traffic == "live/*.parquet"


@pytest.mark.parametrize("evidence_goes_on", [True, False])
def test_an_earlier_digest_is_given_up_and_the_history_goes_on(
    store: Store, deployment: int, deployment_record: DeploymentRecord, window: MakeWindow, *, evidence_goes_on: bool
) -> None:
    commit(store, deployment, window(0))
    earlier = (EarlierDigest(digest=deployment_record.settings_digest, evidence_goes_on=evidence_goes_on),)
    renamed = replace(deployment_record, name="flights-eu", settings_digest=OTHER, earlier=earlier)
    assert store.find_or_create(renamed) == deployment
    assert store.find_or_create(renamed) == deployment
    assert store.deployments.states(deployment) == ({"page": "p"} if evidence_goes_on else {})
    assert store.deployments.read(deployment).name == "flights-eu"


def test_an_earlier_digest_of_other_traffic_is_somebody_else_s(
    store: Store, deployment: int, deployment_record: DeploymentRecord
) -> None:
    earlier = (EarlierDigest(digest=deployment_record.settings_digest, evidence_goes_on=True),)
    us = replace(deployment_record, name="us", traffic="us", settings_digest=OTHER, earlier=earlier)
    assert store.find_or_create(us) == deployment + 1
    assert store.deployments.read(deployment) == deployment_record


def test_what_the_deployment_before_had_judged_is_not_told_again_and_stays_acknowledged(
    store: Store, deployment: int, deployment_record: DeploymentRecord, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), incident)
    commit(store, deployment, window(1))
    store.incidents.act(deployment, 1, acknowledgement(APRIL + timedelta(days=1, hours=9)))
    new = store.find_or_create(replace(deployment_record, settings_digest=OTHER))
    assert store.deployments.read(new).follows == deployment
    other = replace(incident, number=2, watch="error")
    commit(store, new, window(0), incident, other)
    first, second = store.incidents.read(new)
    assert (first.state, first.acknowledged_at) == ("acknowledged", APRIL + timedelta(days=1, hours=9))
    assert [event.state for event in first.history] == ["open", "acknowledged"]
    assert (second.state, second.acknowledged_at) == ("open", None)
    assert store.outbox.pending(new) == ()
    later = APRIL + timedelta(days=3)
    commit(store, new, window(2), replace(incident, number=3, opened_at=later, history=()))
    assert [pending.incidents[0].number for pending in store.outbox.pending(new)] == [3]
    worse = replace(first, acknowledged_at=None).entered("worse", later)
    commit(store, new, window(3), worse)
    assert [pending.incidents[0].number for pending in store.outbox.pending(new)] == [3, 1]


def test_what_people_own_and_snoozed_in_the_deployment_before_is_kept(
    store: Store, deployment: int, deployment_record: DeploymentRecord, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), incident)
    commit(store, deployment, window(1))
    at = APRIL + timedelta(days=1, hours=9)
    for action in (
        IncidentAction(at=at, by="operator", kind="assign", text="team flights"),
        IncidentAction(at=at, by="operator", kind="snooze", until=at + timedelta(days=9), until_worse=True),
    ):
        store.incidents.act(deployment, 1, action)
    new = store.find_or_create(replace(deployment_record, settings_digest=OTHER))
    commit(store, new, window(0), incident)
    (kept,) = store.incidents.read(new)
    assert (kept.state, kept.owner, kept.is_snoozed(at + timedelta(days=8))) == ("open", "team flights", True)


def test_a_deployment_that_follows_nothing_tells_of_its_first_incident(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), incident)
    assert [pending.incidents[0].number for pending in store.outbox.pending(deployment)] == [1]


@pytest.mark.parametrize("known", ["", "settings"])
def test_another_method_continues_the_deployment_and_other_settings_do_not(
    store: Store, deployment_record: DeploymentRecord, window: MakeWindow, known: str
) -> None:
    number = store.find_or_create(replace(deployment_record, basis=known))
    commit(store, number, window(0))
    upgraded = replace(deployment_record, settings_digest=OTHER, basis="settings")
    assert store.find_or_create(upgraded) == number
    assert store.deployments.states(number) == {}
    assert len(store.windows.read(number)) == 1
    assert store.find_or_create(upgraded) == number
    changed = replace(upgraded, settings_digest="ef" * 32, basis="others")
    assert store.find_or_create(changed) == number + 1
    assert store.deployments.read(number + 1).follows == number


def test_a_store_of_an_earlier_release_is_continued_under_the_same_budgets_alone(
    store: Store, deployment: int, deployment_record: DeploymentRecord
) -> None:
    upgraded = replace(deployment_record, settings_digest=OTHER, basis="settings")
    assert store.find_or_create(replace(upgraded, page_budget="1 per 100 windows")) == deployment + 1
    assert (
        store.find_or_create(replace(upgraded, timezone="UTC", settings_digest="ef" * 32, basis="other"))
        == deployment + 2
    )
