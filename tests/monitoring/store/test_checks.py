"""What the last complete run left, read with and without SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring.records import IncidentAction, IncidentRecord, WindowRecord
from monitoring.store import Store
from monitoring.store.checks import Check, IdleDeployment, plain_database
from monitoring.store.checks import read_idle as read_idle_of
from monitoring.store.checks import touch as touch_in

APRIL = datetime(2013, 4, 1, 12, 30, 0, 5, tzinfo=UTC)
CHECK = Check(checked_at=APRIL, next_due_at=APRIL + timedelta(days=1), inputs="abc", traffic_state="def")


def read_idle(url: str, name: str, now: datetime) -> tuple[IdleDeployment, ...]:
    with plain_database(url) as database:
        return () if database is None else read_idle_of(database, name, now)


def touch(url: str, name: str, numbers: tuple[int, ...], now: datetime) -> bool:
    with plain_database(url) as database:
        return database is not None and touch_in(database, name, numbers, now)


def test_a_check_comes_back_and_is_read_by_the_short_way_too(
    url: str, store: Store, deployment: int, window: Callable[..., WindowRecord], incident: IncidentRecord
) -> None:
    assert store.deployments.check(deployment) == Check()
    assert len(read_idle(url, "flights", APRIL)) == 1
    store.commit_window(deployment, window(0), states={}, label_cursor={}, incidents=(incident,))
    store.deployments.save_check(deployment, CHECK)
    assert store.deployments.check(deployment) == CHECK
    assert read_idle(url, "flights", APRIL) == (
        IdleDeployment(
            number=deployment,
            check=CHECK,
            judged_until=window(0).end,
            open_pages=1,
            unacknowledged_pages=1,
            pending=1,
            label_cursor="{}",
            numbers=(deployment,),
        ),
    )
    for until, heard in ((APRIL + timedelta(hours=1), 0), (APRIL + timedelta(hours=3), 0), (None, 0), (APRIL, 1)):
        snooze = IncidentAction(at=APRIL, by="operator", kind="snooze", until=until, until_worse=until is None)
        store.incidents.act(deployment, 1, snooze)
        [found] = read_idle(url, "flights", APRIL + timedelta(minutes=1))
        assert (found.open_pages, found.unacknowledged_pages, found.pending) == (1, heard, heard)
    assert read_idle(url, "trains", APRIL) == ()
    later = APRIL + timedelta(hours=1)
    store.monitors.ended("flights", APRIL, error="No traffic.")
    assert touch(url, "flights", (deployment,), later)
    assert store.deployments.check(deployment).checked_at == later
    monitor = store.monitors.get("flights")
    assert monitor is not None
    assert (monitor.succeeded_at, monitor.failures, monitor.error) == (later, 0, "")
    store.deployments.retire(deployment, later, retired_as="not serving")
    assert read_idle(url, "flights", APRIL) == ()


@pytest.mark.parametrize("content", [b"", b"not a database, but a text that is long enough to be looked at"])
def test_what_is_no_store_of_this_release_is_left_to_the_long_way(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.db"
    assert read_idle(f"sqlite:///{path}", "flights", APRIL) == ()
    path.write_bytes(content)
    assert read_idle(f"sqlite:///{path}", "flights", APRIL) == ()
    assert not touch(f"sqlite:///{path}", "flights", (1,), APRIL)
    assert path.read_bytes() == content
    assert read_idle("postgresql+psycopg://user:secret@127.0.0.1:1/db", "flights", APRIL) == ()


def test_before_the_next_window_can_be_due_new_traffic_changes_nothing() -> None:
    early = {"inputs": "abc", "traffic_state": "grown", "now": APRIL + timedelta(hours=23)}
    assert CHECK.nothing_due(**early)  # type: ignore[arg-type]  # a test names the fields by keyword
    late = early | {"now": APRIL + timedelta(days=1)}
    assert not CHECK.nothing_due(**late)  # type: ignore[arg-type]  # as above
    assert CHECK.nothing_due(**late | {"traffic_state": "def"})  # type: ignore[arg-type]  # as above
    assert not CHECK.nothing_due(**late | {"traffic_state": ""})  # type: ignore[arg-type]  # as above
