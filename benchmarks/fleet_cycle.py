"""One cycle of many deployments, a day of 100,000 rows each: `monitor run --configs` and `monitor serve`."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from benchmarks.results import Result, Settings, Table
from benchmarks.service_speed import make_configs, move, served

#: Deployments of the two cycles that are measured; the difference is what each one more costs.
SIZES, QUICK = (10, 40), (1, 3)
ROWS, QUICK_ROWS = 100_000, 500

#: The cycle that is reckoned, the processes of `run`, and seconds between two looks at memory.
FLEET, WORKERS, PAUSE = 1000, 2, 0.5


def measure(settings: Settings) -> Result:
    """Run two cycles of two sizes. Cost: three CPU minutes, and a gigabyte of disk; quick, one CPU minute."""
    sizes, rows = (QUICK, QUICK_ROWS) if settings.quick else (SIZES, ROWS)
    cells = []
    by_verb: dict[str, list[tuple[int, float, float]]] = {"run --configs": [], "serve": []}
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_configs(folder, size, rows)
            monitors = folder / "monitors"
            run(monitors, size)
            move(monitors, "tomorrow")
            by_verb["run --configs"].append((size, *run(monitors, size)))
            move(monitors, "the day after")
            with served(monitors) as service:
                _, cpu, peak = service.stage("serve", lambda size=size: service.judge(size))  # type: ignore[misc]
            by_verb["serve"].append((size, cpu, float(peak)))
    for verb, ((few, cpu_few, _), (many, cpu_many, most)) in by_verb.items():
        each = (cpu_many - cpu_few) / (many - few)
        minutes = (cpu_many + each * (FLEET - many)) / 60
        cells.append((verb, few, round(cpu_few, 1), many, round(cpu_many, 1), round(each, 3), round(minutes, 1), most))
    columns = (
        "verb",
        "configs",
        "CPU s",
        "configs ",
        "CPU s ",
        "CPU s for one more",
        f"minutes for {FLEET}",
        "peak MB",
    )
    return Result(
        tables=(
            Table(
                title=f"A cycle: one window of {rows:,} rows for every deployment",
                columns=columns,
                rows=tuple(cells),
                note=f"CPU of all processes, start included; {WORKERS} processes of `run`. {FLEET} are reckoned "
                "from one more. Peak: of `run` the proportional memory of all processes, of `serve` the resident one.",
            ),
        )
    )


def run(monitors: Path, size: int) -> tuple[float, float]:
    """The CPU seconds and the peak of memory, in MB, of one run over all configs."""
    command = [sys.executable, "-m", "pitfalls_tf", "monitor", "run", "--configs", str(monitors)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(
        [*command, "--workers", str(WORKERS), "--exit-code", "none"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        over, peak = threading.Event(), [0.0]

        def look() -> None:
            while not over.wait(PAUSE):
                peak[0] = max(peak[0], _megabytes(process.pid))

        looking = threading.Thread(target=look)
        looking.start()
        text, _ = process.communicate()
        over.set()
        looking.join()
    assert f"{size} of {size} configs run, {size} windows evaluated" in text, text
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, round(peak[0])


def _megabytes(parent: int) -> float:
    """The proportional memory of a process and of those that it has started."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if parent in (int(folder.name), int(fields[1])):
                lines = (folder / "smaps_rollup").read_text().splitlines()
                total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue  # it has ended
    return total / 1024
