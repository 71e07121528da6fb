"""What the traffic log costs: microseconds per append, megabytes per second, and the reading of one day of many.

    python benchmarks/traffic_log.py [--appends 1000] [--days 275]

Times are the fastest of five rounds per append size, on a warm page cache, without fsync; sizes are bytes on disk. On a
busy machine the CPU time says more than the wall clock.
"""

# ruff: noqa: INP001 - benchmarks are scripts, not a package
from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from monitoring.traffic.log import AnsweredRows, TrafficLog, TrafficWriter

FIRST_DAY = datetime(2013, 4, 1, tzinfo=UTC)
DAY_US = 86_400_000_000
ROUNDS = 5


def batch(rng: np.random.Generator, count: int, *, day: int = 0, number: int = 0) -> AnsweredRows:
    """Sixteen inputs (12 numbers, 4 categories) and two outputs, as a flights model has."""
    start = int(FIRST_DAY.timestamp()) * 1_000_000 + day * DAY_US
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


def measure_appends(rng: np.random.Generator, appends: int) -> None:
    """Prints a row per batch size."""
    print(f"{'rows':>6} {'us/append':>10} {'CPU us':>8} {'MB/s':>8} {'bytes/row':>10}")
    for count in (1, 8, 32, 128, 256):
        rows = batch(rng, count)
        fastest = least = float("inf")
        size = 0
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory() as folder:
                writer = TrafficWriter(Path(folder), clock=lambda: datetime.now(UTC), segment_bytes=1 << 40)
                writer.append(rows)
                begin, busy = time.perf_counter(), time.process_time()
                for _ in range(appends):
                    writer.append(rows)
                fastest = min(fastest, (time.perf_counter() - begin) / appends)
                least = min(least, (time.process_time() - busy) / appends)
                [segment] = (Path(folder) / "open").iterdir()
                size = segment.stat().st_size // (appends + 1)
                segment.unlink()  # nothing to convert: only appending is measured here
                segment.touch()
                writer.close()
        print(f"{count:6d} {fastest * 1e6:10.1f} {least * 1e6:8.1f} {size / fastest / 1e6:8.1f} {size / count:10.1f}")


def measure_reads(rng: np.random.Generator, days: int) -> None:
    """Prints conversion, and the reading of one day and of all, out of `days` days of 930 rows."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        writer = TrafficWriter(root, clock=lambda: datetime.now(UTC))
        for day in range(days):
            for number in range(6):
                writer.append(batch(rng, 155, day=day, number=number))
        log = TrafficLog(root)
        middle = FIRST_DAY + timedelta(days=days // 2)
        timed("read one day, all in one open segment", lambda: one_day(log, middle))
        timed(f"convert {days} days at close()", writer.close, rounds=1)
        timed("read one day of Parquet", lambda: one_day(log, middle))
        timed("read every day", lambda: log.read(model="flights").num_rows)
        timed("read every day, two columns", lambda: read_two(log))
        timed("extent", lambda: log.extent("flights"))
        timed("summary", log.summary)


def one_day(log: TrafficLog, day: datetime) -> int:
    """The rows of a day."""
    return int(log.read(model="flights", start=day, end=day + timedelta(days=1)).num_rows)


def read_two(log: TrafficLog) -> int:
    """The rows of all days, of a projection."""
    return int(log.read(model="flights", columns=["prediction_id", "output:probabilities"]).num_rows)


def timed(what: str, call: object, *, rounds: int = 3) -> None:
    """Prints the fastest of some calls."""
    assert callable(call)
    fastest = float("inf")
    for _ in range(rounds):
        begin = time.perf_counter()
        call()
        fastest = min(fastest, time.perf_counter() - begin)
    print(f"{what:40s} {fastest * 1e3:9.1f} ms")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--appends", type=int, default=1000)
    parser.add_argument("--days", type=int, default=275)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    measure_appends(rng, arguments.appends)
    measure_reads(rng, arguments.days)


if __name__ == "__main__":
    main()
