from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring.records import RunRecord
from monitoring.store import DeploymentRecord, Store, runs
from tests.monitoring.store.conftest import APRIL

RUN = RunRecord(started_at=APRIL, host="monitor-1", version="0.2.0")


def test_a_run_is_there_from_its_beginning_and_has_its_end_later(store: Store, deployment: int) -> None:
    number = store.runs.begin(deployment, RUN)
    assert store.runs.latest(deployment) == (RUN,)
    ended = replace(RUN, ended_at=APRIL + timedelta(seconds=3), windows=2, rows=1800, error="No traffic.")
    store.runs.save(number, ended)
    assert store.runs.latest(deployment) == (ended,)


def test_the_last_runs_of_each_deployment_are_kept(
    store: Store, deployment: int, deployment_record: DeploymentRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "KEPT", 3)
    other = store.find_or_create(replace(deployment_record, version=2))
    store.runs.begin(other, RUN)
    made = [replace(RUN, started_at=APRIL + timedelta(hours=hour)) for hour in range(6)]
    for one in made:
        store.runs.begin(deployment, one)
    assert store.runs.latest(deployment) == tuple(made[:2:-1])
    assert store.runs.latest(deployment, latest=1) == (made[-1],)
    assert store.runs.latest(other) == (RUN,)


def test_runs_of_all_deployments_come_newest_first(
    store: Store, deployment: int, deployment_record: DeploymentRecord
) -> None:
    other = store.find_or_create(replace(deployment_record, version=2, name="east"))
    store.runs.begin(deployment, replace(RUN, error="No traffic."))
    store.runs.begin(other, RUN)
    found = store.runs.recent(9)
    assert [(one.deployment, one.name, one.version, one.run.error) for one in found] == [
        (other, "east", 2, ""),
        (deployment, deployment_record.model, deployment_record.version, "No traffic."),
    ]
    assert [one.deployment for one in store.runs.recent(1)] == [other]
    assert [one.deployment for one in store.runs.recent(1, failed=True)] == [deployment]
