"""``python -m benchmarks.window_probe METHOD FOLDER``: measure one method over one table in its own process, as JSON.

FOLDER has `live.parquet`, a window of predictions, and `watched/`, the output of `pitfalls monitor init`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.stopwatch import Stopwatch
from monitoring.baseline.folder import load_baseline
from monitoring.baseline.predictions import no_predictions
from monitoring.baseline.profile import Bins, Profile
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.baseline.schema import load_schema, validate
from monitoring.baseline.statistics import dataset_statistics
from monitoring.config import MonitorConfig, load_config
from monitoring.deployment.deployment import Deployment, deploy
from monitoring.judging.input_check import CheckResult, InputCheck
from monitoring.judging.judge import Judge
from monitoring.judging.judge_state import JudgeState
from monitoring.judging.window.label_join import LabelJoin
from monitoring.judging.window.window_reader import read_window
from monitoring.judging.window.window_traffic import DueWindow
from monitoring.sources.read_scope import ReadScope
from monitoring.sources.traffic import open_traffic
from monitoring.timestamps import duration_microseconds
from monitoring.watches.catalogue import Catalogue, catalogue

LIVE = "live.parquet"
WATCHED = "watched"
NOW = datetime(2030, 1, 1, tzinfo=UTC)

#: Passes of pyarrow with each memory pool; the fastest one counts.
PASSES = 5

#: Repeated evaluations of a window in the same process; the fastest one counts.
REPEATS = 3

#: Rows of a batch: enough to make the cost of a call negligible, few enough to keep all columns small.
ROWS = 1 << 16


def floor(folder: Path, watch: Stopwatch) -> None:
    """Read all columns by pyarrow in one thread: the fastest of a few passes, and the cold first one.

    Each memory pool is measured, and the fastest one counts; the cold pass uses the job's pool.
    """
    passes = Stopwatch()
    for pool in dict.fromkeys((pa.default_memory_pool().backend_name, *pa.supported_memory_backends())):
        pa.set_memory_pool(getattr(pa, f"{pool}_memory_pool")())
        for number in range(PASSES):
            with passes.stage(f"{pool} {number}"):
                pq.read_table(folder / LIVE, use_threads=False)
    watch.cpu["read"], watch.wall["read"] = min(passes.cpu.values()), min(passes.wall.values())
    watch.cpu["cold"], watch.wall["cold"] = next(iter(passes.cpu.values())), next(iter(passes.wall.values()))


def scan(folder: Path, watch: Stopwatch) -> None:
    """Read all columns by pyarrow in one thread in batches: the faster of two passes."""
    passes = Stopwatch()
    for number in range(2):
        with passes.stage(str(number)), pq.ParquetFile(folder / LIVE, pre_buffer=False, buffer_size=1 << 20) as file:
            for _ in file.iter_batches(batch_size=ROWS, use_threads=False):
                pass
    watch.cpu["read"], watch.wall["read"] = min(passes.cpu.values()), min(passes.wall.values())


def batches(folder: Path, watch: Stopwatch) -> None:
    """Profile every input in batches from the file, each column decoded once."""
    bins = load_baseline(folder / WATCHED / "baseline").bins
    counting, names = ProfileBuilder(bins).begin(), [b.feature for b in bins]
    texts = [b.feature for b in bins if b.edges is None]
    before = _peak()
    with (
        watch.stage("profile"),
        pq.ParquetFile(folder / LIVE, pre_buffer=False, buffer_size=1 << 20, read_dictionary=texts) as file,
    ):
        for batch in file.iter_batches(batch_size=ROWS, columns=names, use_threads=False):
            counting.add(pa.Table.from_batches([batch]))
        counting.profile()
    watch.cpu["MB more"] = watch.wall["MB more"] = _peak() - before


def memory(folder: Path, watch: Stopwatch) -> None:
    """Profile every input of a table in memory: the fastest of a few passes."""
    bins = load_baseline(folder / WATCHED / "baseline").bins
    texts = [b.feature for b in bins if b.edges is None]
    table = pq.read_table(folder / LIVE, columns=[b.feature for b in bins], read_dictionary=texts)
    passes = Stopwatch()
    for number in range(PASSES):
        with passes.stage(str(number)):
            ProfileBuilder(bins).count(table)
    watch.cpu["profile"], watch.wall["profile"] = min(passes.cpu.values()), min(passes.wall.values())


def job(folder: Path, watch: Stopwatch) -> tuple[Profile, tuple[Bins, ...]]:
    """Evaluate one window as `pitfalls monitor run` does: the first one of a process, and later ones.

    Later ones are the same window evaluated again from the start; "warm" is the fastest of them.

    Returns:
        Seconds by stage, and megabytes.
    """
    config = load_config(folder / WATCHED / "monitor.toml")
    config = config.model_copy(update={"traffic": config.traffic.model_copy(update={"path": folder / LIVE})})
    with watch.stage("baseline"):
        deployment = deploy(config)
        watched = catalogue(deployment.baseline, config.traffic.slices)
    watch.cpu["MB before"] = watch.wall["MB before"] = _peak()
    counts = _evaluate(config, deployment, watched, watch)
    watch.cpu["MB"] = watch.wall["MB"] = _peak()
    later = []
    for _ in range(REPEATS):
        label_log = folder / WATCHED / "label-log"
        shutil.rmtree(label_log, ignore_errors=True)
        again = Stopwatch()
        _evaluate(config, deployment, watched, again)
        later.append(sum(again.cpu.values()))
    watch.cpu["warm"] = min(later)
    return counts, watched.bins


def _evaluate(config: MonitorConfig, deployment: Deployment, watched: Catalogue, watch: Stopwatch) -> Profile:
    judge = Judge(
        watched,
        deployment.reference_fit,
        timezone=config.windows.timezone,
        phases=deployment.plan.phases,
        input_check=InputCheck(watched.bins, lambda _profile, _absent, _previous: CheckResult(), min_rows=0),
    )
    with watch.stage("index and labels"):
        traffic = open_traffic(
            config, deployment.baseline, deployment.version, clock=lambda: NOW, scope=ReadScope(job=True)
        )
        (window,) = deployment.plan.due_windows(traffic, after=None, now=NOW)
        label_join = LabelJoin(
            traffic.label_parts(),
            task=deployment.baseline.spec.task,
            read=0,
            horizon_us=duration_microseconds(deployment.horizon),
        )
    empty = no_predictions(deployment.baseline.spec)
    with watch.stage("the stream"):
        brought = read_window(
            traffic, label_join, DueWindow(window=window, first=True), judge.aggregator(), empty=empty
        )
    with watch.stage("evidence"):
        judge.judge(JudgeState(), brought)
    return brought.answered.counts


def job_with_schema(folder: Path, watch: Stopwatch) -> None:
    """The job, and then the schema validation of the profile by TFDV's native module."""
    counts, bins = job(folder, watch)
    with watch.stage("read the schema"):
        schema = load_schema(folder / WATCHED / "baseline" / "schema.pbtxt")
    with watch.stage("schema by TFDV"):
        validate(dataset_statistics(counts, bins), schema)
    watch.cpu["MB with the check"] = watch.wall["MB with the check"] = _peak()


