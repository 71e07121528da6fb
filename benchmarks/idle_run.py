"""Processor time of `pitfalls monitor run` with nothing due, with a store in SQLite and in PostgreSQL, in turns."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.results import Result, Settings, Table
from benchmarks.service_speed import make_configs

RUNS = 5


def measure(settings: Settings) -> Result:
    """Judge a window with each store, and run again with nothing to do. Cost: a minute; PostgreSQL's programs."""
    from tests.postgresql_server import started_postgresql  # noqa: PLC0415 - needs a server's programs

    runs = 1 if settings.quick else RUNS
    with tempfile.TemporaryDirectory() as name, started_postgresql() as server:
        make_configs(Path(name), 1, 500)
        config = Path(name) / "monitors" / "000" / "monitor.toml"
        urls = {"SQLite": f"sqlite:///{name}/pitfalls.db", "PostgreSQL": server.url_by("psycopg")}
        first = {store: _run(config, url) for store, url in urls.items()}
        idle: dict[str, list[float]] = {store: [] for store in urls}
        for _ in range(runs):
            for store, url in urls.items():
                idle[store].append(_run(config, url))
    rows = tuple(
        (store, round(first[store], 2), round(median(idle[store]), 2), round(max(idle[store]), 2)) for store in urls
    )
    columns = ("store", "first run, CPU s", "nothing due, median CPU s", "largest")
    return Result(tables=(Table(title="A run of one config", columns=columns, rows=rows),))


def _run(config: Path, store: str) -> float:
    """Processor seconds of one run, which may end with a page."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "pitfalls_tf", "monitor", "run", "--config", str(config)]
    environment = {**os.environ, "PITFALLS_STORE_URL": store}
    subprocess.run([*command, "--exit-code", "none"], env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
