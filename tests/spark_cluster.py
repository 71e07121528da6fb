"""A Spark cluster of this machine for tests: a master and workers of their own, reached on 127.0.0.1 alone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyspark
import pytest
from pyspark.sql import SparkSession

from tests.needs import missing

#: What each process of the cluster may use.
_MEMORY = "512m"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def spark_cluster(folder: Path, workers: int) -> Iterator[Any]:
    """A session on a cluster that is started for it, and ends with it.

    Args:
        folder: Where its logs and its work are.
        workers: How many workers, of one processor each.

    Yields:
        The session.
    """
    if shutil.which("java") is None:
        missing("Java is not installed (apt-get install openjdk-17-jre-headless).")
    home = Path(pyspark.__file__).parent
    port = _free_port()
    environment = {
        **os.environ,
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_NO_DAEMONIZE": "1",
        "SPARK_DAEMON_MEMORY": _MEMORY,
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join((str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", ""))),
    }
    master = f"spark://127.0.0.1:{port}"
    common = ["--host", "127.0.0.1", "--webui-port", "0"]
    commands = [["org.apache.spark.deploy.master.Master", *common, "--port", str(port)]]
    for number in range(workers):
        work = folder / f"worker-{number}"
        own = ["--cores", "1", "--memory", "1g", "--work-dir", str(work), master]
        commands.append(["org.apache.spark.deploy.worker.Worker", *common, *own])
    processes = []
    with (folder / "cluster.log").open("wb") as log, pytest.MonkeyPatch.context() as patch:
        for name in ("PYSPARK_PYTHON", "PYTHONPATH", "SPARK_LOCAL_IP"):
            patch.setenv(name, environment[name])
        try:
            for command in commands:
                arguments = [str(home / "bin/spark-class"), *command]
                processes.append(subprocess.Popen(arguments, env=environment, stdout=log, stderr=subprocess.STDOUT))
            settings = {
                "spark.ui.enabled": "false",
                "spark.driver.host": "127.0.0.1",
                "spark.driver.bindAddress": "127.0.0.1",
                "spark.executor.memory": _MEMORY,
                "spark.executorEnv.PYTHONPATH": environment["PYTHONPATH"],
                "spark.sql.shuffle.partitions": "2",
                "spark.sql.session.timeZone": "UTC",
            }
            builder = SparkSession.builder.master(master).appName("pitfalls tests")
            for name, value in settings.items():
                builder = builder.config(name, value)
            session = builder.getOrCreate()
            yield session
            session.stop()
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in processes:
                process.wait(timeout=60)
