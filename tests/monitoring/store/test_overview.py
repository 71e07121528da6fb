from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitoring.records import BaselineScore, IncidentRecord, RunRecord, WindowRecord
from monitoring.store import DeploymentRecord, Store
from monitoring.store.checks import Check
from tests.incident_words import worded
from tests.monitoring.store.conftest import acknowledgement

DAY = timedelta(days=1)
MakeWindow = Callable[..., WindowRecord]


def commit(store: Store, deployment: int, window: WindowRecord, *incidents: IncidentRecord) -> None:
    store.commit_window(deployment, window, states={}, label_cursor={}, incidents=incidents)


@pytest.fixture
def second(store: Store, deployment: int, deployment_record: DeploymentRecord) -> int:
    """A deployment of another model, after the first one."""
    return store.find_or_create(replace(deployment_record, model="parcels"))


def test_each_deployment_is_summarised_with_its_open_incidents(
    store: Store, deployment: int, second: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), incident)
    closed = replace(incident, number=2, state="closed", closed_at=incident.opened_at)
    commit(store, deployment, window(1), closed)
    first, other = store.overview.summaries()
    assert (first.number, first.record.model, first.last) == (deployment, "flights", (window(1).start, window(1).end))
    assert [one.number for one in first.incidents] == [1]
    assert (other.number, other.last, other.incidents) == (second, None, ())
    assert first.used_at == first.record.created_at


def test_a_summary_has_the_error_of_the_last_run_until_one_finds_nothing_due(
    store: Store, deployment: int, deployment_record: DeploymentRecord
) -> None:
    at = deployment_record.created_at
    store.runs.begin(deployment, RunRecord(started_at=at, error="No bundle there."))
    assert store.overview.summaries()[0].failure == "No bundle there."
    check = Check(checked_at=at - timedelta(hours=1), next_due_at=None, inputs="", traffic_state="")
    store.deployments.save_check(deployment, check)
    assert store.overview.summaries()[0].failure == "No bundle there."
    store.deployments.save_check(deployment, replace(check, checked_at=at + timedelta(hours=1)))
    assert store.overview.summaries()[0].failure == ""
    store.runs.begin(deployment, RunRecord(started_at=at + timedelta(hours=2), error="No traffic there."))
    assert store.overview.summaries()[0].failure == "No traffic there."
    store.runs.begin(deployment, RunRecord(started_at=at + timedelta(hours=3), ended_at=at + timedelta(hours=4)))
    assert store.overview.summaries()[0].failure == ""


def test_the_last_windows_of_several_deployments_come_in_order(
    store: Store, deployment: int, second: int, window: MakeWindow
) -> None:
    for day in range(5):
        commit(store, deployment, window(day))
    commit(store, second, window(7))
    found = store.overview.histories([deployment, second], latest=3, watches=["watch_1"], scored=2)
    assert [one.start for one in found[deployment].windows] == [window(day).start for day in (2, 3, 4)]
    assert found[deployment].windows[0] == replace(window(2), scores=())
    assert [[one.watch for one in scores] for scores in found[deployment].scores] == [["watch_1"], ["watch_1"]]
    assert found[deployment].scores[0][0] == window(3).scores[1]
    assert [one.start for one in found[second].windows] == [window(7).start]


def test_a_deployment_without_windows_has_an_empty_history(store: Store, deployment: int) -> None:
    found = store.overview.histories([deployment], latest=3, watches=["brier"], scored=2)
    assert (found[deployment].windows, found[deployment].scores, found[deployment].baseline) == ((), (), ())


def test_only_the_baselines_of_the_watches_on_the_whole_traffic_are_read(store: Store, deployment: int) -> None:
    brier = BaselineScore(level="page", watch="brier", slice="", mean=0.1, deviation=0.02, tolerance=0.01, windows=9)
    store.deployments.save_baseline(
        deployment, (brier, replace(brier, slice="origin=EWR"), replace(brier, watch="error"))
    )
    assert store.overview.histories([deployment], latest=1, watches=["brier"], scored=1)[deployment].baseline == (
        brier,
    )


