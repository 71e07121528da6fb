"""CPU time and memory to evaluate one large window of a table, with those of pyarrow, TFDV and Evidently."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.window_probe import LIVE, NOW, WATCHED
from monitoring.onboarding.init import init_monitor
from monitoring.onboarding.table_description import described
from pitfalls_tf.cli import JOB_ENVIRONMENT

DAY = 86_400_000_000
FIRST = 1_700_006_400_000_000 // DAY * DAY
LEVELS = (10, 30, 100, 300, 1_000)

#: Days of the reference, and rows per day.
DAYS, ROWS_A_DAY = 30, 5_000

GOAL = 1_000_000
PEERS = 100_000

#: Names, and the measured step.
PEER = {"tfdv": ("TFDV's statistics in memory", "statistics"), "evidently": ("Evidently's DataDriftPreset", "preset")}


def rows_of(rows: int, day: int, *, numbers: int = 20, seed: int = 0) -> pa.Table:
    """One day of rows: a time and 32 columns (20 float32 with nulls, 5 int64, 5 of text, a probability, a label)."""
    rng = np.random.default_rng([seed, day])
    columns: dict[str, pa.Array] = {
        "ts": pa.array(FIRST + day * DAY + np.sort(rng.integers(0, DAY, rows))).cast(pa.timestamp("us", "UTC"))
    }
    for place in range(numbers):
        missing = rng.random(rows) < 0.01 * (place % 4)
        columns[f"f{place}"] = pa.array(rng.normal(size=rows).astype(np.float32), mask=missing)
    for place in range(5):
        columns[f"i{place}"] = pa.array(rng.integers(0, 10 ** (place + 1), rows))
    for place, levels in enumerate(LEVELS):
        texts = pa.array([f"level-{level}" for level in range(levels)])
        columns[f"s{place}"] = texts.take(pa.array(rng.integers(0, levels, rows)))
    score = rng.random(rows)
    columns["p"] = pa.array(score)
    columns["y"] = pa.array((rng.random(rows) < score).astype(np.int64))
    return pa.table(columns)


def prepare(folder: Path, numbers: int = 20) -> None:
    """Write the reference to `folder`, and initialise the monitor with it."""
    folder.mkdir(parents=True, exist_ok=True)
    reference = folder / "reference.parquet"
    pq.write_table(pa.concat_tables([rows_of(ROWS_A_DAY, day, numbers=numbers) for day in range(DAYS)]), reference)
    description = described(event_time="ts", scores=("p",), label="y", slices=("s0",))
    init_monitor(reference, description, out=folder / WATCHED, clock=lambda: NOW)


def write_window(folder: Path, rows: int, numbers: int = 20) -> None:
    """Write the live window in pieces, so that it need not fit in memory, and delete labels of earlier ones."""
    step = 1_000_000
    with pq.ParquetWriter(folder / LIVE, rows_of(1, 40, numbers=numbers).schema) as writer:
        for number, first in enumerate(range(0, rows, step)):
            part = rows_of(min(step, rows - first), 40, numbers=numbers, seed=number + 1)
            writer.write_table(part, row_group_size=step)
    delete_labels(folder)


def delete_labels(folder: Path) -> None:
    """Delete labels that were counted before."""
    for path in sorted((folder / WATCHED / "label-log").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def probe(method: str, folder: Path, *, without: tuple[str, ...] = ()) -> dict[str, float]:
    """Measure one method in its own process, `without` some environment variables: CPU seconds by stage, megabytes."""
    command = [sys.executable, "-m", "benchmarks.window_probe", method, str(folder)]
    environment = {name: value for name, value in {**JOB_ENVIRONMENT, **os.environ}.items() if name not in without}
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def measure(settings: Settings) -> Result:
    """Measure one window and its peers, and the growth of time and memory. Cost: some minutes."""
    sizes = (20_000, 40_000) if settings.quick else (1_000_000, 2_000_000, 5_000_000)
    goal = sizes[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "columns32")
        prepare(folder)
        write_window(folder, min(PEERS, goal))
        peers = _peers(folder, "tfdv", "evidently")
        write_window(folder, goal)
        window = _window(folder, goal)
        larger = _peers(folder, "tfdv")
        grown = [_row(folder, rows, 20, jobs=True) for rows in sizes]
        wide = Path(name, "columns62")
        prepare(wide, numbers=50)
        grown.append(_row(wide, goal, 50, jobs=True))
    growth = Table(
        title="How it grows",
        columns=(
            "rows x columns",
            "pyarrow CPU s",
            "profile CPU s",
            "ns a value",
            "MB more",
            "job CPU s",
            "later CPU s",
            "job MB",
        ),
        rows=tuple(grown),
        note=(
            "The profile alone, from the file in batches (MB in addition to the baseline); the whole job, in "
            "the first window of a process and in later ones."
        ),
    )
    return Result(tables=(window, peers, larger, growth))


def _window(folder: Path, rows: int) -> Table:
    floor, batches, job = (probe(method, folder) for method in ("floor", "batches", "job_with_schema"))
    steps = ("index and labels", "the stream", "evidence")
    whole = sum(job[step] for step in steps)

    def row(name: str, seconds: float, megabytes: float | None = None) -> tuple[Cell, ...]:
        return (name, seconds, seconds / floor["read"], seconds / floor["cold"], megabytes)

    return Table(
        title=f"One window of {rows:,} rows x 32 columns",
        columns=("what", "CPU s", "times pyarrow, warm", "times pyarrow, cold", "peak MB"),
        rows=(
            row("pyarrow reads the columns, warm", floor["read"], floor["MB in all"]),
            row("pyarrow reads the columns, first pass", floor["cold"]),
            row("read and profile, batch by batch", batches["profile"], batches["MB in all"]),
            row("the job to the verdict, windows after the first", job["warm"]),
            row("the job to the verdict, the first window of a process", whole, job["MB"]),
            *(row(f"  {step}", job[step]) for step in steps),
            row("the schema's check on the profile", job["schema by TFDV"], job["MB with the check"]),
            row("once a run: the baseline fitted", job["baseline"], job["MB before"]),
            row("once a run: the schema read", job["read the schema"]),
        ),
        note=(
            "CPU seconds, each in its own process. Warm: the fastest of five passes with each of pyarrow's "
            "memory pools, which have their memory from earlier passes; the first pass pays for fresh pages, like the "
            "first window of a job."
        ),
    )


def _peers(folder: Path, *peers: str) -> Table:
    rows = pq.read_metadata(folder / LIVE).num_rows
    job, in_memory = probe("job_with_schema", folder), probe("memory", folder)
    steps = ("index and labels", "the stream", "evidence", "schema by TFDV")
    ours = sum(job[step] for step in steps)
    later = job["warm"] + job["schema by TFDV"]
    table_rows: list[tuple[Cell, ...]] = [
        ("the job from the file to the verdict, with the schema's check", ours, 1.0, None, job["MB with the check"]),
        ("  of it the schema's check", job["schema by TFDV"], None, None, None),
        ("the job, windows after the first", later, later / ours, None, None),
        ("the profile of a table in memory", in_memory["profile"], None, 1.0, in_memory["MB in all"]),
    ]
    for method in peers:
        name, stage = PEER[method]
        for label, without in ((name, ()), ("  as it runs by default", tuple(JOB_ENVIRONMENT))):
            figures = probe(method, folder, without=without)
            table_rows.append(
                (label, figures[stage], figures[stage] / ours, figures[stage] / in_memory["profile"], figures["MB"])
            )
    return Table(
        title=f"Peers, {rows:,} rows x 32 columns",
        columns=("what", "CPU s", "times the job", "times the profile", "peak MB"),
        rows=tuple(table_rows),
        note=(
            "Without imports, and for TFDV and Evidently without reading the file into a data frame. By default: "
            f"without the variables that the command line sets, {' and '.join(JOB_ENVIRONMENT)}."
        ),
    )


def _row(folder: Path, rows: int, numbers: int, *, jobs: bool) -> tuple[Cell, ...]:
    write_window(folder, rows, numbers)
    floor, batches = probe("floor", folder), probe("batches", folder)
    job = probe("job", folder) if jobs else None
    steps = ("index and labels", "the stream", "evidence")
    columns = numbers + 12
    return (
        f"{rows:,} x {columns}",
        floor["read"],
        batches["profile"],
        batches["profile"] / rows / (columns - 2) * 1e9,
        batches["MB more"],
        sum(job[step] for step in steps) if job else None,
        job["warm"] if job else None,
        job["MB"] if job else None,
    )
