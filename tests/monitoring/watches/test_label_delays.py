"""Counts of labels by delay: they add up in any order, and give the arrival curve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.watches.label_delays import EDGES, arrival_curve, delay_counts, delay_quantile, merged_counts

#: Microseconds between an event and its label, some before it.
delays = st.lists(st.integers(-(10**9), 2 * EDGES[-1] * 10**6), max_size=40)


def counted(of: list[int]) -> tuple[int, ...]:
    times = np.arange(len(of), dtype=np.int64) * 10**6
    return delay_counts(times, times + np.asarray(of, dtype=np.int64))


@given(delays, delays, delays)
def test_counts_of_parts_add_up_to_those_of_the_whole_in_any_order(
    one: list[int], two: list[int], three: list[int]
) -> None:
    parts = [counted(part) for part in (one, two, three)]
    assert (
        merged_counts(parts)
        == merged_counts(reversed(parts))
        == merged_counts([merged_counts(parts[:2]), parts[2]])
        == counted(one + two + three)
    )


@given(delays)
def test_the_curve_is_the_share_within_each_edge(of: list[int]) -> None:
    curve = arrival_curve(counted(of))
    assert bool(curve) == bool(of)
    for edge, share in curve:
        assert share == pytest.approx(sum(delay <= edge * 10**6 for delay in of) / len(of))
    assert [share for _, share in curve] == sorted(share for _, share in curve)
    assert all(share < 1.0 for _, share in curve[:-1])


def test_quantiles_are_edges_and_longer_delays_have_none() -> None:
    hour = 3_600
    counts = counted([hour * 10**6] * 5 + [10**15] * 5)
    assert (delay_quantile(counts, 0.5), delay_quantile(counts, 0.9)) == (hour, None)
    assert arrival_curve(()) == ()
    assert delay_quantile((), 0.5) is None
