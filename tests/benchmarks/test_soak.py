from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.load_generator import Load
from benchmarks.soak import Swaps, _remarks, growth


def load(*, responses: int, failures: int = 0) -> Load:
    return Load(
        connections=1,
        seconds=1.0,
        responses=responses,
        with_warm_up=responses,
        failures=failures,
        p50_ms=1.0,
        p99_ms=2.0,
        cpu_seconds=0.5,
    )


@given(start=st.integers(-1000, 1000), slope=st.integers(-100, 100), count=st.integers(3, 30))
def test_growth_is_the_slope_of_a_line(start: int, slope: int, count: int) -> None:
    assert growth([start + slope * swap for swap in range(count)]) == pytest.approx(slope, abs=1e-9)


def test_two_values_have_no_growth() -> None:
    assert growth([1.0, 2.0]) is None


def test_remarks_name_failures_missing_rows_and_a_run_that_is_too_short() -> None:
    loads = {"REST": load(responses=10, failures=1), "gRPC": load(responses=5)}
    assert _remarks(Swaps(rss_mb=[1.0] * 3), loads, 13) == (
        "1 requests failed.",
        "The log has 13 rows for 14 responses.",
        "Too short to decide whether memory grows.",
    )
    assert _remarks(Swaps(rss_mb=[1.0] * 6), {"REST": load(responses=10)}, 10) == ()
