"""Several processes' metrics pages add up to one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from serving.metrics.merge import add_pages
from serving.metrics.metrics import ServerMetrics, TrafficCounts

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
