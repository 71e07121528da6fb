from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy.exc import StatementError

from monitoring.errors import BadInput, CannotRun
from monitoring.records import BaselineScore, IncidentRecord, Sensitivity, WindowRecord
from monitoring.store import DeploymentRecord, Store

APRIL = datetime(2013, 4, 1, tzinfo=UTC)
MakeWindow = Callable[..., WindowRecord]


def commit(store: Store, deployment: int, window: WindowRecord, *incidents: IncidentRecord) -> None:
    store.commit_window(
        deployment, window, states={"page": f"after {window.start}"}, label_cursor={"segment": 7}, incidents=incidents
    )


def test_a_deployment_is_made_once_and_found_again(store: Store, deployment_record: DeploymentRecord) -> None:
    number = store.deployment(deployment_record)
    later = replace(deployment_record, created_at=APRIL + timedelta(days=9))
    assert store.deployment(later) == number
    assert store.deployments() == (deployment_record,)
    assert store.deployment_record(number) == deployment_record


def test_another_version_or_other_settings_are_another_deployment(
    store: Store, deployment_record: DeploymentRecord
) -> None:
    others = [replace(deployment_record, version=2), replace(deployment_record, settings_digest="cd" * 32)]
    numbers = {store.deployment(record) for record in [deployment_record, *others]}
    assert len(numbers) == 3
    assert store.deployments() == (deployment_record, *others)


def test_the_latest_deployment_is_the_one_used_last(store: Store, deployment_record: DeploymentRecord) -> None:
    assert store.latest() is None
    first = store.deployment(deployment_record)
    second = store.deployment(replace(deployment_record, version=2, created_at=APRIL + timedelta(days=1)))
    other = store.deployment(replace(deployment_record, model="digits", created_at=APRIL + timedelta(days=2)))
    assert (store.latest(), store.latest("flights"), store.latest("none")) == (other, second, None)
    store.deployment(replace(deployment_record, created_at=APRIL + timedelta(days=3)))
    assert store.latest("flights") == first


def test_before_the_first_window_there_is_nothing(store: Store, deployment: int) -> None:
    assert store.last_window(deployment) is None
    assert store.level_states(deployment) == {}
    assert store.windows(deployment) == ()
    assert store.incidents(deployment) == ()
    assert store.sensitivity(deployment) == ()
    assert store.baseline(deployment) == ()


def test_a_window_comes_back_from_another_process_s_point_of_view(
    store: Store, url: str, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0))
    commit(store, deployment, window(1, scores=0), incident)
    with Store.open(url) as other:
        assert other.windows(deployment) == (window(0), window(1, scores=0))
        assert other.windows(deployment, scores=False) == (window(0, scores=0), window(1, scores=0))
        last = other.last_window(deployment)
        assert last is not None
        assert (last.record, last.label_cursor) == (window(1, scores=0), {"segment": 7})
        assert other.level_states(deployment) == {"page": f"after {window(1).start}"}
        assert other.incidents(deployment) == (incident,)


def test_states_are_replaced_by_level(store: Store, deployment: int, window: MakeWindow) -> None:
    store.commit_window(deployment, window(0), states={"page": "p0", "notice": "n0"}, label_cursor={}, incidents=())
    store.commit_window(deployment, window(1), states={"page": "p1"}, label_cursor={}, incidents=())
    store.commit_window(deployment, window(2), states={}, label_cursor={}, incidents=())
    assert store.level_states(deployment) == {"page": "p1", "notice": "n0"}


@pytest.mark.parametrize("day", [0, 1, 0.5], ids=["the first again", "the last again", "between the two"])
def test_a_window_is_judged_once_and_in_order(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord, day: float
) -> None:
    commit(store, deployment, window(0))
    commit(store, deployment, window(1))
    states, windows = store.level_states(deployment), store.windows(deployment)
    with pytest.raises(CannotRun, match="judged already"):
        commit(store, deployment, window(day), incident)
    assert (store.level_states(deployment), store.windows(deployment)) == (states, windows)
    assert store.incidents(deployment) == ()


def test_deployments_do_not_share_windows(
    store: Store, deployment: int, deployment_record: DeploymentRecord, window: MakeWindow, incident: IncidentRecord
) -> None:
    other = store.deployment(replace(deployment_record, version=2))
    commit(store, deployment, window(0), incident)
    commit(store, other, window(0, scores=3))
    assert store.windows(deployment) == (window(0),)
    assert store.windows(other) == (window(0, scores=3),)
    assert store.incidents(other) == ()


