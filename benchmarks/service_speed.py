"""CPU time and memory of `pitfalls monitor serve` with a hundred configs: first windows, next ones, nothing due."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.results import Result, Settings, Table
from monitoring.onboarding.init import init_monitor
from monitoring.onboarding.table_description import described

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)

#: Days of the reference, and rows of one of its windows and of a live one.
DAYS, REFERENCE_ROWS, LIVE_ROWS = 30, 5_000, 10_000

#: Ticks of the schedule over which a cycle with nothing due is measured.
IDLE_MINUTES = 3
IDLE = f"nothing due, {IDLE_MINUTES} times in {IDLE_MINUTES} minutes"

#: Seconds that one stage may take.
PATIENCE = 3600.0


def measure(settings: Settings) -> Result:
    """Run a service over configs with a store each. Cost: five minutes of processor time, and two gigabytes of disk."""
    configs, unfitted, rows, pause = (3, 1, 500, 1.0) if settings.quick else (100, 20, LIVE_ROWS, 60.0 * IDLE_MINUTES)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_configs(folder, configs, rows)
        print(f"{configs} configs made", file=sys.stderr)
        monitors = folder / "monitors"
        cycles = [first_cycle(monitors, folder / "unfitted", unfitted)]
        with served(monitors) as service:
            stage = service.stage("first window of each, fits kept by `init`", lambda: service.judge(configs))
            cycles.append((configs, *stage))
        move(monitors, "tomorrow")
        with served(monitors) as service:
            stages = [service.stage("next window of each after a restart", lambda: service.judge(configs))]
            stages.append(service.stage(IDLE, lambda: time.sleep(pause)))
            move(monitors, "the day after")
            stages.append(service.stage("next window of each, fits in memory", lambda: service.judge(2 * configs)))
        cycles += [(configs, *stage) for stage in stages]
    table = tuple((name, count, round(cpu, 2), round(1000 * cpu / count, 1), peak) for count, name, cpu, peak in cycles)
    title = f"One service, {configs} configs, a window of {rows:,} rows each"
    note = (
        f"12 columns and a label; a baseline of {DAYS} windows with {REFERENCE_ROWS:,} rows; SQLite, a store each. "
        "Copies of one baseline: what is simulated before the first window ever is simulated once."
    )
    columns = ("stage", "configs", "CPU s", "ms a config", "peak MB")
    return Result(tables=(Table(title=title, columns=columns, rows=table, note=note),))


def first_cycle(monitors: Path, folder: Path, configs: int) -> tuple[int, str, float, int]:
    """What the first windows of some configs take where no fit is kept."""
    for monitor_folder in sorted(monitors.iterdir())[:configs]:
        shutil.copytree(monitor_folder, folder / monitor_folder.name)
        shutil.rmtree(folder / monitor_folder.name / "fits")
    with served(folder) as service:
        return configs, *service.stage("first window of each, no fit kept", lambda: service.judge(configs))


def move(monitors: Path, day: str) -> None:
    """Move the rows of a day to where they are read."""
    for monitor_folder in monitors.iterdir():
        (monitor_folder / f"{day}.parquet").rename(monitor_folder / "live" / f"{day}.parquet")


def make_configs(folder: Path, configs: int, rows: int) -> None:
    """Write `monitors/NNN`: config, baseline, a live window that is due, and the next two beside it.

    Args:
        rows: Rows of a live window.
    """
    pq.write_table(rows_of(0, DAYS, REFERENCE_ROWS, seed=1), folder / "reference.parquet")
    description = described(
        event_time="ts", scores=("p",), label="y", prediction_id="id", slices=("origin",), traffic="live/*.parquet"
    )
    init_monitor(folder / "reference.parquet", description, out=folder / "one", clock=lambda: FIRST + (DAYS + 9) * DAY)
    config = folder / "one" / "monitor.toml"
    config.write_text(config.read_text().replace('cron = "15 * * * *"', 'cron = "* * * * *"'))
    for number in range(configs):
        place = folder / "monitors" / f"{number:03d}"
        shutil.copytree(folder / "one", place)
        (place / "live").mkdir()
        for day, name in enumerate(("live/today", "tomorrow", "the day after")):
            pq.write_table(rows_of(DAYS + day, 1, rows, seed=3 + 3 * number + day), place / f"{name}.parquet")


def rows_of(first: int, days: int, rows: int, *, seed: int) -> pa.Table:
    """Predictions on some days: eight numbers, two categories, an id, a probability and a label that follows it."""
    rng = np.random.default_rng(seed)
    count = days * rows
    seconds = np.sort(rng.integers(0, 86_400, (days, rows)), axis=1) + 86_400 * np.arange(first, first + days)[:, None]
    numbers = rng.normal(size=(count, 8))
    score = 1.0 / (1.0 + np.exp(-numbers[:, 0] - numbers[:, 1] / 2))
    return pa.table(
        {
            "ts": pa.array((seconds.ravel() + int(FIRST.timestamp())) * 1_000_000, pa.timestamp("us", "UTC")),
            "id": pa.array([f"{seed}-{number}" for number in range(count)]),
            **{f"x{place}": numbers[:, place] for place in range(8)},
            "origin": np.array(["a", "b", "c"])[rng.integers(0, 3, count)],
            "city": np.array([f"city-{number}" for number in range(20)])[rng.integers(0, 20, count)],
            "p": score,
            "y": (rng.random(count) < score).astype(np.int64),
        }
    )


class ServiceProcess:
    """A service in a process of its own, and what it has used."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """A process whose stderr is read from here on."""
        self._process = process
        self._windows = 0
        self._errors: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if ": Evaluated " in line:
                self._windows += int(line.rpartition("Evaluated ")[2].split()[0])
            if "Error: " in line:
                self._errors.append(line)

    def judge(self, count: int) -> None:
        """Wait until so many windows were judged in all."""
        until = time.monotonic() + PATIENCE
        while self._windows < count and time.monotonic() < until and self._process.poll() is None:
            time.sleep(0.1)
        assert self._windows == count, self._errors[:3]

    def stage(self, name: str, wait: Callable[[], None]) -> tuple[str, float, int]:
        """The processor seconds of a stage that ends when `wait` returns, and the peak of memory until then."""
        before = self.cpu_seconds()
        wait()
        row = (name, self.cpu_seconds() - before, self.peak_megabytes())
        print(*row, file=sys.stderr)
        return row

    def cpu_seconds(self) -> float:
        """Processor time so far, of all threads."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_megabytes(self) -> int:
        """The largest resident memory so far."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


@contextmanager
def served(folder: Path) -> Iterator[ServiceProcess]:
    """A service over a folder of configs, on a free port."""
    command = [
        sys.executable,
        "-m",
        "pitfalls_tf",
        "monitor",
        "serve",
        "--configs",
        str(folder),
        "--port",
        "0",
        "--json",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield ServiceProcess(process)
        finally:
            process.terminate()
