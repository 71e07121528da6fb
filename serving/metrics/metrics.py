"""The Prometheus page: TensorFlow Serving's metric names, which `prometheus_client` would change, and our own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from serving.metrics.model_metrics import Histogram, Labels, ModelCounts, counter_lines, histogram_lines

REQUEST_COUNT = ":tensorflow:serving:request_count"
REQUEST_LATENCY = ":tensorflow:serving:request_latency"
MLMD_MAP = ":tensorflow:serving:mlmd_map"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficCounts:
    """Counts of the rows of this process by what became of them."""

    rows_logged: int = 0
    """In the traffic log."""
    rows_lost: int = 0
    """Answered, and not in the log because it could not be written."""
    rows_refused: int = 0
    """Not answered because the log could not be written."""
    rows_unsampled: int = 0
    """Answered, and not in the log because their request was not in the sample."""
    rows_quarantined: int = 0
    """Those in the log whose event time is out of the server's range."""
    is_losing: bool = False
    """Whether a log cannot be written now, so that answered rows are lost."""


@final
class ServerMetrics:
    """Counts of requests, and the metrics page. Requests are counted in the event loop; ``models`` where models run."""

    def __init__(self, models: ModelCounts | None = None) -> None:
        self._failures: Counter[tuple[str, str]] = Counter()  # by model and status
        self._latencies: dict[tuple[str, str, str], Histogram] = {}  # by model, API and entrypoint
        self._models = models or ModelCounts()

    def count(self, *, model: str, verb: str, status: str, latency_us: float, entrypoint: str = "REST") -> None:
        """Count a finished request; its latency counts only if its status is OK. ``entrypoint`` is REST or GRPC."""
        if status != "OK":
            self._failures[model, status] += 1
            return
        key = (model, verb, entrypoint)
        histogram = self._latencies.get(key)
        if histogram is None:
            histogram = self._latencies[key] = Histogram()
        histogram.observe(latency_us)

    def page(
        self, traffic: TrafficCounts, mlmd: Mapping[tuple[str, int], str] | None = None, *, readers_ended: int = 0
    ) -> str:
        """The whole page in Prometheus' text format."""
        answered: Counter[tuple[str, str]] = Counter()
        for (model, _, _), histogram in self._latencies.items():
            answered[model, "OK"] += histogram.total
        requests: dict[Labels, int] = {
            (("model_name", model), ("status", status)): count
            for (model, status), count in (answered + self._failures).items()
        }
        latencies: dict[Labels, Histogram] = {
            (("model_name", model), ("API", verb), ("entrypoint", entrypoint)): histogram
            for (model, verb, entrypoint), histogram in self._latencies.items()
        }
        lines = [
            *counter_lines(REQUEST_COUNT, requests),
            *histogram_lines(REQUEST_LATENCY, latencies),
            *self._models.lines(),
            *counter_lines(MLMD_MAP, _of_mlmd(mlmd or {}), kind="gauge"),
            *counter_lines("pitfalls_traffic_rows_logged_total", {(): traffic.rows_logged}),
            *counter_lines("pitfalls_traffic_rows_lost_total", {(): traffic.rows_lost}),
            *counter_lines("pitfalls_traffic_rows_refused_total", {(): traffic.rows_refused}),
            *counter_lines("pitfalls_traffic_rows_unsampled_total", {(): traffic.rows_unsampled}),
            *counter_lines("pitfalls_traffic_rows_quarantined_total", {(): traffic.rows_quarantined}),
            *counter_lines("pitfalls_traffic_gap_open", {(): int(traffic.is_losing)}, kind="gauge"),
            *counter_lines("pitfalls_body_readers_ended_total", {(): readers_ended}),
        ]
        return "\n".join(lines) + "\n"


def _of_mlmd(uuids: Mapping[tuple[str, int], str]) -> dict[Labels, int]:
    """The series of keys in ML Metadata: Prometheus has no texts, so that the key is a label of its own."""
    return {
        (("model_name", model), ("version", str(number)), ("mlmd_uuid", uuid)): 1
        for (model, number), uuid in uuids.items()
    }
