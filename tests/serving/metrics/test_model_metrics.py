"""Loads, warmups and runs are counted under TensorFlow Serving's names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.metrics.model_metrics import (
    EXAMPLE_COUNTS,
    EXAMPLE_TOTAL,
    GRAPH_RUNS,
    GRAPH_TIME,
    LOAD_ATTEMPTS,
    LOAD_LATENCY,
    RUNTIME_LATENCY,
    WARMUP_LATENCY,
    WARMUP_RECORDS,
    ModelCounts,
)

VERSION = Path("/models/m/1")


def series(counts: ModelCounts, name: str) -> dict[str, float]:
    """The numbers of a family by labels."""
    lines = [line for line in counts.lines() if line.startswith(f"{name}{{")]
    return {line[len(name) :].rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_nothing_counted_declares_every_family_and_gives_no_number() -> None:
    lines = list(ModelCounts().lines())
    assert all(line.startswith("# TYPE ") for line in lines)
    assert len({line.split()[2] for line in lines}) == 9


def test_loads_are_counted_by_version_and_outcome() -> None:
    counts = ModelCounts()
    counts.loaded(VERSION, 1_500.4)
    counts.loaded(VERSION, 500.0)
    counts.not_loaded(VERSION)
    assert series(counts, LOAD_ATTEMPTS) == {
        '{model_path="/models/m/1",status="success"}': 2,
        '{model_path="/models/m/1",status="fail"}': 1,
    }
    assert series(counts, LOAD_LATENCY) == {'{model_path="/models/m/1"}': 2_000}


def test_warmups_are_counted_by_status_with_their_records() -> None:
    counts = ModelCounts()
    counts.warmed_up(VERSION, records=5, latency_us=100.0, status="OK")
    counts.warmed_up(VERSION, records=2, latency_us=50.0, status="INVALID_ARGUMENT")
    assert series(counts, WARMUP_RECORDS) == {
        '{model_path="/models/m/1",status="OK"}': 5,
        '{model_path="/models/m/1",status="INVALID_ARGUMENT"}': 2,
    }
    assert series(counts, f"{WARMUP_LATENCY}_sum") == {
        '{model_path="/models/m/1",status="OK"}': 100,
        '{model_path="/models/m/1",status="INVALID_ARGUMENT"}': 50,
    }


@pytest.mark.parametrize(
    ("method", "api"),
    [
        ("tensorflow/serving/classify", "Classify"),
        ("tensorflow/serving/regress", "Regress"),
        ("tensorflow/serving/predict", "Predict"),
        ("", "Predict"),
        ("explain", "Predict"),
    ],
)
def test_runs_are_counted_by_the_api_of_their_method(method: str, api: str) -> None:
    counts = ModelCounts()
    counts.ran("m", method, [1], 10.0)
    assert series(counts, f"{RUNTIME_LATENCY}_count") == {f'{{model_name="m",API="{api}",runtime="TF1"}}': 1}


@given(st.lists(st.lists(st.integers(0, 20_000), min_size=1, max_size=4), min_size=1, max_size=6))
def test_rows_are_counted_request_by_request_and_in_total(runs: list[list[int]]) -> None:
    counts = ModelCounts()
    for rows in runs:
        counts.ran("m", "tensorflow/serving/predict", rows, 10.0)
    requests = [count for rows in runs for count in rows]
    labels = '{model="m"}'
    assert series(counts, EXAMPLE_TOTAL) == {labels: sum(requests)}
    assert series(counts, f"{EXAMPLE_COUNTS}_count") == {labels: len(requests)}
    buckets = series(counts, f"{EXAMPLE_COUNTS}_bucket")
    for power in range(15):
        assert buckets[f'{{model="m",le="{2.0**power:g}"}}'] == sum(count <= 2**power for count in requests)
    [latencies] = series(counts, f"{RUNTIME_LATENCY}_count").values()
    assert latencies == len(requests), "each request waited as long as the run took"


def test_runs_of_graphs_are_counted_over_all_models() -> None:
    counts = ModelCounts()
    counts.ran("m", "tensorflow/serving/predict", [3, 1], 250.4)
    counts.ran("other", "tensorflow/serving/classify", [1], 100.0)
    assert series(counts, GRAPH_RUNS) == {"{}": 2}
    assert series(counts, GRAPH_TIME) == {"{}": 350}
