"""Live rows and labels of a database: the same evidence as of files, read within bounds, and no row without need."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from monitoring.config import MonitorConfig, load_config
from monitoring.errors import BadInput, CannotRun
from monitoring.jobs.idle import idle_deployment
from monitoring.jobs.run import run_due_windows
from monitoring.jobs.sources import database_rows
from monitoring.jobs.status import status
from monitoring.records import MonitorStatus
from monitoring.store.store import Store
from monitoring.traffic.remote.sql_query import SqlQuery, query_to_parquet
from tests.own_table import Watched, own_rows, watch
from tests.postgresql_server import postgresql_server
from tests.small_deployment import LIVE, Days

ROWS = own_rows(Days(days=6, broken_from=3))
QUERY = "SELECT id, ts, temp, origin, on_time, late FROM scores WHERE ts >= :start AND ts < :end ORDER BY ts"
LABELS = "SELECT id, y, known_at FROM truths WHERE known_at >= :start AND known_at < :end"
#: Days after which a run looks.
LOOKS = (2, 6)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    return watch(tmp_path_factory.mktemp("watched"))


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with postgresql_server() as url:
        yield url


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/scores.db"


def fill(url: str) -> None:
    """The rows, and their labels in a table of their own; SQLite has no times, but text."""
    times = sa.Text if url.startswith("sqlite") else sa.DateTime(timezone=True)
    meta = sa.MetaData()
    numbers = [sa.Column(name, sa.Float) for name in ("temp", "on_time", "late")]
    scores = sa.Table("scores", meta, sa.Column("id", sa.Text), sa.Column("ts", times, index=True), *numbers)
    scores.append_column(sa.Column("origin", sa.Text))
    truths = sa.Table("truths", meta, sa.Column("id", sa.Text), sa.Column("y", sa.Text), sa.Column("known_at", times))
    rows = ROWS.to_pylist()
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).touch()
        rows = [
            {**row, "ts": row["ts"].isoformat(), "known_at": row["known_at"] and str(row["known_at"])} for row in rows
        ]
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        meta.drop_all(connection)
        meta.create_all(connection)
        connection.execute(scores.insert(), rows)
        connection.execute(truths.insert(), rows)
    engine.dispose()


def configured(watched: Watched, folder: Path, lines: str) -> MonitorConfig:
    """The config in a folder of its own, with other lines in place of the traffic's path."""
    shutil.copytree(watched.adopted.config.parent, folder)
    text = (folder / "monitor.toml").read_text("utf-8")
    (folder / "monitor.toml").write_text(text.replace('# path = "live/*.parquet"', lines), "utf-8")
    return load_config(folder / "monitor.toml")


def from_database(watched: Watched, folder: Path, url: str, query: str = QUERY) -> MonitorConfig:
    return configured(watched, folder, f'path = "{url}"\nquery = "{query}"\nlabels_query = "{LABELS}"')


def run(config: MonitorConfig, now: datetime) -> MonitorStatus:
    with Store.open(config.store.url) as store:
        done = run_due_windows(config, store, clock=lambda: now)
        return status(store, config.model.name, done.deployment)


def looks(config: MonitorConfig, before: Callable[[datetime], None] = lambda _: None) -> MonitorStatus:
    """What a monitor comes to that looks a few times."""
    found = []
    for day in LOOKS:
        now = LIVE + timedelta(days=day, hours=7)
        before(now)
        found.append(run(config, now))
    return found[-1]


@pytest.fixture(scope="module")
def right(watched: Watched, tmp_path_factory: pytest.TempPathFactory) -> MonitorStatus:
    """What files come to, that hold what there is at each look."""
    folder = tmp_path_factory.mktemp("files")
    config = configured(watched, folder / "m", f'path = "{folder}/rows.parquet"\nlabels = "{folder}/labels.parquet"')

    def write(now: datetime) -> None:
        pq.write_table(ROWS.filter(pc.less(ROWS["ts"], now)).drop_columns(["y", "known_at"]), folder / "rows.parquet")
        known = ROWS.filter(pc.less(ROWS["known_at"], now))
        pq.write_table(known.select(["id", "y", "known_at"]), folder / "labels.parquet")

    found = looks(config, write)
    assert [window.rows for window in found.windows] == [60] * 6
    assert sum(window.labels for window in found.windows) > 200
    assert any(incident.level == "page" for incident in found.incidents)
    return found


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, datetime]]:
    """The bounds of each query."""
    found: list[Mapping[str, datetime]] = []

    def noted(query: SqlQuery, target: Path, **others: Any) -> int:
        found.append(query.bounds)
        return query_to_parquet(query, target, **others)

    monkeypatch.setattr(database_rows, "query_to_parquet", noted)
    return found


