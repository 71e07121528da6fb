"""Start-up times: `pitfalls --help`, help of its verbs, and `import monitoring`, relative to a bare Python."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks.results import Cell, Result, Settings, Table

#: Commands by name; the first one is the reference.
COMMANDS: dict[str, tuple[str, ...]] = {
    "python -c pass": ("-c", "pass"),
    "import monitoring": ("-c", "import monitoring"),
    "import monitoring.evidence.level": ("-c", "import monitoring.evidence.level"),
    "pitfalls --help": ("-m", "pitfalls_tf", "--help"),
    "pitfalls monitor --help": ("-m", "pitfalls_tf", "monitor", "--help"),
    "pitfalls monitor run --help": ("-m", "pitfalls_tf", "monitor", "run", "--help"),
    "pitfalls serve --help": ("-m", "pitfalls_tf", "serve", "--help"),
    "import numpy": ("-c", "import numpy"),
}


def measure(settings: Settings) -> Result:
    """Measure the median wall and CPU time of warm starts, in turns, so that other load affects all alike."""
    rounds = 2 if settings.quick else 10
    wall: dict[str, list[float]] = {name: [] for name in COMMANDS}
    cpu: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for turn in range(rounds + 1):
        for name, arguments in COMMANDS.items():
            elapsed, busy = started(arguments)
            if turn:  # the first turn warms the page cache and the bytecode cache
                wall[name].append(elapsed)
                cpu[name].append(busy)
    bare = statistics.median(wall["python -c pass"])
    rows: list[tuple[Cell, ...]] = [
        (
            name,
            statistics.median(wall[name]) * 1e3,
            statistics.median(cpu[name]) * 1e3,
            statistics.median(wall[name]) / bare,
        )
        for name in COMMANDS
    ]
    return Result(
        tables=(
            Table(
                title=f"Warm starts, median of {rounds}",
                columns=("command", "ms", "CPU ms", "times a bare Python"),
                rows=tuple(rows),
            ),
        )
    )


def started(arguments: Sequence[str]) -> tuple[float, float]:
    """Wall and CPU seconds of one start."""
    before = os.times()
    begin = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    elapsed = time.perf_counter() - begin
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return elapsed, used
