"""Live rows and labels of a database: the same evidence as of files, read within bounds, and no row without need."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from monitoring.baseline.folder import load_baseline
from monitoring.baseline.predictions import Predictions
from monitoring.config import MonitorConfig, load_config
from monitoring.errors import BadInput, CannotRun
from monitoring.inspection.status import status
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.records import MonitorStatus
from monitoring.runs.backfill import BackfillRequest, WindowRange, backfill
from monitoring.runs.idle import idle_deployment
from monitoring.runs.run import run_due_windows
from monitoring.sources import database_rows
from monitoring.sources.read_scope import EVERYTHING, ReadScope
from monitoring.sources.traffic import open_traffic
from monitoring.store.store import Store
from monitoring.traffic.remote.sql_query import SqlQuery, query_to_parquet
from monitoring.traffic.windows import Window
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


def opened(config: MonitorConfig, now: datetime, scope: ReadScope = EVERYTHING) -> TrafficSource:
    """The traffic of a config, as its jobs read it."""
    assert config.model.baseline is not None
    return open_traffic(config, load_baseline(config.model.baseline), None, clock=lambda: now, scope=scope)


def read(traffic: TrafficSource) -> tuple[list[Predictions], pa.Table]:
    """The rows of each day, and all labels."""
    days = [LIVE + timedelta(days=day) for day in range(6)]
    rows = [traffic.read(Window(start=day, end=day + timedelta(days=1)))[0] for day in days]
    return rows, traffic.latest_labels().sort_by("prediction_id")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_rows_and_labels_of_a_database_are_those_of_files(
    watched: Watched, tmp_path: Path, request: pytest.FixtureRequest, database: str
) -> None:
    pq.write_table(ROWS.drop_columns(["y", "known_at"]), tmp_path / "rows.parquet")
    pq.write_table(ROWS.select(["id", "y", "known_at"]), tmp_path / "labels.parquet")
    lines = f'path = "{tmp_path}/rows.parquet"\nlabels = "{tmp_path}/labels.parquet"'
    url = sqlite_url(tmp_path) if database == "sqlite" else request.getfixturevalue("postgresql")
    fill(url)
    now = LIVE + timedelta(days=6)
    files, labels = read(opened(configured(watched, tmp_path / "files", lines), now))
    found, same = read(opened(from_database(watched, tmp_path / "m", url), now))
    assert [len(day) for day in found] == [60] * 6
    assert same == labels
    assert labels.num_rows > 300
    for mine, theirs in zip(found, files, strict=True):
        assert mine.ids == theirs.ids
        assert np.array_equal(mine.event_times, theirs.event_times)
        assert np.array_equal(mine.probabilities, theirs.probabilities)
        assert mine.features == theirs.features


def test_queries_are_bounded_by_what_is_of_interest(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Mapping[str, datetime]] = []

    def noted(query: SqlQuery, target: Path, **others: Any) -> int:
        asked.append(query.bounds)
        return query_to_parquet(query, target, **others)

    monkeypatch.setattr(database_rows, "query_to_parquet", noted)
    fill(sqlite_url(tmp_path))
    config, day = from_database(watched, tmp_path / "m", sqlite_url(tmp_path)), timedelta(days=1)
    opened(config, LIVE)
    assert asked == [{"start": database_rows.FIRST, "end": LIVE + 2 * day}] * 2
    late = opened(config, LIVE, ReadScope(since=LIVE + 4 * day, new_since=LIVE + 5 * day, job=True))
    assert asked[2:] == [{"start": LIVE + 3 * day, "end": LIVE + 2 * day}] * 2
    folders = set(Path(tempfile.gettempdir()).glob(".pitfalls-*/contents/query.parquet"))
    del late
    gc.collect()
    assert len(set(Path(tempfile.gettempdir()).glob(".pitfalls-*/contents/query.parquet"))) < len(folders)


@pytest.mark.slow
def test_runs_over_a_database_come_to_the_evidence_of_files_and_ask_for_nothing_without_need(
    watched: Watched, right: MonitorStatus, tmp_path: Path, postgresql: str
) -> None:
    fill(postgresql)
    assert looks(from_database(watched, tmp_path / "first" / "m", postgresql)) == right
    fill(sqlite_url(tmp_path))
    config = from_database(watched, tmp_path / "m", sqlite_url(tmp_path))
    assert looks(config) == right
    last = LIVE + timedelta(days=LOOKS[-1])
    (tmp_path / "scores.db").unlink()
    assert idle_deployment(config, last + timedelta(hours=23)) is not None
    assert idle_deployment(config, last + timedelta(hours=31)) is None
    with pytest.raises(CannotRun, match="no such database"):
        run(config, last + timedelta(hours=31))


def test_days_without_rows_and_inputs_without_values_are_no_change_of_type(watched: Watched, tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    fill(url)
    with closing(sqlite3.connect(tmp_path / "scores.db")) as connection, connection:
        connection.execute("UPDATE scores SET temp = NULL, origin = NULL")
        connection.execute("DELETE FROM truths")
    config = from_database(watched, tmp_path / "m", url)
    nothing = opened(config, LIVE - timedelta(days=9))
    assert (nothing.spans(timedelta(days=1)), nothing.source_findings) == ((), ())
    rows, labels = read(opened(config, LIVE + timedelta(days=6)))
    assert ([len(day) for day in rows], labels.num_rows) == ([60] * 6, 0)
    assert {name for day in rows for name, _ in day.problems} == set()


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
        opened(config, LIVE + timedelta(days=2))


def test_the_password_comes_from_the_environment_and_is_not_shown(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCORES_PASSWORD", "hush-hush")
    url = "postgresql+pg8000://reader@127.0.0.1:1/scores"
    lines = f'path = "{url}"\npassword_env = "SCORES_PASSWORD"\nquery = "{QUERY}"'
    config = configured(watched, tmp_path / "m", lines)
    with pytest.raises(CannotRun, match=r"could not be run.*127\.0\.0\.1:1/scores") as raised:
        opened(config, LIVE)
    assert "hush" not in f"{raised.value!r}{raised.value.__cause__}{config!r}"


def test_a_disk_without_room_for_the_copy_is_an_error_with_the_fix(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(sqlite_url(tmp_path))
    config = from_database(watched, tmp_path / "m", sqlite_url(tmp_path))

    def full(*_: object, **__: object) -> int:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(database_rows, "query_to_parquet", full)
        with pytest.raises(CannotRun, match=r"cannot be copied.*No space left.*TMPDIR"):
            opened(config, LIVE)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(CannotRun, match=r"cannot be copied.*gone: No such file"):
        opened(config, LIVE)


@pytest.mark.parametrize("server", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def test_a_backfill_keeps_its_lease_while_the_database_answers_slowly(
    watched: Watched, tmp_path: Path, server: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = sqlite_url(tmp_path) if server == "sqlite" else request.getfixturevalue("postgresql")
    fill(url)
    waits = "pg_sleep(0.5) IS NOT NULL" if server == "postgresql" else SLOW.format("LIMIT 2000000")
    config = from_database(watched, tmp_path / "m", url, QUERY.replace("ORDER BY", f"AND (SELECT {waits}) ORDER BY"))
    monkeypatch.setattr("monitoring.traffic.remote.sql_query.MEANWHILE_SECONDS", 0.05)
    clock = (LIVE + timedelta(days=4, seconds=15 * step) for step in itertools.count())  # beyond a tenth of a lease
    with Store.open(config.store.url) as store:

        def waited_for(*arguments: Any, **others: Any) -> TrafficSource:
            before = [one.expires_at for one in store.leases.read()]
            traffic = open_traffic(*arguments, **others)
            renewed.append([one.expires_at for one in store.leases.read()] > before)
            return traffic

        renewed: list[bool] = []
        monkeypatch.setattr("monitoring.runs.run.open_traffic", waited_for)
        asked = WindowRange(start=LIVE, end=LIVE + timedelta(days=2), by="ada")
        backfill(config, store, BackfillRequest(windows=asked), clock=lambda: next(clock))
        assert store.leases.read() == ()
    assert renewed == [True, True], "to see what is due, and to judge it"


#: A condition that takes SQLite long, or for ever.
SLOW = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n {}) SELECT count(*) FROM n) > 0"


def test_what_a_process_that_was_killed_during_a_query_had_copied_is_deleted_by_the_next(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(sqlite_url(tmp_path))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    endless = QUERY.replace("ORDER BY", f"AND {SLOW.format('')} ORDER BY")
    config = from_database(watched, tmp_path / "endless", sqlite_url(tmp_path), endless)
    child = os.fork()
    if not child:
        opened(config, LIVE)
        os._exit(0)
    while not (left := list((tmp_path / "tmp").glob(".pitfalls-*/contents/.query-*"))):
        assert os.waitpid(child, os.WNOHANG) == (0, 0)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert left[0].is_dir()
    traffic = opened(from_database(watched, tmp_path / "m", sqlite_url(tmp_path)), LIVE)
    assert not left[0].exists()
    assert len(list((tmp_path / "tmp").iterdir())) == 1
    del traffic
    gc.collect()
    assert list((tmp_path / "tmp").iterdir()) == []
