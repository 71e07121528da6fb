"""Rows that stay where they are, judged end to end: the store says what it says of a file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from monitoring.config import MonitorConfig, load_config
from monitoring.errors import BadInput, InvalidSettings
from monitoring.inspection.status import status
from monitoring.notebook.frames import stored
from monitoring.runs.run import NO_SERVICES, ExternalServices, run_due_windows
from monitoring.sources.engine_sources import experimental_database
from monitoring.store.store import Store
from tests.monitoring.engines.engine_runs import END, Records, hostile_rows, same
from tests.own_table import Watched, watch
from tests.postgresql_server import started_postgresql

QUERY = "SELECT * FROM live WHERE ts >= :start AND ts < :end"

#: Makes all windows others.
MOVED = "UPDATE live SET temp = temp + 100"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    return watch(tmp_path_factory.mktemp("watched"))


def judged(
    config: MonitorConfig,
    services: ExternalServices = NO_SERVICES,
    *,
    before_window: Callable[[], object] = lambda: None,
) -> Records:
    """Judge what is due.

    Args:
        before_window: Called before each window, once ids and answers are copied.
    """
    with Store.open(config.store.url) as store:
        stop = lambda: before_window() is ...  # noqa: E731 - goes on, whatever was done
        done = run_due_windows(config, store, clock=lambda: END, services=services, stop=stop)
        found = status(store, config.name, done.deployment)
    return Records(windows=found.windows, incidents=found.incidents)


def config_in(watched: Watched, folder: Path, extra: str = "", traffic: str = "") -> MonitorConfig:
    shutil.copytree(watched.adopted.config.parent, folder / "flights")
    path = folder / "flights/monitor.toml"
    text = path.read_text("utf-8").replace("[traffic]\n", f"[traffic]\n{traffic}")
    path.write_text(text + extra, "utf-8")
    return load_config(path)


@pytest.fixture(scope="module")
def expected(watched: Watched, tmp_path_factory: pytest.TempPathFactory) -> Records:
    folder = tmp_path_factory.mktemp("expected")
    pq.write_table(hostile_rows(24), folder / "live.parquet")
    config = config_in(watched, folder)
    return judged(config.model_copy(update={"traffic": config.traffic.with_path(folder / "live.parquet")}))


def database(folder: Path) -> Path:
    path = folder / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.register("given", hostile_rows(24))
        connection.execute("CREATE TABLE live AS SELECT * FROM given")
    return path


def test_a_query_is_summed_up_in_the_database(watched: Watched, expected: Records, tmp_path: Path) -> None:
    place = f'path = "duckdb:///{database(tmp_path)}"\nquery = "{QUERY}"\n'
    same(expected, judged(config_in(watched, tmp_path, '\n[engine]\nkind = "sql"\n', place)))


def test_a_query_is_summed_up_in_postgresql(watched: Watched, expected: Records, tmp_path: Path) -> None:
    rows = hostile_rows(24)
    kinds = {"id": "text", "ts": "timestamptz", "origin": "text", "y": "text", "known_at": "timestamptz"}
    columns = ", ".join(f'"{name}" {kinds.get(name, "float4")}' for name in rows.column_names)
    with started_postgresql() as server:
        url = server.url_by("psycopg")
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE TABLE live ({columns})")
            marks = ", ".join(f":{name}" for name in rows.column_names)
            connection.execute(sa.text(f"INSERT INTO live VALUES ({marks})"), rows.to_pylist())  # noqa: S608 - names of columns
        place = f'path = "{url}"\nquery = "{QUERY}"\n'
        config = config_in(watched, tmp_path, '\n[engine]\nkind = "sql"\n', place)

        def move() -> None:
            with engine.begin() as connection:
                connection.exec_driver_sql(MOVED)

        same(expected, judged(config, before_window=move))  # rows that change while a run reads them
        with engine.connect() as connection:
            open_still = "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid()"
            assert connection.exec_driver_sql(open_still).scalar() == 0
        engine.dispose()


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("mysql+pymysql://reader@127.0.0.1/scores", "does not know how this database sums"),
        ("snowflake://reader@account/scores", "no URL of a database that can be opened"),
    ],
)
def test_a_database_that_cannot_sum_is_one_error(watched: Watched, place: str, words: str, tmp_path: Path) -> None:
    traffic = f'path = "{place}"\nquery = "{QUERY}"\n'
    with pytest.raises(BadInput, match=words):
        judged(config_in(watched, tmp_path, '\n[engine]\nkind = "sql"\n', traffic))


@pytest.mark.parametrize(
    ("place", "kind", "name"),
    [
        ("snowflake://reader@account/scores", "sql", "Snowflake"),
        ("bigquery://project/scores", "sql", "BigQuery"),
        ("databricks://token@host/scores", "sql", "Databricks"),
        ("databricks://token@host/scores", "local", None),
        ("postgresql+psycopg://reader@127.0.0.1/scores", "sql", None),
        ("mysql+pymysql://reader@127.0.0.1/scores", "sql", None),
    ],
)
def test_databases_on_which_no_statement_was_run_are_experimental(
    watched: Watched, place: str, kind: str, name: str | None, tmp_path: Path
) -> None:
    traffic = f'path = "{place}"\nquery = "{QUERY}"\n'
    config = config_in(watched, tmp_path, f'\n[engine]\nkind = "{kind}"\n', traffic)
    assert experimental_database(config) == name


def test_a_relation_of_the_users_own_session_is_judged(watched: Watched, expected: Records, tmp_path: Path) -> None:
    connection = duckdb.connect(str(database(tmp_path)), read_only=True)
    same(expected, judged(config_in(watched, tmp_path), ExternalServices(live=connection.table("live"))))


@pytest.mark.parametrize("own", [False, True], ids=["no transaction", "the user's transaction"])
def test_rows_of_a_relation_that_change_while_a_run_reads_them_are_judged_as_they_were(
    watched: Watched, expected: Records, own: bool, tmp_path: Path
) -> None:
    connection = duckdb.connect(str(database(tmp_path)))
    if own:
        connection.begin()
    relation, other = connection.table("live"), connection.cursor()
    services = ExternalServices(live=relation)
    same(expected, judged(config_in(watched, tmp_path), services, before_window=lambda: other.execute(MOVED)))
    if own:
        connection.commit()
    connection.execute(MOVED)  # the session is in no transaction that was begun before the other's


def test_a_relation_is_not_copied_by_what_needs_a_file(tmp_path: Path) -> None:
    relation: Any = duckdb.connect(str(database(tmp_path)), read_only=True).table("live")
    with pytest.raises(BadInput, match="not copied here"):
        stored(relation, tmp_path / "live.parquet", event_time="ts", ids="id")


def test_the_engine_sql_needs_a_query(watched: Watched, tmp_path: Path) -> None:
    pq.write_table(hostile_rows(24), tmp_path / "live.parquet")
    config = config_in(watched, tmp_path, '\n[engine]\nkind = "sql"\n')
    config = config.model_copy(update={"traffic": config.traffic.with_path(tmp_path / "live.parquet")})
    with pytest.raises(BadInput, match="rows of a query on a database"):
        judged(config)


def test_an_unknown_engine_is_refused_with_its_line(watched: Watched, tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="engine"):
        config_in(watched, tmp_path, '\n[engine]\nkind = "flink"\n')
