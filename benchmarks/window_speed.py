"""One large window of anyone's table to its verdict: processor time and memory, beside pyarrow, TFDV and Evidently."""

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
from monitoring.jobs.init import OwnTable, adopt
from pitfalls_tf.cli import JOB_ENVIRONMENT

DAY = 86_400_000_000
FIRST = 1_700_006_400_000_000 // DAY * DAY
LEVELS = (10, 30, 100, 300, 1_000)

#: The reference: so many days of so many rows.
DAYS, ROWS_A_DAY = 30, 5_000

GOAL = 1_000_000
PEERS = 100_000

#: What they are called, and the step that is measured.
PEER = {
    "tfdv": ("TFDV's statistics in memory", "statistics"),
    "evidently": ("Evidently's DataDriftPreset", "preset"),
}


def rows_of(rows: int, day: int, *, numbers: int = 20, seed: int = 0) -> pa.Table:
    """One day: 32 columns (20 float32 with some nulls, 5 int64, 5 of text, a probability and a label), and a time."""
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
        words = pa.array([f"level-{level}" for level in range(levels)])
        columns[f"s{place}"] = words.take(pa.array(rng.integers(0, levels, rows)))
    score = rng.random(rows)
    columns["p"] = pa.array(score)
    columns["y"] = pa.array((rng.random(rows) < score).astype(np.int64))
    return pa.table(columns)


def prepare(folder: Path, numbers: int = 20) -> None:
    """The reference in `folder`, and what the monitor keeps of it."""
    folder.mkdir(parents=True, exist_ok=True)
    reference = folder / "reference.parquet"
    pq.write_table(pa.concat_tables([rows_of(ROWS_A_DAY, day, numbers=numbers) for day in range(DAYS)]), reference)
    own = OwnTable(event_time="ts", scores=("p",), label="y", slices=("s0",))
    adopt(reference, own, out=folder / WATCHED, clock=lambda: NOW)


def write_window(folder: Path, rows: int, numbers: int = 20) -> None:
    """The live window, written in pieces, so that no size has to fit in memory. Labels of earlier ones are dropped."""
    step = 1_000_000
    with pq.ParquetWriter(folder / LIVE, rows_of(1, 40, numbers=numbers).schema) as writer:
        for number, first in enumerate(range(0, rows, step)):
            part = rows_of(min(step, rows - first), 40, numbers=numbers, seed=number + 1)
            writer.write_table(part, row_group_size=step)
    forget(folder)


def forget(folder: Path) -> None:
    """Drop labels that were counted before."""
    for path in sorted((folder / WATCHED / "label-log").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def probe(way: str, folder: Path, *, without: tuple[str, ...] = ()) -> dict[str, float]:
    """Processor seconds by stage, and megabytes, of one way in a process of its own, `without` some variables."""
    command = [sys.executable, "-m", "benchmarks.window_probe", way, str(folder)]
    own = {name: value for name, value in {**JOB_ENVIRONMENT, **os.environ}.items() if name not in without}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=own)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(settings: Settings) -> Result:
    """One window beside the others, and how time and memory grow. Cost: some minutes."""
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
            "The profile alone, out of the file batch by batch (MB beyond what the baseline took); the whole job, in "
            "the first window of a process and in later ones."
        ),
    )
    return Result(tables=(window, peers, larger, growth))


def _window(folder: Path, rows: int) -> Table:
    floor, batches, job = (probe(way, folder) for way in ("floor", "batches", "checked"))
    steps = ("index and labels", "the stream", "evidence")
    verdict = sum(job[step] for step in steps)

    def row(name: str, seconds: float, megabytes: float | None = None) -> tuple[Cell, ...]:
        return (name, seconds, seconds / floor["read"], seconds / floor["cold"], megabytes)

    return Table(
        title=f"One window of {rows:,} rows x 32 columns to its verdict",
        columns=("what", "CPU s", "times pyarrow, warm", "times pyarrow, cold", "peak MB"),
        rows=(
            row("pyarrow reads the columns, warm", floor["read"], floor["MB in all"]),
            row("pyarrow reads the columns, first pass", floor["cold"]),
            row("read and profile, batch by batch", batches["profile"], batches["MB in all"]),
            row("the job to the verdict, windows after the first", job["warm"]),
            row("the job to the verdict, the first window of a process", verdict, job["MB"]),
            *(row(f"  {step}", job[step]) for step in steps),
            row("the schema's check on the profile", job["schema by TFDV"], job["MB with the check"]),
            row("once a run: the baseline fitted", job["baseline"], job["MB before"]),
            row("once a run: the schema read", job["read the schema"]),
        ),
        note=(
            "Processor seconds, each in a process of its own. Warm: the fastest of five passes with each of pyarrow's "
            "memory pools, which has its memory from the passes before; the first pass pays for fresh pages, as the "
            "first window of a job does."
        ),
    )


def _peers(folder: Path, *peers: str) -> Table:
    rows = pq.read_metadata(folder / LIVE).num_rows
    job, held = probe("checked", folder), probe("memory", folder)
    steps = ("index and labels", "the stream", "evidence", "schema by TFDV")
    ours = sum(job[step] for step in steps)
    later = job["warm"] + job["schema by TFDV"]
    drawn: list[tuple[Cell, ...]] = [
        ("the job from the file to the verdict, with the schema's check", ours, 1.0, None, job["MB with the check"]),
        ("  of it the schema's check", job["schema by TFDV"], None, None, None),
        ("the job, windows after the first", later, later / ours, None, None),
        ("the profile of a table in memory", held["profile"], None, 1.0, held["MB in all"]),
    ]
    for way in peers:
        name, stage = PEER[way]
        for label, without in ((name, ()), ("  as it runs by default", tuple(JOB_ENVIRONMENT))):
            found = probe(way, folder, without=without)
            drawn.append((label, found[stage], found[stage] / ours, found[stage] / held["profile"], found["MB"]))
    return Table(
        title=f"Beside others, {rows:,} rows x 32 columns",
        columns=("what", "CPU s", "times the job", "times the profile", "peak MB"),
        rows=tuple(drawn),
        note=(
            "Imports, and for TFDV and Evidently reading the file into a data frame, are not counted. By default: "
            f"without the variables that our command sets, {' and '.join(JOB_ENVIRONMENT)}."
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
