"""Cost of the traffic log: microseconds per append, megabytes per second, and reading one day of many."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.results import Cell, Result, Settings, Table
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter

FIRST_DAY = datetime(2013, 4, 1, tzinfo=UTC)
DAY_US = 86_400_000_000
ROUNDS = 5


def measure(settings: Settings) -> Result:
    """Measure appends by batch size, and reading a year by day and as a whole."""
    rng = np.random.default_rng(0)
    appends, days = (50, 10) if settings.quick else (1000, 275)
    return Result(tables=(appending(rng, appends), reading(rng, days)))


def batch(rng: np.random.Generator, count: int, *, day: int = 0, number: int = 0) -> AnsweredRows:
    """Rows with sixteen inputs (12 numbers, 4 categories) and two outputs, as of a flights model."""
    start = as_microseconds(FIRST_DAY) + day * DAY_US
    numbers = {f"number_{i}": rng.random(count, np.float32) for i in range(12)}
    categories = {f"category_{i}": rng.choice(np.array([b"UA", b"EWR", b"LGA"], object), count) for i in range(4)}
    return AnsweredRows(
        model="flights",
        version=1,
        signature="serving_default",
        request_ids=[f"0190a0b0-{day:04d}-{number:08d}"] * count,
        rows=np.arange(count, dtype=np.int32),
        event_times_us=start + np.sort(rng.integers(0, DAY_US, count)),
        answered_at_us=start,
        latencies_us=rng.integers(100, 10_000, count),
        inputs=numbers | categories,
        outputs={"probabilities": rng.random((count, 2), np.float32), "logits": rng.random((count, 2), np.float32)},
    )


def appending(rng: np.random.Generator, appends: int) -> Table:
    """Table of appends by batch size, and of a bare `os.write` of as many bytes."""
    rows: list[tuple[Cell, ...]] = []
    for count in (1, 8, 32, 128, 256):
        answered = batch(rng, count)
        fastest = least = bare = float("inf")
        size = 0
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory() as folder:
                writer = TrafficWriter(Path(folder), clock=lambda: datetime.now(UTC), segment_bytes=1 << 40)
                writer.append(answered)
                begin, busy = time.perf_counter(), time.process_time()
                for _ in range(appends):
                    writer.append(answered)
                fastest = min(fastest, (time.perf_counter() - begin) / appends)
                least = min(least, (time.process_time() - busy) / appends)
                [segment] = (Path(folder) / "open").iterdir()
                size = segment.stat().st_size // (appends + 1)
                bare = min(bare, _bare_writes(Path(folder) / "bare", size, appends))
                segment.unlink()  # no conversion: only appends are measured here
                segment.touch()
                writer.close()
        rows.append((count, fastest * 1e6, least * 1e6, size / fastest / 1e6, size / count, fastest / bare))
    return Table(
        title="Appends of a model with 16 inputs and 2 outputs",
        columns=("rows", "us/append", "CPU us", "MB/s", "bytes/row", "times a bare write"),
        rows=tuple(rows),
        note=f"Fastest of {ROUNDS} rounds of {appends:,}, warm page cache, no fsync.",
    )


def _bare_writes(path: Path, size: int, count: int) -> float:
    """Seconds of one unbuffered write of this many bytes."""
    chunk = bytes(size)
    with path.open("ab", buffering=0) as file:
        begin = time.perf_counter()
        for _ in range(count):
            file.write(chunk)
        return (time.perf_counter() - begin) / count


def reading(rng: np.random.Generator, days: int) -> Table:
    """Table of conversion, and of reading one day and all of `days` days with 930 rows."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        writer = TrafficWriter(root, clock=lambda: datetime.now(UTC))
        for day in range(days):
            for number in range(6):
                writer.append(batch(rng, 155, day=day, number=number))
        log = TrafficLog(root)
        middle = FIRST_DAY + timedelta(days=days // 2)
        seconds = {
            "one day, all in one open segment": fastest_of(lambda: one_day(log, middle)),
            f"convert {days} days at close()": fastest_of(writer.close, rounds=1),
            "one day of Parquet": fastest_of(lambda: one_day(log, middle)),
            "every day": fastest_of(lambda: log.read(model="flights").num_rows),
            "every day, two columns": fastest_of(lambda: read_two(log)),
            "extent": fastest_of(lambda: log.extent("flights")),
            "summary": fastest_of(log.summary),
        }
    whole = seconds["every day"]
    return Table(
        title=f"Reading a log of {days} days, {days * 930:,} rows",
        columns=("read", "ms", "times reading every day"),
        rows=tuple((what, spent * 1e3, spent / whole) for what, spent in seconds.items()),
    )


def one_day(log: TrafficLog, day: datetime) -> int:
    """Read the rows of a day."""
    return int(log.read(model="flights", start=day, end=day + timedelta(days=1)).num_rows)


def read_two(log: TrafficLog) -> int:
    """Read two columns of all days."""
    return int(log.read(model="flights", columns=["prediction_id", "output:probabilities"]).num_rows)


def fastest_of(call: Callable[[], object], *, rounds: int = 3) -> float:
    """Seconds of the fastest of several calls."""
    fastest = float("inf")
    for _ in range(rounds):
        begin = time.perf_counter()
        call()
        fastest = min(fastest, time.perf_counter() - begin)
    return fastest
