"""A PostgreSQL server that hangs keeps no scrape waiting, and looks like one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitoring.config.files import read_files
from monitoring.dashboard.overview.endpoints import readiness
from monitoring.dashboard.overview.metrics import read_metrics
from monitoring.dashboard.stores.named_store import named_stores
from monitoring.dashboard.stores.stores import Stores
from monitoring.errors import CannotRun
from monitoring.store import checks, opening
from monitoring.store.checks import plain_database, read_idle, touch
from monitoring.store.store import Store
from tests.dashboard_store import NOW, fill
from tests.postgresql_server import PostgresqlServer, started_postgresql

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    with started_postgresql() as started:
        with Store.open(started.url_by("psycopg")) as store:
            fill(store, "flights")
            fill(store, "parcels", page=False)
        yield started


@pytest.fixture
def stores(server: PostgresqlServer, tmp_path: Path) -> Iterator[Stores]:
    text = '[model]\nbundle = "models/flights"\n[traffic]\npath = "traffic"\n'
    (tmp_path / "monitor.toml").write_text(f'{text}[store]\nurl = "{server.url_by("psycopg")}"\n')
    files = read_files([tmp_path / "monitor.toml"])
    found = Stores(stores=named_stores(files), files=files, clock=lambda: NOW)
    yield found
    for named in found.stores:
        named.close()


def test_a_frozen_server_is_unreadable_and_its_deployments_stay_on_the_page(
    server: PostgresqlServer, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_ANSWER_SECONDS", 3.0)
    opened = Store.open(server.url_by("psycopg"), make=False)
    opened.deployments.all()  # connects
    before = read_metrics(stores)
    assert "pitfalls_unreadable_configs 0.0" in before
    server.signal(signal.SIGSTOP)
    try:
        frozen = read_metrics(stores)
        assert "pitfalls_unreadable_configs 1.0" in frozen
        assert frozen.count("pitfalls_unacknowledged_page{") == before.count("pitfalls_unacknowledged_page{") == 2
        ready, words = readiness(stores)
        assert (ready, "unreadable: 1" in words) == (False, True)
        with pytest.raises(CannotRun, match=r"has not answered for 3 s|timeout expired"):
            opened.deployments.all()
    finally:
        server.signal(signal.SIGCONT)
        opened.close()
    stores.stores[0].close()
    assert "pitfalls_unreadable_configs 0.0" in read_metrics(stores)


@pytest.mark.parametrize("driver", ["psycopg", "pg8000"])
def test_a_run_with_nothing_to_do_asks_the_server_without_sqlalchemy(server: PostgresqlServer, driver: str) -> None:
    url = server.url_by(driver)
    with Store.open(url, make=False) as store, plain_database(url) as database:
        assert isinstance(database, checks._PostgreSQL)
        [record, *_] = store.deployments.all()
        assert record.number is not None
        [found] = read_idle(database, record.called, NOW)
        assert (found.number, found.open_pages) == (record.number, 1)
        store.monitors.ended(record.called, NOW, error="No traffic.")
        assert touch(database, record.called, found.numbers, NOW)
        assert store.deployments.check(record.number).checked_at == NOW
        monitor = store.monitors.get(record.called)
        assert monitor is not None
        assert (monitor.error, monitor.succeeded_at) == ("", NOW)
