"""Rows that a log lost, window by window."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from monitoring.sources.log_source import lost_within
from monitoring.timestamps import as_datetime
from monitoring.traffic.log.gaps import LostRows
from monitoring.traffic.windows import Window


@given(st.integers(0, 1000), st.integers(0, 100), st.integers(1, 60))
def test_the_parts_of_a_gap_add_up_over_any_windows(rows: int, length: int, every: int) -> None:
    lost = LostRows(model="m", version=1, rows=rows, first_event_us=7, last_event_us=7 + length)
    edges = [as_datetime(us) for us in range(0, 7 + length + every + 1, every)]
    parts = [lost_within(lost, Window(start=start, end=end)) for start, end in pairwise(edges)]
    assert sum(parts) == rows
    assert min(parts, default=0) >= 0