def test_rows_of_postgresql_come_to_the_evidence_of_files(
    watched: Watched, right: MonitorStatus, tmp_path: Path, postgresql: str
) -> None:
    fill(postgresql)
    assert looks(from_database(watched, tmp_path / "m", postgresql)) == right


def test_a_run_asks_sqlite_for_the_label_horizon_and_one_with_nothing_due_for_nothing(
    watched: Watched, right: MonitorStatus, tmp_path: Path, asked: list[Mapping[str, datetime]]
) -> None:
    fill(sqlite_url(tmp_path))
    config = from_database(watched, tmp_path / "m", sqlite_url(tmp_path))
    assert looks(config) == right
    first, last, day = LIVE + timedelta(days=LOOKS[0]), LIVE + timedelta(days=LOOKS[1]), timedelta(days=1)
    assert asked[:2] == [{"start": database_rows.FIRST, "end": first + timedelta(days=2, hours=7)}] * 2
    horizon = config.windows.label_horizon
    assert asked[2:] == [{"start": first - 2 * horizon - day, "end": last + timedelta(days=2, hours=7)}] * 2
    (tmp_path / "scores.db").unlink()
    assert idle_deployment(config, last + timedelta(hours=23)) is not None
    assert idle_deployment(config, last + timedelta(hours=31)) is None
    with pytest.raises(CannotRun, match="no such database"):
        run(config, last + timedelta(hours=31))


def test_days_without_rows_and_inputs_without_values_are_windows_like_others(watched: Watched, tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    fill(url)
    with sqlite3.connect(tmp_path / "scores.db") as connection:
        connection.execute("UPDATE scores SET temp = NULL, origin = NULL")
        connection.execute("DELETE FROM truths")
    config = from_database(watched, tmp_path / "m", url)
    assert run(config, LIVE).windows == ()
    found = run(config, LIVE + timedelta(days=2, hours=7))
    assert [(window.rows, window.labels) for window in found.windows] == [(60, 0)] * 2
    kinds = {(finding.kind, finding.feature) for window in found.windows for finding in window.findings}
    assert not {kind for kind, _ in kinds} & {"type changed", "column gone"}


@pytest.mark.parametrize(
    ("query", "got"),
    [
        (QUERY.replace("id, ts", "ts"), "no column id"),
        (QUERY.replace("temp, origin", "origin AS temp"), r"temp has string, not numbers; no column origin"),
        (QUERY.replace("SELECT id, ts", "SELECT id, 1.5 AS ts"), "ts has double, not times"),
        (QUERY.replace("late FROM", "'x' AS late FROM"), "late has string, not numbers"),
    ],
)
def test_a_query_that_lacks_something_is_refused_with_all_that_it_lacks(
    watched: Watched, tmp_path: Path, query: str, got: str
) -> None:
    fill(sqlite_url(tmp_path))
    config = from_database(watched, tmp_path / "m", sqlite_url(tmp_path), query)
    with pytest.raises(BadInput, match=got):
        run(config, LIVE + timedelta(days=2, hours=7))


def test_the_password_comes_from_the_environment_and_is_not_shown(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCORES_PASSWORD", "hush-hush")
    url = "postgresql+pg8000://reader@127.0.0.1:1/scores"
    lines = f'path = "{url}"\npassword_env = "SCORES_PASSWORD"\nquery = "{QUERY}"'
    config = configured(watched, tmp_path / "m", lines)
    with pytest.raises(CannotRun, match=r"could not be run.*127\.0\.0\.1:1/scores") as raised:
        run(config, LIVE)
    assert "hush" not in f"{raised.value!r}{raised.value.__cause__}{config!r}"
