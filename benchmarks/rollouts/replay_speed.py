"""A million logged rows replayed with a candidate: processor time, and what a replay costs that was killed before."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.flights import demo_folder
from benchmarks.results import Cell, Result, Settings, Table
from monitoring.baseline.predictions import microseconds
from monitoring.errors import BadInput
from monitoring.traffic.format.rows import INPUT, OUTPUT, AnsweredRows
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter

#: The share of the rows that are answered when the first replay is killed.
KILLED_AT = 0.25

#: Rows that are appended to the log at once.
_AT_ONCE = 10_000

SECTION = """
[rollout]
champion = 1
candidate = 2
trained_until = 2000-01-01T00:00:00Z
[rollout.decide]
guards = ["slices", "errors", "calibration"]
"""


def measure(settings: Settings) -> Result:
    """Repeat the demo's log in later years, and replay all of it. Cost: ten minutes of processor time, and 1 GB."""
    demo = demo_folder(settings)
    wanted = 20_000 if settings.quick else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, days = _write(demo, folder, wanted)
        killed = _replay(folder, kill_after=round(KILLED_AT * rows))
        found = [_replay(folder), _replay(folder)]
    parts = (("killed by SIGKILL", killed), ("the same command again", found[0]), ("once more", found[1]))
    table: list[tuple[Cell, ...]] = []
    for what, (document, used, elapsed) in parts:
        scored = None if document is None else int(document["scored"])
        table.append((what, scored, used, elapsed, None if not scored else scored / used))
    return Result(
        tables=(
            Table(
                title=f"{rows:,} rows of {days:,} days replayed",
                columns=("replay", "rows scored", "CPU seconds", "seconds", "rows a CPU second"),
                rows=tuple(table),
                note="All processes together; of the killed one its candidate's, which ended with it, is not known.",
            ),
        ),
        remarks=(f"Verdict: {found[0][0]['verdict'] if found[0][0] else 'none'}.",),
    )


def _write(demo: Path, folder: Path, wanted: int) -> tuple[int, int]:
    """The demo's rows and labels, in so many years that there are `wanted` rows; rows and days."""
    log = TrafficLog(demo / "traffic")
    table, labels = log.read(model="flights").combine_chunks(), LabelLog(demo / "traffic").latest()
    span = pc.max(table["event_time"]).as_py() - pc.min(table["event_time"]).as_py() + timedelta(days=1)
    shift_us = span.days * 86_400_000_000
    rows = 0
    for number in range(-(-wanted // table.num_rows)):
        part = table.slice(0, wanted - rows)
        writer = TrafficWriter(folder / "traffic", clock=_now)
        for first in range(0, part.num_rows, _AT_ONCE):
            writer.append(_again(part.slice(first, _AT_ONCE), number, number * shift_us))
        writer.close()
        ids = pc.binary_join_element_wise(f"{number}-", labels["prediction_id"], "").to_pylist()
        times = microseconds(labels["label_time"]) + number * shift_us
        LabelWriter(folder / "traffic", clock=_now).append(ids, labels["label"].to_pylist(), times.tolist())
        rows += part.num_rows
        print(f"{rows:,} rows written", file=sys.stderr, flush=True)
    for version in ("1", "2"):
        shutil.copytree(demo / "models/flights/1", folder / "models/flights" / version)
    text = (demo / "monitor.toml").read_text("utf-8").partition("\n[rollout]")[0]
    (folder / "monitor.toml").write_text(text + SECTION, "utf-8")
    return rows, sum(1 for _ in (folder / "traffic/model=flights/version=1").glob("date=*"))


def _now() -> datetime:
    return datetime.now(UTC)


def _again(rows: pa.Table, number: int, shift_us: int) -> AnsweredRows:
    """Rows of a log as a server would have answered them some years later."""
    return AnsweredRows(
        model="flights",
        version=1,
        signature=rows["signature"][0].as_py(),
        request_ids=[f"{number}-{name.rpartition(':')[0]}" for name in rows["prediction_id"].to_pylist()],
        rows=np.array([int(name.rpartition(":")[2]) for name in rows["prediction_id"].to_pylist()], np.int32),
        event_times_us=microseconds(rows["event_time"]) + shift_us,
        answered_at_us=int(microseconds(rows["event_time"])[-1]) + shift_us,
        latencies_us=np.asarray(rows["latency_us"], dtype=np.int64),
        inputs=_tensors(rows, INPUT),
        outputs=_tensors(rows, OUTPUT),
    )


def _tensors(rows: pa.Table, prefix: str) -> dict[str, Any]:
    found = {}
    for name in rows.column_names:
        if name.startswith(prefix):
            column = rows[name].combine_chunks()
            flat = column.flatten() if pa.types.is_list(column.type) else column
            values = flat.to_numpy(zero_copy_only=False)
            shape = (rows.num_rows, -1) if pa.types.is_list(column.type) else (rows.num_rows,)
            found[name.removeprefix(prefix)] = values.reshape(shape)
    return found


def _replay(folder: Path, *, kill_after: int | None = None) -> tuple[dict[str, Any] | None, float, float]:
    """Replay the log: the document, CPU seconds and seconds; killed after so many rows were answered, without one."""
    command = [sys.executable, "-m", "pitfalls_tf", "rollout", "replay", "--json"]
    command += ["--config", str(folder / "monitor.toml")]
    before, begin = _cpu_seconds(), time.monotonic()
    popen = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    document = None
    if kill_after is None:
        text, _ = popen.communicate()
        document = json.loads(text)
    else:
        while popen.poll() is None and _answered(folder) < kill_after:
            time.sleep(0.2)
        popen.kill()
        popen.communicate()
    return document, _cpu_seconds() - before, time.monotonic() - begin


def _answered(folder: Path) -> int:
    """How many rows the candidate has answered so far."""
    for place in folder.glob("rollouts/flights/*"):
        with suppress(BadInput):  # nothing yet
            return int(TrafficLog(place).read(model="flights", columns=("prediction_id",)).num_rows)
    return 0


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
