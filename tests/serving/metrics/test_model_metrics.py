"""Loads, warmups and runs are counted under TensorFlow Serving's names."""

from __future__ import annotations

import re
from bisect import bisect_left
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.metrics.model_metrics import (
    BUCKETS_US,
    EXAMPLE_COUNTS,
    EXAMPLE_TOTAL,
    GRAPH_RUNS,
    GRAPH_TIME,
    LOAD_ATTEMPTS,
    LOAD_LATENCY,
    RUNTIME_LATENCY,
    WARMUP_LATENCY,
    WARMUP_RECORDS,
    Histogram,
    ModelCounts,
    counter_lines,
    histogram_lines,
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


LABEL = re.compile(r'(\w+)="((?:\\.|[^"\\])*)"')
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\\"\n'))


def labels_of(line: str) -> list[tuple[str, str]]:
    """The labels of a line as a scraper reads them."""
    unescaped = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
    return [(name, re.sub(r"\\.", lambda match: unescaped[match[0]], value)) for name, value in LABEL.findall(line)]


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), TEXT), st.integers())
def test_labels_and_numbers_come_back_whatever_the_text(labels: dict[str, str], number: int) -> None:
    head, line = counter_lines("seen", {tuple(labels.items()): number})
    assert head == "# TYPE seen counter"
    assert "\n" not in line
    assert labels_of(line) == list(labels.items())
    assert line.rpartition(" ")[2] == str(number)


def test_a_gauge_is_declared_as_one() -> None:
    assert list(counter_lines("open", {(): 1}, kind="gauge")) == ["# TYPE open gauge", "open{} 1"]


@given(st.lists(st.tuples(st.floats(0, 1e10), st.integers(1, 3)), max_size=20))
def test_a_histogram_counts_each_value_in_every_bucket_that_reaches_it(values: list[tuple[float, int]]) -> None:
    histogram = Histogram()
    for value, times in values:
        histogram.observe(value, times)
    total = sum(times for _, times in values)
    assert histogram.total == total
    lines = list(histogram_lines("wait", {(("model", "m"),): histogram}))
    assert lines[0] == "# TYPE wait histogram"
    counts = [int(line.rpartition(" ")[2]) for line in lines[1:-2]]
    edges = [*BUCKETS_US, float("inf")]
    assert counts == [sum(times for value, times in values if value <= edge) for edge in edges]
    assert [labels_of(line)[-1][1] for line in lines[1:-2]] == [*(f"{edge:g}" for edge in BUCKETS_US), "+Inf"]
    assert lines[-2].startswith('wait_sum{model="m"} ')
    assert lines[-1] == f'wait_count{{model="m"}} {total}'


def test_a_value_on_an_edge_is_in_its_bucket() -> None:
    histogram = Histogram((1.0, 2.0))
    histogram.observe(2.0)
    assert histogram.counts == [0, 1, 0]
    assert bisect_left(histogram.edges, 2.0) == 1
