"""A run stays below 400 MB whatever lies in the files: a process of its own is measured at its peak."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from tests.own_table import Watched, own_rows, watch
from tests.small_deployment import LIVE, Days

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

#: A process at its peak, in MB; of these some 100 are what it imports.
MOST_MB = 400

#: Rows of a batch that is written at once, and how often it is repeated.
ROWS, REPEATS = 250_000, 12

#: Labels in a table of their own: a third of the rows of each part, which take some 80 bytes each.
APART = 83_334

_PROGRAM = """
import json, sys
from datetime import datetime
from pathlib import Path
import pyarrow as pa
from monitoring.config import load_config
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store

def peak():
    status = Path("/proc/self/status").read_text()  # ru_maxrss is also that of the process that forked this one
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024

pa.set_memory_pool(pa.system_memory_pool())  # as the command line does
imports, config = peak(), load_config(Path(sys.argv[1]))
now = datetime.fromisoformat(sys.argv[2])
with Store.open(config.store.url) as store:
    done = run_due_windows(config, store, clock=lambda: now)
    rows = sum(window.rows for window in store.windows.read(done.deployment, scores=False))
    labels = sum(window.labels for window in store.windows.read(done.deployment, scores=False))
print(json.dumps({"imports": imports, "peak": peak(), "windows": done.judged, "rows": rows, "labels": labels}))
"""


def live(part: int) -> pa.Table:
    """One of `REPEATS` parts of forty days, in order of time, with ids of their own."""
    few = own_rows(Days(days=40, start=LIVE, seed=3))
    rng = np.random.default_rng(part)
    rows = few.take(pa.array(np.sort(rng.integers(0, few.num_rows, ROWS))))
    start, day = int(LIVE.timestamp() * 1e6), 86_400_000_000
    span = 40 * day // REPEATS
    times = np.sort(rng.integers(0, span, ROWS)) + start + part * span
    ids = pa.array([f"prediction-{part:04}-{place:012}" for place in range(ROWS)])
    moments = pa.array(times).cast(pa.timestamp("us", "UTC"))
    rows = rows.set_column(rows.column_names.index("ts"), "ts", moments)
    rows = rows.set_column(rows.column_names.index("known_at"), "known_at", moments)
    return rows.set_column(rows.column_names.index("id"), "id", ids)


def csv(folder: Path) -> str:
    schema = live(0).schema
    with pyarrow.csv.CSVWriter(folder / "live.csv", schema) as writer:
        for part in range(REPEATS):
            writer.write_table(live(part))
    return ""


def one_row_group(folder: Path) -> str:
    rows = pa.concat_tables([live(part) for part in range(REPEATS)])
    pq.write_table(rows, folder / "live.parquet", row_group_size=rows.num_rows)
    return ""


def labels_apart(folder: Path) -> str:
    apart = folder.parent / "labels"
    apart.mkdir()
    schema = live(0).schema
    without = pa.schema([field for field in schema if field.name not in _LABELS])
    labels = pa.schema([schema.field(name) for name in ("id", *_LABELS)])
    with (
        pq.ParquetWriter(folder / "live.parquet", without) as rows,
        pyarrow.csv.CSVWriter(apart / "labels.csv", labels) as csv,
    ):
        for part in range(REPEATS):
            table = live(part).take(pa.array(np.arange(0, ROWS, ROWS // APART + 1)))
            rows.write_table(table.drop_columns(list(_LABELS)))
            csv.write_table(table.select(["id", *_LABELS]))
    return 'labels = "../labels"\n'


_LABELS = ("y", "known_at")


@pytest.mark.parametrize("write", [csv, one_row_group, labels_apart])
def test_peak_memory(write: Callable[[Path], str], tmp_path: Path) -> None:
    watched: Watched = watch(tmp_path)
    folder = tmp_path / "live"
    folder.mkdir()
    settings = write(folder)
    toml = watched.adopted.config
    text = toml.read_text("utf-8")
    assert "[traffic]\n" in text
    toml.write_text(text.replace("[traffic]\n", f'[traffic]\npath = "{folder}"\n{settings}'), "utf-8")
    now = datetime(2014, 1, 1, tzinfo=UTC)
    command = [sys.executable, "-c", _PROGRAM, str(toml), now.isoformat()]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout.splitlines()[-1])
    assert found["rows"] == REPEATS * (APART if write is labels_apart else ROWS)
    assert found["labels"] > 0.9 * found["rows"]
    assert found["imports"] < found["peak"] < MOST_MB, found
