"""What a store has deleted is not in its files any more, or the erasure says so."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from monitoring.erasure.change import store_remains
from monitoring.erasure.erase import ErasureRequest, Waiting, erase, rewrite
from monitoring.erasure.store_rows import erase_rows
from monitoring.records import CauseDetail, CauseRow, IncidentRecord
from monitoring.store import DeploymentRecord, Store
from monitoring.store.column_types import detail_text
from tests.monitoring.store.conftest import APRIL
from tests.postgresql_server import PostgresqlServer, started_postgresql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitoring.records import WindowRecord

IDS = tuple(f"request-{number}:0" for number in range(40))


def rows(ids: tuple[str, ...]) -> CauseDetail:
    return CauseDetail(rows=tuple(CauseRow(prediction_id=one, event_time=APRIL, score=0.5) for one in ids))


def fill(store: Store, deployment: int, window: Callable[..., WindowRecord], incident: IncidentRecord) -> None:
    """Incidents whose rows change, as those of a monitor do in every window: the pages keep what was there before."""
    incidents = tuple(
        replace(incident, number=number + 1, detail=rows(IDS[number * 4 : number * 4 + 4])) for number in range(10)
    )
    store.commit_window(deployment, window(), states={"page": "1"}, label_cursor={"n": 1}, incidents=incidents)
    change = text("UPDATE incident SET detail = :detail WHERE number = :number")
    for turn in range(6):
        with store.transactions.engine.begin() as connection:
            for number in range(1, 11):
                ids = IDS[number : number + 3 * (turn % 4)]
                connection.execute(change, {"detail": detail_text(rows(ids)), "number": number})


def all_of_them(ids: tuple[str, ...]) -> tuple[bool, ...]:
    return tuple(one in IDS for one in ids)


def test_ids_in_the_free_space_of_pages_go(
    store: Store, deployment: int, window: Callable[..., WindowRecord], incident: IncidentRecord, tmp_path: Path
) -> None:
    fill(store, deployment, window, incident)
    erase_rows(store, all_of_them, IDS, APRIL)
    database = tmp_path / "pitfalls.db"
    assert store_remains(database, IDS), "no row has one, and the files do"
    assert rewrite(store) == ()
    assert store_remains(database, IDS) == ()
    with store.transactions.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM incident")).scalar_one() == 10


def test_a_store_that_somebody_reads_is_not_complete(
    deployment_record: DeploymentRecord, window: Callable[..., WindowRecord], incident: IncidentRecord, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/pitfalls.db?timeout=0.1"
    with Store.open(url) as store:
        fill(store, store.find_or_create(deployment_record), window, incident)
    request = ErasureRequest(root=tmp_path / "traffic", ids=IDS, by="me", store_url=url)
    (tmp_path / "traffic" / "open").mkdir(parents=True)
    waiting = Waiting(
        seconds=0, clock=lambda: datetime(2024, 5, 1, tzinfo=UTC), elapsed=lambda: 0.0, sleep=print, tell=print
    )
    with closing(sqlite3.connect(tmp_path / "pitfalls.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM incident").fetchall()
        receipt, _ = erase(request, waiting)
    assert receipt.state == "incomplete"
    assert "store: write-ahead log" in {one.what for one in receipt.unreached}
    assert any(one.what.startswith(str(tmp_path)) for one in receipt.unreached), "the bytes were looked at"
    receipt, _ = erase(request, waiting)
    assert (receipt.state, receipt.unreached) == ("complete", ())
    assert store_remains(tmp_path / "pitfalls.db", IDS) == ()


@pytest.fixture
def server() -> Iterator[PostgresqlServer]:
    with started_postgresql() as running:
        yield running


@pytest.mark.slow
def test_postgresql_writes_its_tables_anew(
    server: PostgresqlServer,
    deployment_record: DeploymentRecord,
    window: Callable[..., WindowRecord],
    incident: IncidentRecord,
) -> None:
    def in_tables() -> bool:
        with store.transactions.engine.connect() as connection:
            connection.execute(text("CHECKPOINT"))
        files = (server.folder / "data" / "base").rglob("*")
        return any(IDS[5].encode() in file.read_bytes() for file in files if file.is_file())

    with Store.open(server.url) as store:
        fill(store, store.find_or_create(deployment_record), window, incident)
        erase_rows(store, all_of_them, IDS, APRIL)
        assert in_tables()
        assert rewrite(store) == ()
        assert not in_tables()