def test_a_commit_that_fails_at_its_end_leaves_nothing(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    naive = replace(incident, opened_at=datetime(2013, 4, 1))  # noqa: DTZ001 (a time without a zone is the point)
    with pytest.raises(StatementError, match="without a zone"):
        commit(store, deployment, window(0), naive)
    assert store.windows(deployment) == ()
    assert store.level_states(deployment) == {}


def test_nan_is_refused_and_nothing_is_kept(store: Store, deployment: int, window: MakeWindow) -> None:
    with pytest.raises(ValueError, match="NaN"):
        commit(store, deployment, replace(window(0), page_log_evidence=float("nan")))
    scores = (replace(window(0).scores[0], value=float("nan")),)
    with pytest.raises(ValueError, match="NaN"):
        commit(store, deployment, replace(window(0), scores=scores))
    assert store.windows(deployment) == ()


def test_times_come_back_in_utc(store: Store, deployment: int, window: MakeWindow) -> None:
    zone = timezone(timedelta(hours=-4))
    local = replace(window(0), start=APRIL.astimezone(zone), end=(APRIL + timedelta(hours=1)).astimezone(zone))
    commit(store, deployment, local)
    (stored,) = store.windows(deployment)
    assert stored == local
    assert (stored.start.tzinfo, stored.end.tzinfo) == (UTC, UTC)


def test_incidents_are_replaced_by_number(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), incident)
    closed = replace(incident, state="closed", closed_at=APRIL + timedelta(days=2), recovery="done")
    second = replace(incident, number=2, opened_at=APRIL + timedelta(days=3))
    commit(store, deployment, window(1), closed, second)
    assert store.incidents(deployment) == (closed, second)


def test_an_incident_is_acknowledged_once(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), incident)
    at = APRIL + timedelta(days=1, hours=8)
    acknowledged = store.acknowledge(deployment, 1, at)
    assert acknowledged == replace(incident, state="acknowledged", acknowledged_at=at)
    assert store.acknowledge(deployment, 1, at + timedelta(hours=1)) == acknowledged
    assert store.incidents(deployment) == (acknowledged,)


def test_a_recovering_incident_that_is_acknowledged_goes_on_recovering(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0), replace(incident, state="recovering"))
    assert store.acknowledge(deployment, 1, APRIL).state == "recovering"


def test_what_cannot_be_acknowledged_is_told(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    with pytest.raises(BadInput, match="there are no incidents"):
        store.acknowledge(deployment, 1, APRIL)
    commit(store, deployment, window(0), replace(incident, state="closed"))
    with pytest.raises(BadInput, match="is closed"):
        store.acknowledge(deployment, 1, APRIL)
    with pytest.raises(BadInput, match="one of: 1"):
        store.acknowledge(deployment, 2, APRIL)
    with pytest.raises(BadInput, match="No such deployment"):
        store.acknowledge(deployment + 1, 1, APRIL)


@pytest.mark.parametrize(
    ("judged", "kept"), [("open", "acknowledged"), ("recovering", "recovering"), ("closed", "closed")]
)
def test_a_job_that_did_not_know_of_an_acknowledgement_does_not_undo_it(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord, judged: str, kept: str
) -> None:
    commit(store, deployment, window(0), incident)
    store.acknowledge(deployment, 1, APRIL)
    commit(store, deployment, window(1), replace(incident, state=judged))  # type: ignore[arg-type]  # from a list
    (stored,) = store.incidents(deployment)
    assert (stored.state, stored.acknowledged_at) == (kept, APRIL)


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
    store.save_sensitivity(deployment, sensitivity[:1])
    store.save_sensitivity(deployment, sensitivity)
    store.save_baseline(deployment, baseline)
    assert store.sensitivity(deployment) == sensitivity
    assert store.baseline(deployment) == baseline


def test_an_unknown_deployment_is_told(store: Store, window: MakeWindow) -> None:
    for use in (
        lambda: store.deployment_record(9),
        lambda: store.sensitivity(9),
        lambda: store.save_baseline(9, ()),
        lambda: commit(store, 9, window(0)),
        lambda: store.lease(9, "me", APRIL, 60),
    ):
        with pytest.raises(BadInput, match="No such deployment"):
            use()


def test_a_store_that_breaks_while_open_says_so(store: Store, deployment: int, tmp_path: Path) -> None:
    store.close()
    (tmp_path / "pitfalls.db").write_bytes(b"no longer a database" * 1000)
    with pytest.raises(CannotRun, match=r"cannot be used.*not a database"):
        store.windows(deployment)
