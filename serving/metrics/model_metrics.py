"""What is counted of models as they are loaded, warmed up and run, under TensorFlow Serving's names."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, final

from serving.metrics.prometheus import Histogram, Labels, counter_lines, histogram_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

LOAD_ATTEMPTS = ":tensorflow:cc:saved_model:load_attempt_count"
LOAD_LATENCY = ":tensorflow:cc:saved_model:load_latency"
WARMUP_LATENCY = ":tensorflow:serving:model_warmup_latency"
WARMUP_RECORDS = ":tensorflow:serving:model_warmup_records_read"
RUNTIME_LATENCY = ":tensorflow:serving:runtime_latency"
EXAMPLE_COUNTS = ":tensorflow:serving:request_example_counts"
EXAMPLE_TOTAL = ":tensorflow:serving:request_example_count_total"
RUNTIME = "TF1"  # what TensorFlow Serving calls a session

# 1 to 2^14, as TensorFlow Serving counts examples.
EXAMPLE_EDGES: tuple[float, ...] = tuple(2.0**power for power in range(15))


@final
class ModelCounts:
    """Counts of loads and runs. Whatever writes one family does so from one thread at a time; `lines` reads in another.

    >>> counts = ModelCounts()
    >>> counts.ran("m", "tensorflow/serving/predict", [3, 1], 250.0)
    >>> [line for line in counts.lines() if line.startswith(EXAMPLE_TOTAL)]
    [':tensorflow:serving:request_example_count_total{model="m"} 4']
    """

    def __init__(self) -> None:
        self._attempts: Counter[tuple[str, str]] = Counter()  # by version folder and status
        self._load_us: Counter[str] = Counter()
        self._warmups: dict[tuple[str, str], Histogram] = {}  # by version folder and status
        self._records: Counter[str] = Counter()
        self._runs: dict[tuple[str, str], Histogram] = {}  # by model and method
        self._rows: dict[str, Histogram] = {}

    def loaded(self, path: Path, latency_us: float) -> None:
        """A version's graph and weights were read, which took so long."""
        self._attempts[str(path), "success"] += 1
        self._load_us[str(path)] += round(latency_us)

    def not_loaded(self, path: Path) -> None:
        """A version could not be read."""
        self._attempts[str(path), "fail"] += 1

    def warmed_up(self, path: Path, *, records: int, latency_us: float, status: str) -> None:
        """So many of a version's warmup records were replayed; ``status`` is OK or the name of the code."""
        self._records[str(path)] += records
        histogram = self._warmups.get((str(path), status))
        if histogram is None:
            histogram = self._warmups[str(path), status] = Histogram()
        histogram.observe(latency_us)

    def ran(self, model: str, method: str, rows: Sequence[int], latency_us: float) -> None:
        """A model ran, for one request or several at once, which have so many rows each. Cost: 1 µs for one."""
        key = (model, method)
        histogram = self._runs.get(key)
        if histogram is None:
            histogram = self._runs[key] = Histogram()
            self._rows.setdefault(model, Histogram(EXAMPLE_EDGES))
        histogram.observe(latency_us, len(rows))
        observe = self._rows[model].observe
        for count in rows:
            observe(count)

    def lines(self) -> Iterator[str]:
        """The families of the page."""
        runs: dict[Labels, Histogram] = {
            (("model_name", model), ("API", _api(method)), ("runtime", RUNTIME)): histogram
            for (model, method), histogram in list(self._runs.items())
        }
        rows: dict[Labels, Histogram] = {(("model", model),): one for model, one in list(self._rows.items())}
        warmups: dict[Labels, Histogram] = {
            (("model_path", path), ("status", status)): one for (path, status), one in list(self._warmups.items())
        }
        attempts: dict[Labels, int] = {
            (("model_path", path), ("status", status)): one for (path, status), one in list(self._attempts.items())
        }
        yield from histogram_lines(RUNTIME_LATENCY, runs)
        yield from histogram_lines(EXAMPLE_COUNTS, rows)
        yield from counter_lines(EXAMPLE_TOTAL, {labels: int(one.sum) for labels, one in rows.items()})
        yield from histogram_lines(WARMUP_LATENCY, warmups)
        yield from counter_lines(WARMUP_RECORDS, _by_path(self._records))
        yield from counter_lines(LOAD_ATTEMPTS, attempts)
        yield from counter_lines(LOAD_LATENCY, _by_path(self._load_us))


def _by_path(counts: Counter[str]) -> dict[Labels, int]:
    return {(("model_path", path),): count for path, count in list(counts.items())}


def _api(method: str) -> str:
    """``tensorflow/serving/classify`` is Classify; whatever is none of the three is called by Predict.

    >>> _api("tensorflow/serving/regress"), _api("")
    ('Regress', 'Predict')
    """
    name = method.rpartition("/")[2].capitalize()
    return name if name in {"Classify", "Regress"} else "Predict"
