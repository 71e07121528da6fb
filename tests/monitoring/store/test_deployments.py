from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitoring.errors import BadInput
from monitoring.records import BaselineScore, IncidentRecord, MetricCode, Sensitivity, WindowRecord
from monitoring.records.state_names import StateName
from monitoring.store import DeploymentRecord, Store, deployments

APRIL = datetime(2013, 4, 1, tzinfo=UTC)


MakeWindow = Callable[..., WindowRecord]


def commit(store: Store, deployment: int, window: WindowRecord, *incidents: IncidentRecord) -> None:
    store.commit_window(
        deployment, window, states={"page": f"after {window.start}"}, label_cursor={"segment": 7}, incidents=incidents
    )


def test_a_deployment_is_made_once_and_found_again(store: Store, deployment_record: DeploymentRecord) -> None:
    number = store.find_or_create(deployment_record)
    later = replace(deployment_record, created_at=APRIL + timedelta(days=9))
    assert store.find_or_create(later) == number
    assert store.deployments.all() == (deployment_record,)
    assert store.deployments.read(number) == deployment_record


def test_another_version_or_other_settings_are_another_deployment(
    store: Store, deployment_record: DeploymentRecord
) -> None:
    others = [replace(deployment_record, version=2), replace(deployment_record, settings_digest="cd" * 32)]
    numbers = {store.find_or_create(record) for record in [deployment_record, *others]}
    assert len(numbers) == 3
    assert store.deployments.all() == (deployment_record, replace(others[0]), replace(others[1], follows=1))


def test_the_latest_deployment_is_the_one_used_last(store: Store, deployment_record: DeploymentRecord) -> None:
    assert store.deployments.latest() is None
    first = store.find_or_create(deployment_record)
    second = store.find_or_create(replace(deployment_record, version=2, created_at=APRIL + timedelta(days=1)))
    other = store.find_or_create(
        replace(deployment_record, model="digits", name="digits", created_at=APRIL + timedelta(days=2))
    )
    assert (store.deployments.latest(), store.deployments.latest("flights"), store.deployments.latest("none")) == (
        other,
        second,
        None,
    )
    store.find_or_create(replace(deployment_record, created_at=APRIL + timedelta(days=3)))
    assert store.deployments.latest("flights") == first


def test_states_are_replaced_by_level(store: Store, deployment: int, window: MakeWindow) -> None:
    store.commit_window(deployment, window(0), states={"page": "p0", "notice": "n0"}, label_cursor={}, incidents=())
    store.commit_window(deployment, window(1), states={"page": "p1"}, label_cursor={}, incidents=())
    store.commit_window(deployment, window(2), states={}, label_cursor={}, incidents=())
    assert store.deployments.states(deployment) == {"page": "p1", "notice": "n0"}


def test_sensitivity_and_baseline_come_back(store: Store, deployment: int) -> None:
    sensitivity = (
        Sensitivity(metric="brier", slice="", windows=7, rise=0.1),
        Sensitivity(metric="error", slice="origin=EWR", windows=30, rise=None),
    )
    baseline = (
        BaselineScore(
            level="page",
            watch="brier",
            slice="",
            mean=0.146,
            deviation=0.053,
            tolerance=1 / 3,
            windows=90,
            cycle="week",
            gain=4 / 3,
        ),
    )
    store.deployments.save_sensitivity(deployment, sensitivity[:1])
    store.deployments.save_sensitivity(deployment, sensitivity)
    store.deployments.save_baseline(deployment, baseline)
    assert store.deployments.sensitivity(deployment) == sensitivity
    assert store.deployments.baseline(deployment) == baseline


def test_an_unknown_deployment_is_refused(store: Store, window: MakeWindow) -> None:
    for use in (
        lambda: store.deployments.read(9),
        lambda: store.deployments.sensitivity(9),
        lambda: store.deployments.save_baseline(9, ()),
        lambda: commit(store, 9, window(0)),
        lambda: store.leases.take(9, "me", APRIL, 60),
    ):
        with pytest.raises(BadInput, match="No such deployment"):
            use()


def test_the_code_of_metrics_is_kept(store: Store, deployment_record: DeploymentRecord) -> None:
    codes = (MetricCode(name="missed", function="own:missed", digest="ab" * 32),)
    number = store.find_or_create(replace(deployment_record, settings_digest="ef" * 32, metrics=codes))
    assert store.deployments.read(number).metrics == codes
    assert store.deployments.read(store.find_or_create(deployment_record)).metrics == ()


def test_states_are_replaced_in_place_and_only_those_that_changed(store: Store, deployment: int) -> None:
    def changed(states: dict[StateName, str]) -> int:
        with store.transactions.writing(deployment) as connection:
            before = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
            deployments.write_states(connection, deployment, states)
            return int(connection.exec_driver_sql("SELECT total_changes()").scalar_one() - before)

    assert changed({"page": "a", "notice": "b"}) == 2
    assert changed({"page": "a", "notice": "c", "awaited": "d"}) == 2
    assert changed({"page": "a"}) == changed({}) == 0
    assert store.deployments.states(deployment) == {"page": "a", "notice": "c", "awaited": "d"}
