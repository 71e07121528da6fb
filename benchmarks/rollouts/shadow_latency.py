"""Latency of a server at 64 connections: alone, beside a shadow, and beside other work of as much processor time."""

from __future__ import annotations

import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path

from benchmarks.flights import demo_folder
from benchmarks.load_generator import Load
from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.serving_speed import Server, generated, one_row_bodies, started

CONNECTIONS = 64
WITHOUT, WITH, OTHER = "without a shadow", "with a shadow", "with other idle work"

#: Multiplies matrices that fit a cache at the idle class, for a share of one processor: what any work costs a server.
#: Some 13 ms between two looks at its clock, as a candidate is in its graph for: work
#: that reads its clock every 0.3 ms hardly raises the 99th percentile.
IDLE_WORK = """
import os, sys, time
import numpy as np
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
share, matrix = float(sys.argv[1]), np.ones((128, 128), np.float32)
began, used = time.monotonic(), time.process_time()
while True:
    while time.process_time() - used < share * (time.monotonic() - began):
        for _ in range(400):
            matrix @ matrix
    time.sleep(0.05)
"""

SECTION = """
[rollout]
champion = 1
candidate = 2
[rollout.decide]
guards = ["errors", "latency_p99"]
"""


class Shadow:
    """The processes of `pitfalls rollout start`, which are stopped and go on by signals."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen

    @property
    def is_alive(self) -> bool:
        """Whether the worker has not ended."""
        return self._popen.poll() is None

    def pids(self) -> list[int]:
        """The worker's, and that of the candidate, which it started."""
        children = Path(f"/proc/{self._popen.pid}/task").glob("*/children")
        return [self._popen.pid, *(int(word) for file in children for word in file.read_text("ascii").split())]

    def signal(self, what: signal.Signals) -> None:
        """Send a signal to both."""
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, what)

    def cpu_seconds(self) -> float:
        """CPU seconds of both."""
        return sum(Server(port=0, pid=pid).cpu_seconds() for pid in self.pids())


def measure(settings: Settings) -> Result:
    """Load the server alone, beside a shadow and beside other work, in turns. Cost: four minutes, and 2 GB."""
    demo = demo_folder(settings)
    bodies = one_row_bodies(demo)
    seconds, rounds = (2.0, 2) if settings.quick else (10.0, 6)
    loads: dict[str, list[tuple[Load, float, float, float]]] = {WITHOUT: [], WITH: [], OTHER: []}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        served = folder / "served"  # the version in use alone: of the demo's folder, the latest would answer
        shutil.copytree(demo / "models/flights/1", served / "flights/1")
        serve = ("-m", "pitfalls_tf", "serve", "--models", str(served), "--rest-port", "0", "--json")
        server = stack.enter_context(started((*serve, "--traffic", str(folder / "traffic"))))
        generated(server.port, bodies, CONNECTIONS, 1.0)  # the shadow begins once there is a log
        shadow = stack.enter_context(_shadow(demo, folder))
        while len(shadow.pids()) < 2:  # the candidate is started for the first row after the shadow's beginning
            assert shadow.is_alive, "the shadow ended"
            generated(server.port, bodies, CONNECTIONS, 1.0)
        share = 0.0
        for number in range(rounds):
            for name in (WITH, WITHOUT, OTHER)[:: 1 if number % 2 == 0 else -1]:
                shadow.signal(signal.SIGCONT if name == WITH else signal.SIGSTOP)
                with _idle_work(share) if name == OTHER else nullcontext(shadow) as beside:
                    before = server.cpu_seconds(), beside.cpu_seconds(), time.monotonic()
                    load = generated(server.port, bodies, CONNECTIONS, seconds)
                    after = server.cpu_seconds(), beside.cpu_seconds(), time.monotonic()
                own, used, elapsed = (then - first for first, then in zip(before, after, strict=True))
                share = used / elapsed if name == WITH else share
                loads[name].append((load, own, used, elapsed))
                print(f"{name}: p50 {load.p50_ms:.2f} ms, p99 {load.p99_ms:.2f} ms", file=sys.stderr, flush=True)
        shadow.signal(signal.SIGCONT)
    return Result(tables=(_table(loads, seconds, rounds),))


@contextmanager
def _idle_work(share: float) -> Iterator[Server]:
    """A process of the idle class that takes a share of one processor."""
    with subprocess.Popen(
        [sys.executable, "-c", IDLE_WORK, str(share)], env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    ) as popen:
        try:
            yield Server(port=0, pid=popen.pid)
        finally:
            popen.terminate()


@contextmanager
def _shadow(demo: Path, folder: Path) -> Iterator[Shadow]:
    """`pitfalls rollout start` on the server's log; the candidate is a copy of the version in use."""
    for version in ("1", "2"):
        shutil.copytree(demo / "models/flights/1", folder / "models/flights" / version)
    text = (demo / "monitor.toml").read_text("utf-8").partition("\n[rollout]")[0]
    (folder / "monitor.toml").write_text(text + SECTION, "utf-8")
    command = [sys.executable, "-m", "pitfalls_tf", "rollout", "start", "--no-plan", "--poll", "0.1"]
    command += ["--config", str(folder / "monitor.toml")]
    popen = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    shadow = Shadow(popen)
    try:
        yield shadow
    finally:
        shadow.signal(signal.SIGCONT)
        popen.terminate()
        popen.wait(120)


def _table(loads: dict[str, list[tuple[Load, float, float, float]]], seconds: float, rounds: int) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, parts in loads.items():
        p50, p99, rate = (
            statistics.median(getattr(load, figure) for load, *_ in parts) for figure in ("p50_ms", "p99_ms", "rate")
        )
        failures = sum(load.failures for load, *_ in parts)
        elapsed = sum(wall for *_, wall in parts)  # with the generator's own start and warm-up
        own, dark = (sum(used) / elapsed for used in list(zip(*parts, strict=True))[1:3])
        rows.append((name, p50, p99, rate, failures, own, dark))
    for title, first, second in (("shadow : none", 0, 1), ("other : none", 0, 2), ("shadow : other", 2, 1)):
        figures = zip(rows[first][1:4], rows[second][1:4], strict=True)
        rows.append((title, *(above / below for below, above in figures), None, None, None))  # type: ignore[operator]
    return Table(
        title=f"{CONNECTIONS} connections, one row per request, {rounds} rounds of {seconds:g} s each in turns",
        columns=(
            "server",
            "p50, ms",
            "p99, ms",
            "responses a second",
            "failures",
            "its processors",
            "what runs beside it",
        ),
        rows=tuple(rows),
        note=(
            "Medians over the rounds. Processors: CPU seconds a second. Without a shadow its processes are stopped by "
            "a signal, and have the rows of that time to answer, too, once they go on: it never waits for rows. Other "
            "idle work multiplies small matrices at the same priority for as much processor time as the shadow took: "
            "the last ratio is what the shadow costs beyond its processor time."
        ),
    )
