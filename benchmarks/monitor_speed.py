"""Wall and CPU time of the monitor's job per window of flights traffic, by stage."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.flights import config_with_own_store, demo_folder
from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.stopwatch import Stopwatch
from monitoring.baseline.batch import in_batches
from monitoring.baseline.predictions import no_predictions
from monitoring.baseline.schema import load_schema, validate
from monitoring.baseline.statistics import dataset_statistics
from monitoring.config import MonitorConfig
from monitoring.deployment.deployment import Deployment, deploy
from monitoring.deployment.places import EXTRAS, SCHEMA_FILE
from monitoring.evidence.level import LevelState
from monitoring.judging.window.label_join import LabelJoin
from monitoring.records import LEVELS, Level, ScoreSum, WatchKey, WindowRecord
from monitoring.runs.run import run_due_windows
from monitoring.runs.run_request import Progress
from monitoring.sources.log_source import LogSource
from monitoring.sources.traffic import traffic_path
from monitoring.store.store import Store
from monitoring.timestamps import duration_microseconds
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.windows import Window
from monitoring.watches.catalogue import catalogue

LABELS, READ = "join labels", "read the traffic log"
WATCHES, EVIDENCE, SCHEMA, COMMIT = "profile and watches", "evidence", "schema by TFDV", "store commit"
PARQUET = "Parquet files, by pyarrow alone"
WHOLE = "the job as it runs"

#: Passes over the Parquet files by pyarrow alone.
PASSES = 5


@dataclass(slots=True)
class Marks:
    """Times at which each window was finished, on both clocks."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    windows: list[WindowRecord] = field(default_factory=list)

    def set(self, progress: Progress) -> None:
        """Called after each window."""
        self.wall.append(time.perf_counter())
        self.cpu.append(time.process_time())
        self.rows.append(progress.window.rows)
        self.windows.append(progress.window)


def measure(settings: Settings) -> Result:
    """Measure the whole job and its stages in one run. Cost: under a minute with an existing demo."""
    demo = demo_folder(settings)
    count = 10 if settings.quick else 90
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        config = config_with_own_store(demo, Path(folder))
        marks = Marks()
        with Store.open(config.store.url) as store:
            # One more than is measured: the first one reads the schema.
            run_due_windows(
                config, store, clock=lambda: datetime.now(UTC), stop=lambda: len(marks.wall) > count, progress=marks.set
            )
        watch.wall[WHOLE] = marks.wall[-1] - marks.wall[0]
        watch.cpu[WHOLE] = marks.cpu[-1] - marks.cpu[0]
        evaluated = tuple(marks.windows[1:])
        rows = sum(marks.rows[1:])
        _stages(watch, config, evaluated)
        _commits(watch, config, evaluated, Path(folder) / "again")
        _parquet(watch, config, evaluated)
    return Result(tables=(_table(watch, rows, len(evaluated)),))


def _stages(watch: Stopwatch, config: MonitorConfig, evaluated: tuple[WindowRecord, ...]) -> None:
    """Time each step of the job on the same windows."""
    deployment = deploy(config)
    watched = catalogue(deployment.baseline, config.traffic.slices)
    schema = load_schema(deployment.bundle / EXTRAS / SCHEMA_FILE)
    reader = LogSource(traffic_path(config), config.model, deployment.baseline.spec, version=deployment.version)
    label_join = LabelJoin(
        LabelLog(Path(str(config.traffic.path))).parts(),
        task=deployment.baseline.spec.task,
        read=0,
        horizon_us=duration_microseconds(deployment.horizon),
    )
    empty = no_predictions(deployment.baseline.spec)
    levels: dict[Level, LevelState] = {level: LevelState() for level in LEVELS}
    for number, record in enumerate(evaluated):
        window = Window(start=record.start, end=record.end)
        with watch.stage(READ):
            predictions, _ = reader.read(window)
        with watch.stage(LABELS):
            arrivals = label_join.join(window, reader.rows(window).select, first=number == 0)
        aggregator = deployment.judge.aggregator()
        with watch.stage(WATCHES):
            for batch in in_batches(predictions):
                aggregator.add_answered(batch)
            for begun, batch in arrivals.batches(first=True):
                aggregator.add_labelled(batch, begun)
            gathered = aggregator.result(empty)
            answered, labelled = gathered.answered, gathered.labelled
            sums = deployment.judge.scorer.sums(answered, labelled)
        with watch.stage(EVIDENCE):
            _step(deployment, levels, sums)
        with watch.stage(SCHEMA):
            validate(dataset_statistics(answered.counts, watched.bins), schema)


def _step(deployment: Deployment, levels: dict[Level, LevelState], sums: dict[WatchKey, ScoreSum]) -> None:
    for level in LEVELS:
        levels[level], _ = deployment.reference_fit.tests[level].step(levels[level], sums)


def _commits(watch: Stopwatch, config: MonitorConfig, evaluated: tuple[WindowRecord, ...], folder: Path) -> None:
    """Time the commits of the same window records to a new store."""
    folder.mkdir()
    deployment = deploy(config)
    with Store.open(f"sqlite:///{folder / 'pitfalls.db'}") as store:
        number = store.find_or_create(deployment.record(config, datetime.now(UTC)))
        for record in evaluated:
            with watch.stage(COMMIT):
                store.commit_window(number, record, states={}, label_cursor={"labels": 0}, incidents=())


def _parquet(watch: Stopwatch, config: MonitorConfig, evaluated: tuple[WindowRecord, ...]) -> None:
    """Time reading the log's files of the same days and columns: the fastest of a few passes.

    One pass takes a few milliseconds per window, and all ratios of the table depend on it.
    """
    days = {record.start.date() for record in evaluated} | {record.end.date() for record in evaluated}
    files = [
        path
        for day in sorted(days)
        for path in sorted(Path(str(config.traffic.path)).glob(f"model=*/version=*/date={day}/*.parquet"))
    ]
    passes = Stopwatch()
    for number in range(PASSES):
        with passes.stage(str(number)):
            for path in files:
                file = pq.ParquetFile(path)
                names = [
                    name
                    for name in file.schema_arrow.names
                    if name.startswith(("input:", "output:")) or name in {"request_id", "row", "event_time"}
                ]
                file.read(columns=names)
    watch.wall[PARQUET], watch.cpu[PARQUET] = min(passes.wall.values()), min(passes.cpu.values())


def _table(watch: Stopwatch, rows: int, windows: int) -> Table:
    named = (READ, LABELS, WATCHES, EVIDENCE, SCHEMA, COMMIT)
    watch.wall["stages together"] = sum(watch.wall[name] for name in named)
    watch.cpu["stages together"] = sum(watch.cpu[name] for name in named)
    table_rows: list[tuple[Cell, ...]] = []
    for name in (WHOLE, *named, "stages together", PARQUET):
        wall = watch.wall[name]
        table_rows.append(
            (
                name,
                wall / windows * 1e3,
                watch.cpu[name] / windows * 1e3,
                rows / wall,
                wall / watch.wall[PARQUET],
                wall / watch.wall[WHOLE],
            )
        )
    return Table(
        title=f"The monitor's job on {windows} days of flights traffic, {rows:,} rows",
        columns=("stage", "ms a window", "CPU ms per window", "rows/s", "times pyarrow", "of the job"),
        rows=tuple(table_rows),
        note=(
            "Windows after the first one, which reads the schema. Stages are timed in a second pass over the same "
            "windows, with a warm page cache. pyarrow alone: the same columns of the same files, read and "
            "discarded, the fastest of five passes; it reads whole UTC days, while windows are local days."
        ),
    )
