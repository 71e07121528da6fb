"""The metrics page has every family, with what was counted of requests and of the log."""

from __future__ import annotations

from serving.metrics.metrics import ServerMetrics, TrafficCounts
from serving.metrics.model_metrics import ModelCounts


def value(page: str, series: str) -> float:
    [line] = [line for line in page.splitlines() if line.startswith(f"{series} ")]
    return float(line.rpartition(" ")[2])


def test_requests_are_counted_by_status_and_only_those_that_succeeded_are_timed() -> None:
    metrics = ServerMetrics()
    metrics.count(model="m", verb="Predict", status="OK", latency_us=12.0)
    metrics.count(model="m", verb="Predict", status="OK", latency_us=30.0, entrypoint="GRPC")
    metrics.count(model="m", verb="Predict", status="NOT_FOUND", latency_us=1e9)
    page = metrics.page(TrafficCounts())
    assert value(page, ':tensorflow:serving:request_count{model_name="m",status="OK"}') == 2
    assert value(page, ':tensorflow:serving:request_count{model_name="m",status="NOT_FOUND"}') == 1
    for entrypoint, latency in (("REST", 12), ("GRPC", 30)):
        labels = f'{{model_name="m",API="Predict",entrypoint="{entrypoint}"}}'
        assert value(page, f":tensorflow:serving:request_latency_count{labels}") == 1
        assert value(page, f":tensorflow:serving:request_latency_sum{labels}") == latency


def test_the_log_is_on_the_page_and_an_open_gap_is_a_gauge() -> None:
    counts = TrafficCounts(
        rows_logged=1, rows_lost=2, rows_refused=3, rows_unsampled=4, rows_quarantined=5, is_losing=True
    )
    page = ServerMetrics().page(counts)
    for name, expected in (("logged", 1), ("lost", 2), ("refused", 3), ("unsampled", 4), ("quarantined", 5)):
        assert f"# TYPE pitfalls_traffic_rows_{name}_total counter" in page
        assert value(page, f"pitfalls_traffic_rows_{name}_total{{}}") == expected
    assert "# TYPE pitfalls_traffic_gap_open gauge" in page
    assert value(page, "pitfalls_traffic_gap_open{}") == 1
    assert value(ServerMetrics().page(TrafficCounts()), "pitfalls_traffic_gap_open{}") == 0


def test_models_are_on_the_page_and_it_ends_with_a_newline() -> None:
    counts = ModelCounts()
    counts.ran("m", "tensorflow/serving/predict", [3], 250.0)
    page = ServerMetrics(counts).page(TrafficCounts())
    assert value(page, ':tensorflow:serving:request_example_count_total{model="m"}') == 3
    assert page.endswith("\n")
    assert not page.endswith("\n\n")


def test_a_versions_key_in_ml_metadata_is_a_label() -> None:
    page = ServerMetrics().page(TrafficCounts(), {("m", 3): 'a"b'})
    assert "# TYPE :tensorflow:serving:mlmd_map gauge" in page
    assert value(page, ':tensorflow:serving:mlmd_map{model_name="m",version="3",mlmd_uuid="a\\"b"}') == 1
