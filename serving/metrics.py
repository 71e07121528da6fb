"""The Prometheus page: TensorFlow Serving's names, which `prometheus_client` would change, and our own.

Text format 0.0.4: ``# TYPE`` lines without HELP, a leading colon in TensorFlow Serving's names, times in microseconds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from serving.capture import Capture

# 10 µs growing by 1.8: the exponential buckets of TensorFlow Serving's own histograms.
BUCKETS_US: tuple[float, ...] = tuple(10 * 1.8**power for power in range(33))

REQUEST_COUNT = ":tensorflow:serving:request_count"
REQUEST_LATENCY = ":tensorflow:serving:request_latency"

Labels = tuple[tuple[str, str], ...]


@final
class Histogram:
    """Counts by bucket, with the sum of what was counted.

    >>> histogram = Histogram()
    >>> histogram.observe(12.0)
    >>> histogram.total, histogram.sum
    (1, 12.0)
    """

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS_US) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value, in microseconds."""
        self.counts[bisect_left(BUCKETS_US, value)] += 1
        self.sum += value

    @property
    def total(self) -> int:
        """How many values were counted."""
        return sum(self.counts)


@final
class Metrics:
    """What the server counts about requests. Belongs to the event loop."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str]] = Counter()  # by model and status
        self._latencies: dict[tuple[str, str, str], Histogram] = {}  # by model, API and entrypoint

    def count(self, *, model: str, verb: str, status: str, latency_us: float, entrypoint: str = "REST") -> None:
        """One request is over; its latency counts only if it succeeded. ``entrypoint`` is REST or GRPC."""
        self._requests[model, status] += 1
        if status == "OK":
            key = (model, verb, entrypoint)
            histogram = self._latencies.get(key)
            if histogram is None:
                histogram = self._latencies[key] = Histogram()
            histogram.observe(latency_us)

    def page(self, capture: Capture) -> str:
        """The whole page, ending with a newline."""
        requests: dict[Labels, int] = {
            (("model_name", model), ("status", status)): count for (model, status), count in self._requests.items()
        }
        latencies: dict[Labels, Histogram] = {
            (("model_name", model), ("API", verb), ("entrypoint", entrypoint)): histogram
            for (model, verb, entrypoint), histogram in self._latencies.items()
        }
        lines = [
            *_family(REQUEST_COUNT, "counter", requests),
            f"# TYPE {REQUEST_LATENCY} histogram",
            *(line for labels, histogram in latencies.items() for line in _histogram(labels, histogram)),
            *_family("pitfalls_traffic_rows_logged_total", "counter", {(): capture.rows_logged}),
            *_family("pitfalls_traffic_rows_lost_total", "counter", {(): capture.rows_lost}),
            *_family("pitfalls_traffic_rows_refused_total", "counter", {(): capture.rows_refused}),
            *_family("pitfalls_traffic_rows_unsampled_total", "counter", {(): capture.rows_unsampled}),
            *_family("pitfalls_traffic_gap_open", "gauge", {(): int(capture.open_gap is not None)}),
        ]
        return "\n".join(lines) + "\n"


def _family(name: str, kind: str, values: Mapping[Labels, int]) -> Iterator[str]:
    yield f"# TYPE {name} {kind}"
    for labels, value in values.items():
        yield f"{name}{_braced(labels)} {value}"


def _histogram(labels: Labels, histogram: Histogram) -> Iterator[str]:
    edges = [f"{edge:g}" for edge in BUCKETS_US] + ["+Inf"]
    for edge, count in zip(edges, accumulate(histogram.counts), strict=True):
        yield f"{REQUEST_LATENCY}_bucket{_braced((*labels, ('le', edge)))} {count}"
    yield f"{REQUEST_LATENCY}_sum{_braced(labels)} {histogram.sum:.10g}"
    yield f"{REQUEST_LATENCY}_count{_braced(labels)} {histogram.total}"


def _braced(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
