"""CPU time and memory of the job on one window of a table with one to a hundred million rows."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.window_probe import LIVE, NOW, WATCHED
from benchmarks.window_speed import DAYS, ROWS_A_DAY, delete_labels, probe, rows_of
from monitoring.onboarding.init import init_monitor
from monitoring.onboarding.table_description import described

#: Rows of the window without ids, and with ids.
SIZES = (1_000_000, 5_000_000, 20_000_000, 50_000_000, 100_000_000)
NAMED = (1_000_000, 5_000_000)
QUICK = (20_000, 40_000)

#: Rows that are made and written at a time: a row group.
GROUP = 1_000_000

#: Characters of an id: digits of a UUID.
DIGITS = 32


def named(rows: pa.Table) -> pa.Table:
    """The rows with a column `id` of random ids."""
    text = secrets.token_bytes(rows.num_rows * DIGITS // 2).hex().encode()
    ends = pa.array(range(0, len(text) + 1, DIGITS), pa.int32())
    ids = pa.Array.from_buffers(pa.string(), rows.num_rows, [None, ends.buffers()[1], pa.py_buffer(text)])
    return rows.append_column("id", ids)


def measure(settings: Settings) -> Result:
    """Measure tables of up to 100 million rows, 14 GB on disk while they are measured. Cost: twenty minutes."""
    with tempfile.TemporaryDirectory() as name:
        plain = grown(Path(name, "plain"), QUICK if settings.quick else SIZES, ids=False)
        with_ids = grown(Path(name, "named"), QUICK if settings.quick else NAMED, ids=True)
    return Result(tables=(plain, with_ids))


def grown(folder: Path, sizes: tuple[int, ...], *, ids: bool) -> Table:
    """Measure windows of these sizes one after the other; each is deleted after its measurement."""
    folder.mkdir(parents=True)
    days = [rows_of(ROWS_A_DAY, day) for day in range(DAYS)]
    reference = pa.concat_tables([named(day) if ids else day for day in days])
    pq.write_table(reference, folder / "reference.parquet")
    description = described(
        event_time="ts", scores=("p",), label="y", slices=("s0",), prediction_id="id" if ids else None
    )
    init_monitor(folder / "reference.parquet", description, out=folder / WATCHED, clock=lambda: NOW)
    rows = tuple(_row(folder, size, ids=ids) for size in sizes)
    what = "with ids" if ids else "without ids"
    return Table(
        title=f"The job on rows {what}, 32 columns",
        columns=(
            "rows",
            "GB",
            "pyarrow CPU s",
            "job CPU s",
            "times pyarrow",
            "us a row",
            "MB after the fit",
            "MB in all",
        ),
        rows=rows,
        note=(
            "CPU seconds, each in its own process. Pyarrow: every column in batches by one thread, discarded, "
            "the faster of two passes. The job: labels, stream and evidence, without the fit of the baseline."
        ),
    )


def _row(folder: Path, rows: int, *, ids: bool) -> tuple[Cell, ...]:
    delete_labels(folder)
    with pq.ParquetWriter(folder / LIVE, (named(rows_of(1, 40)) if ids else rows_of(1, 40)).schema) as writer:
        for number, first in enumerate(range(0, rows, GROUP)):
            part = rows_of(min(GROUP, rows - first), 40, seed=number + 1)
            writer.write_table(named(part) if ids else part, row_group_size=GROUP)
    size = (folder / LIVE).stat().st_size / 1e9
    scan, job = probe("scan", folder), probe("job", folder)
    (folder / LIVE).unlink()
    seconds = sum(job[step] for step in ("index and labels", "the stream", "evidence"))
    return (
        f"{rows:,}",
        size,
        scan["read"],
        seconds,
        seconds / scan["read"],
        seconds / rows * 1e6,
        job["MB before"],
        job["MB"],
    )
