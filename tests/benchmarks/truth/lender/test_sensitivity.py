"""A harm is noticed where the product's judge says so, and calm days are not."""

from __future__ import annotations

import pytest

from benchmarks.truth.lender.harms import deployed
from benchmarks.truth.lender.sensitivity import first_windows, printed_rises


@pytest.mark.slow
def test_the_printed_rise_falls_with_the_horizon_and_a_large_one_is_paged_at_once() -> None:
    deployment = deployed(6000)
    rises = printed_rises(deployment)
    assert sorted(rises.values(), reverse=True) == [rises[windows] for windows in sorted(rises)]
    noticed, paged = first_windows(deployment, 6000, 0, 0.3, 7)
    assert noticed <= paged <= 2
    assert first_windows(deployment, 6000, 0, 0.0, 7) == (8, 8)
