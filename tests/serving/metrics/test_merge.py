"""Several processes' metrics pages add up to one."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from serving.metrics.merge import add_pages, add_statistics
from serving.metrics.metrics import ServerMetrics, TrafficCounts
from serving.metrics.version_statistics import StepTimes, VersionStatistics

COUNTS = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["OK", "NOT_FOUND"]), st.integers(1, 10**6)), max_size=8
)


def page(*requests: tuple[str, str, int]) -> str:
    metrics = ServerMetrics()
    for model, status, latency_us in requests:
        metrics.count(model=model, verb="predict", status=status, latency_us=float(latency_us))
    return metrics.page(TrafficCounts())


@given(parts=st.lists(COUNTS, min_size=1, max_size=4))
def test_the_sum_of_pages_is_the_page_of_all_requests(parts: list[list[tuple[str, str, int]]]) -> None:
    together = page(*(request for part in parts for request in part))
    summed = add_pages([page(*part) for part in parts])
    assert sorted(summed.splitlines()) == sorted(together.splitlines())


@given(part=COUNTS)
def test_one_page_is_its_own_sum(part: list[tuple[str, str, int]]) -> None:
    assert add_pages([page(*part)]) == page(*part)


RUNS = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 10**6), st.integers(0, 10**6)), max_size=5)


def statistics(*runs: tuple[int, int, int], version: str = "1") -> dict[str, Any]:
    counts = VersionStatistics()
    for rows, waited_us, ended_us in sorted(runs, key=lambda run: run[2]):
        counts.ran([rows], [waited_us], StepTimes(waited_us, ended_us, rows), ended_us=ended_us)
    return {"name": "m", "version": version, **counts.document()}


@given(own=RUNS, other=RUNS)
def test_the_sum_of_statistics_is_that_of_all_runs(
    own: list[tuple[int, int, int]], other: list[tuple[int, int, int]]
) -> None:
    elsewhere = [statistics((1, 1, 1), version="2"), statistics(*other)]
    assert add_statistics([statistics(*own)], [elsewhere, []]) == [statistics(*own, *other)]