def tfdv(folder: Path, watch: Stopwatch) -> None:
    """TFDV's statistics of the same columns in memory, without its import."""
    import tensorflow_data_validation as validation  # noqa: PLC0415  # brings TensorFlow

    frame = pq.read_table(folder / LIVE).drop_columns(["ts"]).to_pandas()
    with watch.stage("statistics"):
        validation.generate_statistics_from_dataframe(frame, n_jobs=1)
    watch.cpu["MB"] = watch.wall["MB"] = _peak()


def evidently(folder: Path, watch: Stopwatch) -> None:
    """Evidently's drift preset of the same columns against the reference, without its import and the HTML."""
    os.environ["DO_NOT_TRACK"] = "1"
    from evidently import DataDefinition, Dataset, Report  # noqa: PLC0415  # seconds
    from evidently.presets import DataDriftPreset  # noqa: PLC0415  # as above

    now = pq.read_table(folder / LIVE).drop_columns(["ts"]).to_pandas()
    then = pq.read_table(folder / "reference.parquet").drop_columns(["ts"]).to_pandas()
    texts = [str(name) for name in now if now[name].dtype == object]
    definition = DataDefinition(
        numerical_columns=[str(name) for name in now if name not in texts], categorical_columns=texts
    )
    with watch.stage("preset"):
        datasets = [Dataset.from_pandas(frame, data_definition=definition) for frame in (now, then)]
        Report([DataDriftPreset()]).run(datasets[0], datasets[1]).dict()
    watch.cpu["MB"] = watch.wall["MB"] = _peak()


METHODS: dict[str, Callable[[Path, Stopwatch], object]] = {
    "floor": floor,
    "scan": scan,
    "batches": batches,
    "memory": memory,
    "job": job,
    "job_with_schema": job_with_schema,
    "tfdv": tfdv,
    "evidently": evidently,
}


def _peak() -> float:
    """Peak memory of this process in megabytes; `getrusage` would include the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    status = Stopwatch()
    METHODS[sys.argv[1]](Path(sys.argv[2]), status)
    status.cpu["MB in all"] = _peak()
    print(json.dumps(status.cpu))