def test_windows_are_read_up_to_a_time(store: Store, deployment: int, window: MakeWindow) -> None:
    for day in range(4):
        commit(store, deployment, window(day))
    assert [one.start for one in store.windows.recent(deployment, latest=2)] == [window(2).start, window(3).start]
    before = store.windows.recent(deployment, latest=2, before=window(3).start)
    assert [one.start for one in before] == [window(1).start, window(2).start]


@pytest.mark.parametrize("change", ["window", "run", "acknowledgement", "note"])
def test_the_fingerprint_changes_with_everything_that_happens(
    store: Store,
    deployment: int,
    deployment_record: DeploymentRecord,
    window: MakeWindow,
    incident: IncidentRecord,
    change: str,
) -> None:
    commit(store, deployment, window(0), incident)
    before = store.overview.fingerprint()
    assert store.overview.fingerprint() == before
    later: datetime = deployment_record.created_at + timedelta(days=2)
    if change == "window":
        commit(store, deployment, window(1))
    elif change == "run":
        store.find_or_create(replace(deployment_record, created_at=later))
    elif change == "note":
        store.incidents.act(deployment, 1, replace(acknowledgement(later), kind="note", text="seen"))
    else:
        store.incidents.act(deployment, 1, acknowledgement(later))
    assert store.overview.fingerprint() != before


def test_of_one_name_the_deployment_that_was_run_last_is_outlined(
    store: Store, deployment: int, deployment_record: DeploymentRecord, window: MakeWindow
) -> None:
    second = store.find_or_create(replace(deployment_record, model="parcels", name="parcels"))
    again = replace(deployment_record, settings_digest="cd" * 32, created_at=deployment_record.created_at + DAY)
    newest = store.find_or_create(again)
    commit(store, newest, window(0))
    commit(store, newest, window(1))
    other, outlined = store.overview.outlines()
    assert (other.number, other.name, other.last, other.earlier) == (second, "parcels", None, 0)
    assert (outlined.number, outlined.name, outlined.model, outlined.earlier) == (newest, "flights", "flights", 1)
    assert outlined.last == (window(1).start, window(1).end)
    store.find_or_create(replace(deployment_record, created_at=again.created_at + DAY))
    assert [one.number for one in store.overview.outlines()] == [deployment, second]


def test_an_outline_has_what_decides_how_the_deployment_stands(
    store: Store, deployment: int, deployment_record: DeploymentRecord, window: MakeWindow, incident: IncidentRecord
) -> None:
    closed = replace(incident, number=2, state="closed", closed_at=incident.opened_at)
    commit(store, deployment, window(0), incident, closed)
    store.incidents.act(deployment, 1, acknowledgement(incident.opened_at + DAY))
    at = deployment_record.created_at
    store.runs.begin(deployment, RunRecord(started_at=at, error="No bundle there."))
    (outline,) = store.overview.outlines()
    (one,) = outline.incidents
    summary = store.overview.summaries()[0]
    assert (one.level, one.opened_at) == (incident.level, incident.opened_at)
    assert one.acknowledged_at == summary.incidents[0].acknowledged_at is not None
    assert (outline.failure, outline.used_at) == (summary.failure, summary.used_at) == ("No bundle there.", at)
    check = Check(checked_at=at + DAY, next_due_at=None, inputs="", traffic_state="")
    store.deployments.save_check(deployment, check)
    assert store.overview.outlines()[0].failure == ""


def test_the_open_incidents_of_all_deployments_are_read_at_once(
    store: Store, deployment: int, second: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), replace(incident, diagnoses=worded("100 % more"), slice="origin=EWR"))
    gone = replace(incident, diagnoses=worded("100 % more"), state="closed", closed_at=incident.opened_at)
    commit(store, second, window(0), gone)
    assert {number: len(incidents) for number, incidents in store.overview.open_incidents().items()} == {deployment: 1}
    assert [one.number for one in store.overview.some_summaries([second])] == [second]
