"""A Spark cluster of this machine for tests: a master and workers of their own, reached on 127.0.0.1 alone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyspark
import pytest
from pyspark.sql import SparkSession

from tests.needs import missing

#: What each process of the cluster may use.
_MEMORY = "512m"

_HOME = Path(pyspark.__file__).parent


@dataclass(kw_only=True)
class _Cluster:
    """The processes of a cluster, and what sessions on it are given."""

    master: str
    folder: Path
    environment: Mapping[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.executor.memory": _MEMORY,
            "spark.executorEnv.PYTHONPATH": self.environment["PYTHONPATH"],
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.warehouse.dir": str(self.folder / "warehouse"),
        }

    def start(self, program: str, *arguments: str) -> None:
        with (self.folder / "cluster.log").open("ab") as log:
            command = [str(_HOME / "bin" / program), *arguments]
            process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=subprocess.STDOUT)
        self.processes.append(process)

    def end(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(timeout=60)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _cluster(folder: Path, workers: int) -> Iterator[_Cluster]:
    if shutil.which("java") is None:
        missing("Java is not installed (apt-get install openjdk-17-jre-headless).")
    port = _free_port()
    environment = {
        **os.environ,
        "SPARK_HOME": str(_HOME),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_NO_DAEMONIZE": "1",
        "SPARK_DAEMON_MEMORY": _MEMORY,
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join((str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", ""))),
    }
    cluster = _Cluster(master=f"spark://127.0.0.1:{port}", folder=folder, environment=environment)
    common = ["--host", "127.0.0.1", "--webui-port", "0"]
    try:
        cluster.start("spark-class", "org.apache.spark.deploy.master.Master", *common, "--port", str(port))
        for number in range(workers):
            own = ["--cores", "1", "--memory", "1g", "--work-dir", str(folder / f"worker-{number}"), cluster.master]
            cluster.start("spark-class", "org.apache.spark.deploy.worker.Worker", *common, *own)
        yield cluster
    finally:
        cluster.end()


@contextmanager
def spark_cluster(folder: Path, workers: int) -> Iterator[Any]:
    """A classic session on a cluster that is started for it, and ends with it.

    Args:
        folder: Where its logs and its work are.
        workers: How many workers, of one processor each.

    Yields:
        The session.
    """
    with _cluster(folder, workers) as cluster, pytest.MonkeyPatch.context() as patch:
        for name in ("PYSPARK_PYTHON", "PYTHONPATH", "SPARK_LOCAL_IP"):
            patch.setenv(name, cluster.environment[name])
        builder = SparkSession.builder.master(cluster.master).appName("pitfalls tests")
        for name, value in cluster.settings.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        try:
            yield session
        finally:
            session.stop()


@contextmanager
def spark_connect(folder: Path, workers: int) -> Iterator[str]:
    """A server of Spark Connect, whose driver and executors are on a cluster that is started for it.

    Args:
        folder: Where its logs and its work are.
        workers: How many workers, of one processor each.

    Yields:
        Its address, ``sc://127.0.0.1:PORT``, once it listens.
    """
    port = _free_port()
    with _cluster(folder, workers) as cluster:
        settings = {
            **cluster.settings,
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": str(port),
            "spark.driver.memory": _MEMORY,
        }
        own = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
        server = "org.apache.spark.sql.connect.service.SparkConnectServer"
        cluster.start("spark-submit", "--master", cluster.master, "--class", server, *own)
        while not _listens(port):
            assert cluster.processes[-1].poll() is None, (folder / "cluster.log").read_text()[-3000:]
            time.sleep(0.2)
        yield f"sc://127.0.0.1:{port}"
