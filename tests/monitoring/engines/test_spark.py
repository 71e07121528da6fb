"""Spark runs the same tasks, on files and on frames, to the last bit; and says in words what it cannot do."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.config import load_config
from monitoring.engines import gathering, spark, spark_ids, spark_jobs
from monitoring.engines.codec import encoded
from monitoring.engines.engine import work_of
from monitoring.engines.partial import Partial
from monitoring.engines.recipe import Recipe
from monitoring.engines.spark import (
    SparkEngine,
    SparkRelation,
    SparkRowsEngine,
    check_java,
    check_label_log,
    check_labels_apart,
    check_server,
    is_spark_frame,
    received,
)
from monitoring.engines.spark_jobs import check_executor, collected, everywhere
from monitoring.engines.task import LocalEngine
from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.tables.extents import EventTimeRange
from monitoring.traffic.tables.repeats import IdentifiedRows, IdsHere
from monitoring.traffic.windows import Window
from tests.monitoring.engines.engine_rows import Ready, by_window, ready
from tests.monitoring.engines.engine_runs import (
    Records,
    cut,
    delta,
    hostile_rows,
    iceberg,
    one_file,
    run_in,
    same,
    windows_judged,
)
from tests.needs import missing
from tests.own_table import Watched, watch
from tests.small_deployment import LIVE
from tests.spark_cluster import spark_cluster, spark_connect

LAYOUTS = {"files at random": cut(2, files=3, group=211, shuffled=True), "delta": delta, "iceberg": iceberg}
DAYS = tuple(Window(start=LIVE + timedelta(days=day), end=LIVE + timedelta(days=day + 1)) for day in range(41))
ROOT = Path(__file__).parents[3]
GOOD = {"host": "h", "python": [3, 11], "numpy": "2.4.6", "pyarrow": "25.0.1", "pitfalls-tf": version("pitfalls-tf")}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"python": [3, 9]}, "Python 3.9, not 3.11"),
        ({"numpy": "1.26.4"}, "numpy 1.26.4, not 2"),
        ({"pyarrow": "18.1.0"}, "pyarrow 18.1.0, not 19"),
        ({"pyarrow": None}, r"pyarrow \(none\)"),
        ({"pitfalls-tf": "0.0.9"}, "pitfalls-tf 0.0.9, not"),
    ],
)
def test_an_executor_that_cannot_run_tasks_is_refused_with_its_versions(change: dict[str, Any], words: str) -> None:
    check_executor(GOOD)
    with pytest.raises(BadInput, match=words):
        check_executor(GOOD | change)


@pytest.mark.parametrize(("version_text", "refused"), [("1.8.0_402", True), ("11.0.22", True), ("17.0.10", False)])
def test_an_old_java_is_refused_before_a_session_is_started(
    version_text: str, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java = tmp_path / "bin/java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version_text}\" 2024-01-16' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    if not refused:
        check_java()
        return
    with pytest.raises(CannotRun, match="too old for Spark 4") as error:
        check_java()
    assert version_text in error.value.got


def test_a_server_of_spark_connect_that_is_not_there_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("grpc_proxy", "https_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(CannotRun, match="Nothing answers as a server of Spark Connect") as error:
            check_server(f"sc://127.0.0.1:{port}/;user_id=me")
        assert f"sc://127.0.0.1:{port}" in error.value.got
        taken.listen()
        check_server(f"sc://127.0.0.1:{port}")


def test_a_label_log_that_goes_with_the_cluster_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    local = Path("/databricks/driver/label-log")
    check_label_log(local)
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "17.3")
    check_label_log(Path("/Volumes/main/monitors/label-log"))
    with pytest.raises(BadInput, match="goes with the cluster"):
        check_label_log(local)


def test_labels_apart_that_are_too_many_for_executors_are_refused(
    deployed: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    apart = replace(deployed.recipe, labelled_apart=np.arange(3))
    monkeypatch.setattr(spark, "MOST_LABELS_APART", 3)
    check_labels_apart(apart)
    monkeypatch.setattr(spark, "MOST_LABELS_APART", 2)
    with pytest.raises(BadInput, match="too many to be sent to every executor"):
        next(SparkEngine(None).gather(apart, []))


def test_importing_the_engine_loads_no_pyspark() -> None:
    code = "import sys, monitoring.engines.spark; print('pyspark' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert not is_spark_frame([])


@pytest.mark.timeout(600)
def test_spark_in_one_process_gives_the_same_records_on_files_and_on_a_frame(tmp_path: Path) -> None:
    if shutil.which("java") is None:
        missing("Java is not installed (apt-get install openjdk-17-jre-headless).")
    paths = os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))
    environment = {
        **os.environ,
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": paths,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_SUBMIT_ARGS": "--driver-memory 512m --conf spark.ui.enabled=false "
        "--driver-java-options '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' pyspark-shell",  # a short life: no C2
    }
    script = [sys.executable, "-m", "tests.monitoring.engines.spark_locally", str(tmp_path)]
    done = subprocess.run(script, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert done.stdout.strip().endswith("windows are the same")


@pytest.fixture(scope="module", params=["classic", "connect"])
def session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("cluster")
    if request.param == "classic":
        with spark_cluster(folder, workers=2) as classic:
            yield classic
        return
    with spark_connect(folder, workers=2) as address:
        connected = spark.session(address)
        assert type(connected).__module__.startswith("pyspark.sql.connect")
        assert spark.session(None) is connected  # the session of this process
        yield connected
        connected.stop()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    return watch(tmp_path_factory.mktemp("watched"))


@pytest.fixture(scope="module")
def deployed(watched: Watched, tmp_path_factory: pytest.TempPathFactory) -> Ready:
    return ready(watched, tmp_path_factory.mktemp("live"), hostile_rows(), group=500)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_pieces_of_files_give_the_same_bytes(session: Any, deployed: Ready) -> None:
    for rows in (150, 10**9):  # many tasks, and one
        work = deployed.work(rows, DAYS)
        own = [encoded(one, deployed.recipe) for one in LocalEngine().gather(deployed.recipe, work)]
        assert [encoded(one, deployed.recipe) for one in SparkEngine(session).gather(deployed.recipe, work)] == own


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_rows_of_a_frame_give_the_same_sums_and_samples(session: Any, deployed: Ready) -> None:
    path = str(deployed.table.pieces[0].path)  # type: ignore[attr-defined]  # a Parquet file of this test
    frame = session.read.parquet(path).repartition(3)
    assert is_spark_frame(frame)
    relation = SparkRelation(frame, "ts", "id")
    ids = hostile_rows()["id"].to_pylist()
    shared = sorted({word for word in ids if ids.count(word) > 1})
    engine = SparkRowsEngine(session, relation, shared)
    found = by_window(engine, deployed.recipe, list(work_of(deployed.table, DAYS)))
    own = by_window(LocalEngine(), deployed.recipe, deployed.work(10**9, DAYS))
    assert found.keys() == own.keys()
    for start, expected in own.items():
        other = found[start]
        assert expected.sums.answered.counts == other.sums.answered.counts
        assert expected.read == other.read
        for name, counts in expected.sums.labelled.whole.counts.items():
            assert (counts == other.sums.labelled.whole.counts[name]).all(), name
        assert expected.sums.answered.sample.ids.equals(other.sums.answered.sample.ids)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_frame_of_a_session_is_judged_as_its_file_is(session: Any, watched: Watched, tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    one_file(hostile_rows(), tmp_path / "live")
    home = watched.adopted.config.parent
    update: dict[str, object] = {"traffic": load_config(watched.adopted.config).traffic.with_path(tmp_path / "live")}
    own = windows_judged(home, tmp_path / "local", update)
    frame = session.read.parquet(str(tmp_path / "live/a.parquet")).repartition(3)
    assert windows_judged(home, tmp_path / "frame", update, frame) == own


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_times_without_a_zone_are_in_utc_whatever_the_session_says(session: Any, tmp_path: Path) -> None:
    day = 86_400_000_000
    hours = pa.array(range(-12 * 3_600_000_000, 2 * day, 3_600_000_000), pa.int64())
    ids = pa.array([str(place) for place in range(len(hours))])
    before = session.conf.get("spark.sql.session.timeZone")
    try:
        session.conf.set("spark.sql.session.timeZone", "America/New_York")
        for zone in (None, "UTC"):
            pq.write_table(
                pa.table({"ts": hours.cast(pa.timestamp("us", zone)), "id": ids}), tmp_path / f"{zone}.parquet"
            )
            relation = SparkRelation(session.read.parquet(str(tmp_path / f"{zone}.parquet")), "ts", "id")
            batches = relation.batches(["id"], between=(0, day))
            found = [word for batch in batches for word in batch.column(0).to_pylist()]
            assert sorted(map(int, found)) == list(range(12, 36)), zone
    finally:
        session.conf.set("spark.sql.session.timeZone", before)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_executor_is_asked_what_it_has(session: Any) -> None:
    def processes(batches: Iterator[Any]) -> Iterator[Any]:
        import os

        import pyarrow as pa

        for _ in batches:
            yield pa.RecordBatch.from_pydict({"parent": [os.getppid()]})

    def ask() -> Any:
        return everywhere(session).mapInArrow(processes, "parent long").distinct().collect()

    assert len(collected(session, ask, lambda: None)) == 2  # a daemon of Python for each of two executors


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("bits", [1, 6])
def test_partials_are_added_up_by_executors(
    bits: int, session: Any, deployed: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark, "MERGED_BITS", bits)
    came = list[int]()

    def counted(sent: pa.Table, recipe: Recipe) -> Iterator[Partial]:
        came.append(sent.num_rows)
        return received(sent, recipe)

    monkeypatch.setattr(spark, "received", counted)
    path = str(deployed.table.pieces[0].path)  # type: ignore[attr-defined]  # a Parquet file of this test
    relation = SparkRelation(session.read.parquet(path).repartition(9), "ts", "id")
    engine = SparkRowsEngine(session, relation, ())
    found = by_window(engine, deployed.recipe, list(work_of(deployed.table, DAYS)))
    assert came == [len(found) * -(-9 // (1 << 2 * bits))]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("most", [0, 1_000_000])
def test_executors_find_the_same_ids_by_shuffle_and_by_broadcast(
    most: int, session: Any, deployed: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark_ids, "SHUFFLED_ROWS", 0)
    monkeypatch.setattr(spark_ids, "BROADCAST_KEYS", most)
    table, every = deployed.table, EventTimeRange()
    here = IdsHere(columns=table.columns, reader=table.reader)
    there = SparkEngine(session).ids(here)
    keys, counts = here.twice(table.extents, every)
    assert keys.size >= 15
    for expected, found in zip((keys, counts), there.twice(table.extents, every), strict=True):
        assert found.tolist() == expected.tolist()
    rows = [_plain(ids.having(table.extents, every, keys)) for ids in (here, there)]
    assert rows[0] == rows[1]
    gone = replace(table.extents[0], piece=replace(table.extents[0].piece, path=Path("/nowhere.parquet")))  # type: ignore[type-var]
    with pytest.raises(CannotRun, match="A file of the table cannot be read"):
        there.twice([gone], every)


def _plain(rows: Iterable[tuple[int, IdentifiedRows]]) -> list[tuple[object, ...]]:
    each = ((number, some.places.tolist(), some.us.tolist(), some.ids.to_pylist()) for number, some in rows)
    return [(number, *row) for number, *columns in each for row in zip(*columns, strict=True)]


@pytest.fixture(scope="module")
def expected_records(watched: Watched, tmp_path_factory: pytest.TempPathFactory) -> Records:
    with pytest.MonkeyPatch.context() as patch:
        return run_in(watched, tmp_path_factory.mktemp("local"), one_file, None, patch)


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("layout", ["files at random", "delta", "iceberg"])
def test_an_executor_that_is_killed_changes_no_record(
    layout: str,
    session: Any,
    watched: Watched,
    expected_records: Records,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    killed, probed = list[int](), spark_jobs.probe

    def kill_one(*arguments: Any) -> None:
        probed(*arguments)
        driver = session.conf.get("spark.driver.port")  # of this test's cluster, not of another on this machine
        backends = subprocess.run(
            ["/usr/bin/pgrep", "-f", f"CoarseGrainedExecutorBackend.*:{driver}"],
            capture_output=True,
            text=True,
            check=True,
        )
        killed.append(int(backends.stdout.split()[0]))
        os.kill(killed[-1], signal.SIGKILL)

    monkeypatch.setattr(spark, "probe", kill_one)
    monkeypatch.setattr(gathering, "work_of", partial(work_of, rows=700))
    monkeypatch.setattr(spark_ids, "SHUFFLED_ROWS", 0)
    same(expected_records, run_in(watched, tmp_path, LAYOUTS[layout], lambda: SparkEngine(session), monkeypatch))
    assert len(killed) == 2  # one in each of the two runs


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_stopping_a_run_cancels_its_job(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(batches: Iterator[Any]) -> Iterator[Any]:
        import threading

        threading.Event().wait()
        yield from batches

    def stop() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(spark_jobs, "MEANWHILE_SECONDS", 1.0)
    with pytest.raises(KeyboardInterrupt):
        collected(session, session.range(0, 2, 1, 2).mapInArrow(wait, "id long").collect, stop)
    rows = collected(session, session.range(0, 2, 1, 2).collect, lambda: None)  # the executors are free again
    assert [row["id"] for row in rows] == [0, 1]
