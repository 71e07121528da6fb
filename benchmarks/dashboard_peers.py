"""The dashboard beside Evidently's UI, both as servers over the same number of windows of one deployment."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pandas as pd
import uvicorn

from benchmarks.dashboard_speed import FIRST, TEMPLATE, fill
from benchmarks.results import Cell, Result, Settings, Table
from monitoring.dashboard.access.access import Access
from monitoring.dashboard.stores.named_store import NamedStore
from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.web.app import Changes, dashboard_app

INPUTS, ROWS, ROUNDS = 40, 200, 5

#: Seconds within which a server answers first.
LONGEST_START = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UiServer:
    """A running server: where it is, and its process."""

    url: str
    pid: int

    def get(self, path: str) -> tuple[float, float]:
        """Processor milliseconds of the server for one request, and the answer's kilobytes."""
        before = cpu_seconds(self.pid)
        answer = httpx.get(f"{self.url}{path}", timeout=LONGEST_START)
        answer.raise_for_status()
        return 1e3 * (cpu_seconds(self.pid) - before), len(answer.content) / 1e3


def measure(settings: Settings) -> Result:
    """Serve both, and ask each for a list, one window, and everything drawn. Cost: some minutes of a core."""
    windows = TEMPLATE if settings.quick else 2 * TEMPLATE
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder / "ours.db", 1, windows, INPUTS)
        project, report = fill_workspace(folder / "workspace", windows)
        print("filled", file=sys.stderr)
        ours = [sys.executable, "-m", "benchmarks.dashboard_peers", str(folder / "ours.db")]
        with serving(ours) as server:
            middle = FIRST + (windows // 2) * timedelta(days=1)
            our_rows = _measured(
                server, (f"/d/shop/1?windows={windows}", f"/d/shop/1/windows/{middle:%Y-%m-%dT%H:%M:%SZ}")
            )
        program = str(Path(sys.executable).with_name("evidently"))
        evidently = [program, "ui", "--workspace", str(folder / "workspace"), "--port"]
        with serving(evidently) as server:
            theirs = _measured(server, (f"/api/projects/{project}/reports", f"/api/projects/{project}/{report}/data"))
    rows: list[tuple[Cell, ...]] = [
        (what, *our_figures, *other)
        for what, our_figures, other in zip(("all windows", "one window"), our_rows, theirs, strict=True)
    ]
    note = (
        "Processor time of the server's process for one request over HTTP: the first after its start, and the median"
        f" of {ROUNDS} after that; kilobytes of the answer. {windows} windows of {INPUTS} inputs. This dashboard: the"
        " page of the deployment with all its charts and tables, and that of a window. Evidently's UI: the list of its"
        " reports, which its page loads before it draws, and the data of one report; the reports are copies of one."
    )
    columns = ("asked for", *(f"{who}: {what}" for who in ("ours", "Evidently") for what in ("first ms", "ms", "kB")))
    return Result(tables=(Table(title="Beside Evidently's UI", columns=columns, rows=tuple(rows), note=note),))


def serve(store: Path, port: int) -> None:
    """Serve the dashboard of a store that `fill` wrote."""
    source = NamedStore(name="shop", url=f"sqlite:///{store}", files=())
    now = FIRST + timedelta(days=100_000)
    stores = Stores(stores=(source,), clock=lambda: now)
    access = Access(names=frozenset({"127.0.0.1"}))
    uvicorn.run(dashboard_app(lambda: stores, access, Changes(stores.fingerprint)), port=port, log_level="error")


def cpu_seconds(pid: int) -> float:
    """The processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fill_workspace(folder: Path, windows: int) -> tuple[str, str]:
    """Write a workspace of Evidently's with a report for each window; the project's id, and that of one report."""
    from evidently import DataDefinition, Dataset, Report  # noqa: PLC0415 - seconds, and only this needs it
    from evidently.presets import DataDriftPreset  # noqa: PLC0415 - as above
    from evidently.ui.workspace import Workspace  # noqa: PLC0415 - as above

    rng = np.random.default_rng(0)
    names = [f"input_{at}" for at in range(INPUTS)]
    frames = (pd.DataFrame(rng.normal(size=(ROWS, INPUTS)), columns=names) for _ in range(2))
    definition = DataDefinition(numerical_columns=names)
    current, reference = (Dataset.from_pandas(frame, data_definition=definition) for frame in frames)
    workspace: Any = Workspace.create(str(folder))
    project = workspace.create_project("windows")
    begin = datetime(2024, 1, 1)  # noqa: DTZ001 - as Evidently takes them
    run = Report([DataDriftPreset()]).run(current, reference, timestamp=begin)
    workspace.add_run(project.id, run, include_data=False)
    (first,) = (folder / str(project.id) / "snapshots").glob("*.json")
    text = first.read_text("utf-8")
    stamp = begin.isoformat()
    for at in range(1, windows):
        later = (begin + timedelta(days=at)).isoformat()
        first.with_name(f"{uuid4()}.json").write_text(text.replace(stamp, later), "utf-8")
    return str(project.id), first.stem


@contextmanager
def serving(command: list[str]) -> Iterator[UiServer]:
    """Run a server, whose command ends before its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([*command, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = UiServer(url=f"http://127.0.0.1:{port}", pid=process.pid)
    try:
        _wait(lambda: server.get("/"))
        yield server
    finally:
        process.terminate()
        process.wait(30)


def _wait(ask: Callable[[], object]) -> None:
    end = time.monotonic() + LONGEST_START
    while True:
        try:
            ask()
        except httpx.TransportError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            return


def _measured(server: UiServer, paths: tuple[str, ...]) -> list[tuple[float, float, float]]:
    """Of each path: the first request's milliseconds, the median of later ones, and kilobytes."""
    rows = []
    for path in paths:
        first, size = server.get(path)
        rows.append((first, statistics.median(server.get(path)[0] for _ in range(ROUNDS)), size))
    return rows


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
