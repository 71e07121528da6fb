"""What each engine costs on one window of 32 columns, and whether it comes to the same to the last bit."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.results import Result, Settings, Table
from monitoring.config import load_config
from monitoring.deployment.deployment import deploy
from monitoring.engines.codec import encoded
from monitoring.engines.engine import Engine, Work, work_of
from monitoring.engines.partial import Partial
from monitoring.engines.processes import ProcessEngine
from monitoring.engines.recipe import Recipe
from monitoring.engines.spark import SparkEngine, SparkRelation, SparkRowsEngine, session
from monitoring.engines.sql import SqlEngine
from monitoring.engines.sql_relation import DuckDBRelation
from monitoring.engines.task import LocalEngine
from monitoring.onboarding.init import init_monitor
from monitoring.onboarding.table_description import described
from monitoring.sources.traffic import columns_of
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.table import Table as Rows
from monitoring.traffic.windows import Window

DAY = datetime(2024, 3, 1, tzinfo=UTC)
NUMBERS, CATEGORIES = 28, 4
FULL, QUICK = 20_000_000, 200_000

#: Rows of a row group, and of the part that is made at once.
GROUP = 1 << 17

_SEED = 82


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One engine's pass over the window."""

    name: str
    cpu: float
    wall: float
    sent: int
    same: bool


def measure(settings: Settings) -> Result:
    """Measure all engines one after the other. Cost: eleven CPU minutes, and 3 GB of disk; quick, one minute."""
    rows = QUICK if settings.quick else FULL
    folder = settings.out / "engines"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    recipe, table, path = _deployed(folder, rows)
    window = Window(start=DAY, end=DAY + timedelta(days=1))
    work = list(work_of(table, (window,), rows=1_000_000))
    local_pass = _pass("local", LocalEngine(), recipe, work, None)
    results = [local_pass[0]]
    for name, engine in _engines(path, recipe):
        results.append(_pass(name, engine(), recipe, work, local_pass[1])[0])
    local = local_pass[0].cpu
    size = path.stat().st_size
    return Result(
        tables=(
            Table(
                title=f"One window of {rows:,} rows x {NUMBERS + CATEGORIES} columns ({size / 1e6:,.0f} MB)",
                columns=("engine", "CPU s", "x local", "wall s", "kB to the monitor", "equal to the bit"),
                rows=tuple(
                    (
                        result.name,
                        round(result.cpu, 1),
                        round(result.cpu / local, 2),
                        round(result.wall, 1),
                        result.sent // 1000,
                        "yes" if result.same else "no",
                    )
                    for result in results
                ),
                note="CPU of this process and all that it started. Equal: counts, tallies and samples of the window.",
            ),
        ),
        remarks=("Wall times are those of the machine as it was: CPU seconds and ratios are comparable.",),
    )


def _engines(path: Path, recipe: Recipe) -> Iterator[tuple[str, Callable[[], Engine]]]:
    yield "processes (2), with their start", lambda: ProcessEngine(2)
    yield "processes (2)", lambda: ProcessEngine(2)
    narrow = frozenset((*recipe.columns.mapped, "c0"))

    def sql() -> Engine:
        import duckdb  # noqa: PLC0415 - an extra

        return SqlEngine(DuckDBRelation.of(duckdb.connect().from_parquet(str(path)), "ts", "id"), narrow, ())

    yield "sql, DuckDB on the file", sql
    if shutil.which("java") is None:
        return
    spark: Any = session("local[2]")
    yield "spark, files, with its start", lambda: SparkEngine(spark)
    yield "spark, files", lambda: SparkEngine(spark)
    frame = spark.read.parquet(str(path))
    yield "spark, rows", lambda: SparkRowsEngine(spark, SparkRelation(frame, "ts", "id"), ())


def _pass(
    name: str, engine: Engine, recipe: Recipe, work: list[Work], local_partial: Partial | None
) -> tuple[Measured, Partial]:
    begun, cpu = time.perf_counter(), _cpu()
    partials = list(engine.gather(recipe, work))
    wall, used = time.perf_counter() - begun, _cpu() - cpu
    whole = reduce(add, partials)
    sent = sum(len(encoded(partial, recipe)) for partial in partials)
    return Measured(
        name=name, cpu=used, wall=wall, sent=sent, same=local_partial is None or _same(whole, local_partial)
    ), whole


def _same(some: Partial, others: Partial) -> bool:
    left, right = some.sums, others.sums
    tallies = ((left.answered.tally, right.answered.tally), (left.labelled.whole, right.labelled.whole))
    return (
        left.answered.counts == right.answered.counts
        and all((ours.counts[name] == other.counts[name]).all() for ours, other in tallies for name in ours.counts)
        and bool(left.answered.sample.ids.equals(right.answered.sample.ids))
    )


def _deployed(folder: Path, rows: int) -> tuple[Recipe, Rows, Path]:
    reference = folder / "reference.parquet"
    pq.write_table(pa.concat_tables(_rows(40, 2_000, DAY - timedelta(days=40))), reference)
    description = described(
        event_time="ts", scores=("p",), label="y", prediction_id="id", classes=("no", "yes"), slices=("c0",)
    )
    adopted = init_monitor(reference, description, out=folder / "watched", clock=lambda: DAY)
    path = folder / "live.parquet"
    with pq.ParquetWriter(path, pq.read_schema(reference)) as writer:
        for part in _rows(max(rows // GROUP, 1), min(GROUP, rows), DAY, span=timedelta(days=1)):
            writer.write_table(part, row_group_size=GROUP)
    config = load_config(adopted.config)
    deployment = deploy(config)
    columns = columns_of(config, deployment.baseline)
    recipe = Recipe.of(deployment.judge.aggregator(), deployment.baseline.spec, columns)
    return recipe, Rows.of(pieces_of(path), columns), path


def _rows(parts: int, rows: int, start: datetime, span: timedelta | None = None) -> Iterable[pa.Table]:
    """Parts of so many rows: a day each, or all spread over one span."""
    rng, first = np.random.default_rng(_SEED), int(start.timestamp() * 1e6)
    length = (span or timedelta(days=parts)) / timedelta(microseconds=1) / parts
    for part in range(parts):
        chance = rng.beta(2.0, 3.0, rows)
        numbers = {f"x{place}": rng.normal(size=rows) for place in range(NUMBERS)}
        words = {
            f"c{place}": pa.array(np.array(["a", "b", "c", "d"])[rng.integers(4, size=rows)])
            for place in range(CATEGORIES)
        }
        times = first + int(part * length) + np.sort(rng.integers(int(length), size=rows))
        yield pa.table(
            {
                "id": pa.array(np.arange(part * rows, (part + 1) * rows)),
                "ts": pa.array(times).cast(pa.timestamp("us", "UTC")),
                "p": pa.array(chance),
                "y": pa.array(np.where(rng.random(rows) < chance, "yes", "no")),
                **numbers,
                **words,
            }
        )


def _cpu() -> float:
    """CPU seconds of this process and of all that it has started, ended or not."""
    parents: dict[int, list[tuple[int, float]]] = {}
    ticks = os.sysconf("SC_CLK_TCK")
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            used = sum(map(int, fields[11:15])) / ticks
            parents.setdefault(int(fields[1]), []).append((int(entry.name), used))
    seconds = sum(os.times()[:4])
    waiting = [os.getpid()]
    while waiting:
        for pid, used in parents.get(waiting.pop(), ()):
            seconds += used
            waiting.append(pid)
    return seconds
