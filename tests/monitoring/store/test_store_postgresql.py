"""The same store on PostgreSQL: a private server on this machine, where one is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from monitoring.errors import AnotherRun, CannotRun
from monitoring.records import (
    BaselineScore,
    IncidentEvent,
    IncidentRecord,
    RunRecord,
    WatchKey,
    WindowAttempt,
    WindowRecord,
)
from monitoring.store import DeploymentRecord, Store
from monitoring.store.migrations import REVISION_TABLE
from monitoring.store.opening import open_engine
from monitoring.store.tables import metadata
from tests.monitoring.store.conftest import acknowledgement
from tests.monitoring.store.migrations.earlier_stores import check_outbox, earlier_store
from tests.monitoring.store.test_drill_results import RECORD
from tests.postgresql_server import PostgresqlServer, started_postgresql

NOW = datetime(2013, 4, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    with started_postgresql() as running:
        yield running


@pytest.fixture
def url(server: PostgresqlServer) -> Iterator[str]:
    """The server with no tables in it."""
    yield server.url
    engine = open_engine(server.url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()


def test_a_new_store_has_the_tables_of_this_code_there_too(url: str) -> None:
    engine = open_engine(url)
    with engine.connect() as connection:
        assert (
            compare_metadata(MigrationContext.configure(connection, opts={"version_table": REVISION_TABLE}), metadata)
            == []
        )
    engine.dispose()


def test_the_outbox_of_an_earlier_store_is_migrated_there_too(url: str) -> None:
    earlier_store(url)
    check_outbox(url)


def test_everything_comes_back_the_same(
    store: Store,
    url: str,
    deployment: int,
    deployment_record: DeploymentRecord,
    window: Callable[..., WindowRecord],
    incident: IncidentRecord,
) -> None:
    edges = replace(window(0, scores=150), page_log_evidence=5e-324, notice_log_evidence=1.7976931348623157e308)
    baseline = (
        BaselineScore(level="page", watch="brier", slice="", mean=0.1, deviation=1 / 3, tolerance=0.0, windows=90),
    )
    store.commit_window(deployment, edges, states={"page": "p"}, label_cursor={"s": 1}, incidents=[incident])
    actions = (acknowledgement(NOW), replace(acknowledgement(NOW), kind="snooze", until_worse=True))
    for action in actions:
        store.incidents.act(deployment, 1, action)
    store.commit_window(deployment, window(1), states={"page": "q"}, label_cursor={"s": 2}, incidents=[incident])
    store.deployments.save_baseline(deployment, baseline)
    with Store.open(url) as other:
        assert other.find_or_create(deployment_record) == deployment
        assert repr(other.windows.read(deployment)) == repr((edges, window(1)))
        assert other.deployments.states(deployment) == {"page": "q"}
        history = (*incident.history, IncidentEvent(at=NOW, state="acknowledged"))
        acknowledged = replace(incident, state="acknowledged", acknowledged_at=NOW, history=history)
        assert other.incidents.read(deployment) == (replace(acknowledged, snoozed_until_worse=True, actions=actions),)
        other.runs.save(
            other.runs.begin(deployment, RunRecord(started_at=NOW)), RunRecord(started_at=NOW, ended_at=NOW)
        )
        assert other.runs.latest(deployment) == (RunRecord(started_at=NOW, ended_at=NOW),)
        assert other.deployments.baseline(deployment) == baseline
        last = other.windows.last(deployment)
        assert last is not None
        assert last.label_cursor == {"s": 2}


def test_scores_of_a_watch_come_by_window_there_too(
    store: Store, deployment: int, window: Callable[..., WindowRecord]
) -> None:
    for day in range(3):
        store.commit_window(deployment, window(day), states={}, label_cursor={}, incidents=())
    wanted = next(one for one in window(0).scores if not one.slice)
    found = store.windows.series(deployment, {wanted.watch}, latest=2)
    known = [one.value for day in (1, 2) for one in window(day).scores if (one.watch, one.slice) == (wanted.watch, "")]
    assert found.values[WatchKey(watch=wanted.watch)].tolist() == known


def test_attempts_are_counted_there_too(store: Store, deployment: int) -> None:
    begun = WindowAttempt(start=NOW, end=NOW + timedelta(days=1), attempts=1, started_at=NOW)
    for _ in range(2):
        store.attempts.begin(deployment, begun, checkpoint=True)
    store.attempts.end(deployment, NOW, at=NOW)
    assert store.attempts.read(deployment) == (replace(begun, attempts=2, judged_at=NOW),)


def test_drills_come_back_there_too(url: str) -> None:
    with Store.open(url) as store:
        number = store.drills.save(RECORD)
        assert store.drills.latest("flights") == (replace(RECORD, number=number),)
        assert store.drills.latest("parcels") == ()


def test_windows_are_judged_once_and_leases_are_held_by_one(
    store: Store, deployment: int, window: Callable[..., WindowRecord]
) -> None:
    with store.leases.take(deployment, "one", NOW, 60), pytest.raises(CannotRun, match="lease of one"):
        store.leases.take(deployment, "two", NOW + timedelta(seconds=1), 60)
    with store.leases.take(deployment, "one", NOW, 60), pytest.raises(AnotherRun, match="lease of one"):
        store.leases.take(
            deployment, "two", NOW + timedelta(days=5_000), 60
        )  # its clock does not count, but the server's
    store.leases.take(deployment, "two", NOW, 60).release()
    store.commit_window(deployment, window(0), states={}, label_cursor={}, incidents=())
    with pytest.raises(CannotRun, match="judged already"):
        store.commit_window(deployment, window(0), states={}, label_cursor={}, incidents=())


def test_a_server_that_was_away_is_one_clear_error_and_then_used_again(
    store: Store, deployment: int, server: PostgresqlServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.stop()
    try:
        with pytest.raises(CannotRun, match="The store cannot be used"):
            store.windows.read(deployment)
    finally:
        server.start()
    assert store.windows.read(deployment) == ()
    assert caplog.text == ""
