"""Spark runs the same tasks, on files and on frames, to the last bit; and says in words what it cannot do."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from monitoring.errors import BadInput, CannotRun
from monitoring.jobs.engines import spark
from monitoring.jobs.engines.codec import encoded
from monitoring.jobs.engines.engine import work_of
from monitoring.jobs.engines.local import LocalEngine
from monitoring.jobs.engines.spark import (
    SparkEngine,
    SparkRelation,
    SparkRowsEngine,
    check_executor,
    check_java,
    check_label_log,
    is_spark_frame,
)
from monitoring.traffic.windows import Window
from tests.monitoring.jobs.engines.engine_rows import Ready, by_window, ready
from tests.monitoring.jobs.engines.engine_runs import hostile_rows
from tests.needs import missing
from tests.own_table import watch
from tests.small_deployment import LIVE
from tests.spark_cluster import spark_cluster

DAYS = tuple(Window(start=LIVE + timedelta(days=day), end=LIVE + timedelta(days=day + 1)) for day in range(41))
ROOT = Path(__file__).parents[4]
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


def test_a_label_log_that_goes_with_the_cluster_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    local = Path("/databricks/driver/label-log")
    check_label_log(local)
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "17.3")
    check_label_log(Path("/Volumes/main/monitors/label-log"))
    with pytest.raises(BadInput, match="goes with the cluster"):
        check_label_log(local)


def test_importing_the_engine_loads_no_pyspark() -> None:
    code = "import sys, monitoring.jobs.engines.spark; print('pyspark' in sys.modules)"
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
    script = [sys.executable, "-m", "tests.monitoring.jobs.engines.spark_locally", str(tmp_path)]
    done = subprocess.run(script, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert done.stdout.strip().endswith("windows are the same")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with spark_cluster(tmp_path_factory.mktemp("cluster"), workers=2) as found:
        yield found


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    folder = tmp_path_factory.mktemp("live")
    return ready(watch(tmp_path_factory.mktemp("watched")), folder, hostile_rows(), group=500)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_pieces_of_files_give_the_same_bytes(session: Any, deployed: Ready) -> None:
    work = deployed.work(600, DAYS)
    found = [encoded(one, deployed.recipe) for one in SparkEngine(session).gather(deployed.recipe, work)]
    assert found == [encoded(one, deployed.recipe) for one in LocalEngine().gather(deployed.recipe, work)]


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_rows_of_a_frame_give_the_same_sums_and_samples(session: Any, deployed: Ready, tmp_path: Path) -> None:
    path = str(deployed.table.pieces[0].path)  # type: ignore[attr-defined]  # a Parquet file of this test
    frame = session.read.parquet(path).repartition(3)
    relation = SparkRelation(frame, "ts", "id")
    ids = hostile_rows()["id"].to_pylist()
    shared = sorted({word for word in ids if ids.count(word) > 1})
    engine = SparkRowsEngine(session, frame, relation, shared)
    found = by_window(engine, deployed.recipe, list(work_of(deployed.table, DAYS)))
    own = by_window(LocalEngine(), deployed.recipe, deployed.work(10**9, DAYS))
    assert found.keys() == own.keys()
    for start, partial in own.items():
        other = found[start]
        assert partial.sums.answered.counts == other.sums.answered.counts
        assert partial.read == other.read
        for name, counts in partial.sums.labelled.whole.counts.items():
            assert (counts == other.sums.labelled.whole.counts[name]).all(), name
        assert partial.sums.answered.sample.ids.equals(other.sums.answered.sample.ids)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_an_executor_that_is_killed_changes_nothing(
    session: Any, deployed: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = deployed.work(200, DAYS)
    own = [encoded(one, deployed.recipe) for one in LocalEngine().gather(deployed.recipe, work)]
    probed = spark.probe

    def kill_one(*arguments: Any) -> None:
        probed(*arguments)
        driver = session.conf.get("spark.driver.port")  # of this test's cluster, not of another on this machine
        backends = subprocess.run(
            ["/usr/bin/pgrep", "-f", f"CoarseGrainedExecutorBackend.*:{driver}"],
            capture_output=True,
            text=True,
            check=True,
        )
        os.kill(int(backends.stdout.split()[0]), signal.SIGKILL)

    monkeypatch.setattr(spark, "probe", kill_one)
    found = [encoded(one, deployed.recipe) for one in SparkEngine(session).gather(deployed.recipe, work)]
    assert found == own
