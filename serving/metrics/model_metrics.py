"""Metrics of models as they are loaded, warmed up and run, under TensorFlow Serving's names."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import final

# 10 µs growing by 1.8: the exponential buckets of TensorFlow Serving's own histograms of time.
BUCKETS_US: tuple[float, ...] = tuple(10 * 1.8**power for power in range(33))

Labels = tuple[tuple[str, str], ...]


@final
class Histogram:
    """Counts by bucket, and the sum of the values. ``edges`` are the buckets' upper ends, ascending.

    >>> histogram = Histogram()
    >>> histogram.observe(12.0, times=2)
    >>> histogram.total, histogram.sum
    (2, 24.0)
    """

    __slots__ = ("counts", "edges", "sum")

    def __init__(self, edges: Sequence[float] = BUCKETS_US) -> None:
        self.edges = edges
        self.counts = [0] * (len(edges) + 1)
        self.sum = 0.0

    def observe(self, value: float, times: int = 1) -> None:
        """Count a value, in the unit of the edges."""
        self.counts[bisect_left(self.edges, value)] += times
        self.sum += value * times

    @property
    def total(self) -> int:
        """The number of values."""
        return sum(self.counts)


def counter_lines(name: str, values: Mapping[Labels, int], *, kind: str = "counter") -> Iterator[str]:
    r"""The lines of a family of counters, or of another ``kind`` with one number each.

    >>> list(counter_lines("seen", {(("by", 'a"b'),): 2}))
    ['# TYPE seen counter', 'seen{by="a\\"b"} 2']
    """
    yield f"# TYPE {name} {kind}"
    for labels, value in values.items():
        yield f"{name}{_braced(labels)} {value}"


def histogram_lines(name: str, values: Mapping[Labels, Histogram]) -> Iterator[str]:
    """The lines of a family of histograms."""
    yield f"# TYPE {name} histogram"
    for labels, histogram in values.items():
        edges = [f"{edge:g}" for edge in histogram.edges] + ["+Inf"]
        for edge, count in zip(edges, accumulate(histogram.counts), strict=True):
            yield f"{name}_bucket{_braced((*labels, ('le', edge)))} {count}"
        yield f"{name}_sum{_braced(labels)} {histogram.sum:.10g}"
        yield f"{name}_count{_braced(labels)} {histogram.total}"


def _braced(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


LOAD_ATTEMPTS = ":tensorflow:cc:saved_model:load_attempt_count"
LOAD_LATENCY = ":tensorflow:cc:saved_model:load_latency"
WARMUP_LATENCY = ":tensorflow:serving:model_warmup_latency"
WARMUP_RECORDS = ":tensorflow:serving:model_warmup_records_read"
RUNTIME_LATENCY = ":tensorflow:serving:runtime_latency"
EXAMPLE_COUNTS = ":tensorflow:serving:request_example_counts"
EXAMPLE_TOTAL = ":tensorflow:serving:request_example_count_total"
GRAPH_RUNS = ":tensorflow:core:graph_runs"
GRAPH_TIME = ":tensorflow:core:graph_run_time_usecs"
RUNTIME = "TF1"  # TensorFlow Serving's name of a session

# 1 to 2^14: TensorFlow Serving's buckets for examples.
EXAMPLE_EDGES: tuple[float, ...] = tuple(2.0**power for power in range(15))


@final
class ModelCounts:
    """Counts of loads and runs. Runs are counted from any thread, loads from one; `lines` may read in another.

    >>> counts = ModelCounts()
    >>> counts.ran("m", "tensorflow/serving/predict", [3, 1], 250.0)
    >>> [line for line in counts.lines() if line.startswith(EXAMPLE_TOTAL)]
    [':tensorflow:serving:request_example_count_total{model="m"} 4']
    """

    def __init__(self) -> None:
        self._attempts: Counter[tuple[str, str]] = Counter()  # by version folder and status
        self._load_us: Counter[str] = Counter()
        self._warmups: dict[tuple[str, str], Histogram] = {}  # by version folder and status
        self._records: Counter[tuple[str, str]] = Counter()  # by version folder and status
        self._runs: dict[tuple[str, str], Histogram] = {}  # by model and method
        self._rows: dict[str, Histogram] = {}
        self._graph_runs, self._graph_us = 0, 0.0
        self._counting = threading.Lock()

    def loaded(self, path: Path, latency_us: float) -> None:
        """Count a version that was loaded, and the time that took in microseconds."""
        self._attempts[str(path), "success"] += 1
        self._load_us[str(path)] += round(latency_us)

    def not_loaded(self, path: Path) -> None:
        """Count a version that could not be loaded."""
        self._attempts[str(path), "fail"] += 1

    def warmed_up(self, path: Path, *, records: int, latency_us: float, status: str) -> None:
        """Count a version's warmup: its records, microseconds, and OK or the name of the error code."""
        if records:
            self._records[str(path), status] += records
        histogram = self._warmups.get((str(path), status))
        if histogram is None:
            histogram = self._warmups[str(path), status] = Histogram()
        histogram.observe(latency_us)

    def ran(self, model: str, method: str, rows: Sequence[int], latency_us: float) -> None:
        """Count a run of a model for requests of these numbers of rows, in microseconds. Cost: 1 µs for one request."""
        key = (model, method)
        with self._counting:
            self._graph_runs += 1
            self._graph_us += latency_us
            histogram = self._runs.get(key)
            if histogram is None:
                histogram = self._runs[key] = Histogram()
                self._rows.setdefault(model, Histogram(EXAMPLE_EDGES))
            histogram.observe(latency_us, len(rows))
            observe = self._rows[model].observe
            if rows.count(rows[0]) == len(rows):  # mostly one row each
                observe(rows[0], len(rows))
            else:
                for count in rows:
                    observe(count)

    def lines(self) -> Iterator[str]:
        """The metrics as lines of the page."""
        runs: dict[Labels, Histogram] = {
            (("model_name", model), ("API", _api(method)), ("runtime", RUNTIME)): histogram
            for (model, method), histogram in list(self._runs.items())
        }
        rows: dict[Labels, Histogram] = {
            (("model", model),): histogram for model, histogram in list(self._rows.items())
        }
        warmups: dict[Labels, Histogram] = {
            (("model_path", path), ("status", status)): histogram
            for (path, status), histogram in list(self._warmups.items())
        }
        yield from histogram_lines(RUNTIME_LATENCY, runs)
        yield from histogram_lines(EXAMPLE_COUNTS, rows)
        yield from counter_lines(EXAMPLE_TOTAL, {labels: int(histogram.sum) for labels, histogram in rows.items()})
        yield from counter_lines(GRAPH_RUNS, {(): self._graph_runs} if self._graph_runs else {})
        yield from counter_lines(GRAPH_TIME, {(): round(self._graph_us)} if self._graph_runs else {})
        yield from histogram_lines(WARMUP_LATENCY, warmups)
        yield from counter_lines(WARMUP_RECORDS, _by_status(self._records))
        yield from counter_lines(LOAD_ATTEMPTS, _by_status(self._attempts))
        loads: dict[Labels, int] = {(("model_path", path),): count for path, count in list(self._load_us.items())}
        yield from counter_lines(LOAD_LATENCY, loads)


def _by_status(counts: Counter[tuple[str, str]]) -> dict[Labels, int]:
    return {(("model_path", path), ("status", status)): count for (path, status), count in list(counts.items())}


def _api(method: str) -> str:
    """The API of a signature's method: ``tensorflow/serving/classify`` is Classify; unknown methods are Predict.

    >>> _api("tensorflow/serving/regress"), _api("")
    ('Regress', 'Predict')
    """
    name = method.rpartition("/")[2].capitalize()
    return name if name in {"Classify", "Regress"} else "Predict"
