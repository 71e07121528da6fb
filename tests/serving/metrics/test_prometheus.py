"""The text format: cumulative buckets, escaped labels, and values that are read back."""

from __future__ import annotations

import re
from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st

from serving.metrics.prometheus import BUCKETS_US, Histogram, counter_lines, histogram_lines

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
