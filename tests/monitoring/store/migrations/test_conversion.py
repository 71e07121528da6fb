"""Stores of before release 0.1.0 are converted as a whole, or are left as they were."""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text

from monitoring.errors import CannotRun
from monitoring.records import LegacyCause
from monitoring.sentences.incident_text import incident_text
from monitoring.store import DeploymentRecord, Store
from monitoring.store.column_types import diagnoses_of
from monitoring.store.migrations import REVISION_TABLE, latest
from monitoring.store.migrations.conversion import FORMER
from monitoring.store.tables import metadata
from tests.monitoring.store.migrations.earlier_stores import check_outbox, earlier_store
from tests.postgresql_server import PostgresqlServer, started_postgresql

#: Words of earlier documents, and those of today.
WORDS = {"account": "interval_checks", "log_doubt": "log_capital", "settled": "realised_losses", "memories": "ar1"}

#: Columns of an incident that were sentences, and what they became.
TYPED = frozenset({"cause", "message", "diagnoses", "consequence_of"})

NUMBER = re.compile(r"-?(0x[01]\.[0-9a-f]+p[+-]\d+|inf)")

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    with started_postgresql() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def earlier(request: pytest.FixtureRequest, url: str) -> Iterator[str]:
    """The last store of before release 0.1.0, with rows in every table."""
    if request.param == "sqlite":
        earlier_store(url, "0028")
        yield url
        return
    server: PostgresqlServer = request.getfixturevalue("server")
    earlier_store(server.url, "0028")
    yield server.url_by("psycopg")
    engine = create_engine(server.url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()


def rows_of(url: str) -> Rows:
    engine = create_engine(url)
    with engine.begin() as connection:
        names = [name for name in inspect(connection).get_table_names() if name != REVISION_TABLE]
        found = {
            name: [dict(row) for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"').mappings()]  # noqa: S608 - a name of ours
            for name in names
        }
    engine.dispose()
    return {name: sorted(rows, key=lambda row: str(list(row.items())[:3])) for name, rows in found.items()}


def plain(value: Any) -> Any:
    """A stored value without the ways in which it was stored: numbers as numbers, documents with today's words."""
    if isinstance(value, memoryview):
        value = bytes(value)
    if isinstance(value, bytes):
        return plain(zlib.decompress(value).decode())
    if isinstance(value, float):
        return value + 0.0
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return float.fromhex(value) + 0.0
    if isinstance(value, str) and value[:1] in {"{", "["}:
        return plain(json.loads(value))
    if isinstance(value, dict):
        if "rows" in value and "start" in value and "losses" not in value and "verdict" not in value:
            names = ("start", "rows", "missing")
            losses = {name: total for name, total in value.items() if name not in names}
            value = {"start": value["start"], "rows": value["rows"], "missing": {}, "losses": losses}
        left = TYPED if "recovery" in value else frozenset()
        return {WORDS.get(name, name): plain(inner) for name, inner in value.items() if name not in left}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def schema(connection: Connection) -> list[str]:
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master ORDER BY name").all()
    return [f"{name} {' '.join((sql or '').replace(chr(34), '').split())}" for name, sql in rows]


def test_every_value_of_every_row_is_there_as_it_was(earlier: str) -> None:
    before = rows_of(earlier)
    assert all(before.values())
    Store.open(earlier).close()
    after = rows_of(earlier)
    assert plain(after) == plain(before)
    assert all(isinstance(row["value"], float | None) for row in after["score"])
    assert {type(row["page_log_evidence"]) for row in after["window"]} == {float}
    engine = create_engine(earlier)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": REVISION_TABLE})
        assert (compare_metadata(context, metadata), context.get_current_heads()) == ([], (latest(),))
    engine.dispose()


def test_incidents_say_what_they_said_in_the_words_of_then(earlier: str) -> None:
    before = {(row["deployment"], row["number"]): row for row in rows_of(earlier)["incident"]}
    with Store.open(earlier) as store:
        for (deployment, number), row in before.items():
            record = store.incidents.get(deployment, number)
            said = incident_text(record)
            assert (said.cause, said.message) == (row["cause"], row["message"])
            assert len(record.diagnoses) == 1 + row["message"].count(" Worse since: ")
            assert all(isinstance(diagnosis.cause, LegacyCause) for diagnosis in record.diagnoses)
        worse = store.incidents.get(1, 1)
        times = [event.at for event in worse.history if event.state in ("open", "worse")]
        assert [diagnosis.at for diagnosis in worse.diagnoses] == times
    checkpoints_of = {
        row["deployment"]: zlib.decompress(bytes(row["content"])) for row in rows_of(earlier)["checkpoint"]
    }
    for content in checkpoints_of.values():
        for record in json.loads(content)["incidents"]:
            assert diagnoses_of(record["diagnoses"])
            assert "cause" not in record


def test_it_is_read_and_goes_on(earlier: str, deployment_record: DeploymentRecord) -> None:
    with Store.open(earlier) as store:
        [*_, third] = store.deployments.all()
        assert third.number == 3
        [score] = store.deployments.baseline(3)
        assert (score.deviation, score.tolerance, score.gain) == (1 / 3, 0.0, float("inf"))
        assert [entry.rise for entry in store.deployments.sensitivity(3)] == [0.1, None, float("inf")]
        assert [window.page_log_evidence for window in store.windows.read(2)] == [0.0, 5e-324, float("inf")]
        assert any(window.estimates and window.realised_losses for window in store.windows.read(1))
        assert store.find_or_create(replace(deployment_record, model="new", name="new")) == 4  # numbers go on
        assert store.fleets.pages("blue")[0].members == ((2, 0.1), (1, float("inf")))


@pytest.mark.parametrize("revision", FORMER)
def test_stores_of_every_revision_become_what_a_new_one_is(url: str, revision: str) -> None:
    earlier_store(url, revision)
    if revision != "0028":
        check_outbox(url)
    with Store.open(url) as store:
        assert {record.name for record in store.deployments.all()} <= {"flights-eu", "flights", "parcels"}
        histories = [[event.state for event in incident.history] for incident in store.incidents.read(1)]
        assert histories == ([["open"]] * 4 if revision != "0028" else [["open", "worse", "worse"], ["open"]])
    for each in (url, url + ".new"):
        Store.open(each).close()
    schemas = []
    for each in (url, url + ".new"):
        engine = create_engine(each)
        with engine.connect() as connection:
            schemas.append(schema(connection))
        engine.dispose()
    assert schemas[0] == schemas[1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE score SET value = 'no number' WHERE position = 1", "a value in the table score"),
        ("UPDATE \"window\" SET estimates = '[' WHERE id = 1", "a value in the table window"),
        ("UPDATE checkpoint SET content = 'not packed'", "a value in the table checkpoint"),
    ],
)
def test_a_store_that_cannot_be_converted_is_left_whole(earlier: str, change: str, words: str) -> None:
    engine = create_engine(earlier)
    with engine.begin() as connection:
        connection.exec_driver_sql(change)
    engine.dispose()
    before = rows_of(earlier)
    with pytest.raises(CannotRun, match=f"{words}.*earlier version still reads it"):
        Store.open(earlier)
    assert rows_of(earlier) == before


def test_looking_at_it_changes_nothing(earlier: str) -> None:
    before = rows_of(earlier)
    with pytest.raises(CannotRun, match="at revision 0028; expected revision 0100"):
        Store.open(earlier, make=False)
    assert rows_of(earlier) == before


def test_an_earlier_release_that_is_at_work_still_writes_no_text_in_place_of_numbers(url: str) -> None:
    earlier_store(url, "0028")
    Store.open(url).close()
    with (
        closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection,
        pytest.raises(sqlite3.IntegrityError, match="ck_window_page_log_evidence"),
    ):
        connection.execute("""UPDATE "window" SET page_log_evidence = '0x1.8p+1'""")


def test_what_others_may_do_in_postgresql_stays(server: PostgresqlServer) -> None:
    earlier_store(server.url, "0028")
    engine = create_engine(server.url)
    with engine.begin() as connection:
        connection.exec_driver_sql('CREATE ROLE "a reader"')
        connection.exec_driver_sql('GRANT SELECT ON score TO "a reader"')
        connection.exec_driver_sql("GRANT SELECT ON incident TO PUBLIC")
    Store.open(server.url).close()
    with engine.begin() as connection:
        rights = text("SELECT has_table_privilege('a reader', :name, 'SELECT')")
        granted = {
            name: connection.execute(rights, {"name": f'"{name}"'}).scalar()
            for name in inspect(connection).get_table_names()
        }
        assert sorted(name for name in granted if granted[name]) == ["incident", "score"]
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
        connection.exec_driver_sql('DROP ROLE "a reader"')
    engine.dispose()
