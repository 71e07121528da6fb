"""Trust in an estimate: lost after misses beyond its level, and never regained."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.records import IntervalChecks
from monitoring.watches import trust


def after(misses: list[bool], checks: IntervalChecks | None = None) -> IntervalChecks:
    checks = checks or IntervalChecks()
    for missed in misses:
        checks = trust.checked(checks, missed=missed)
    return checks


def test_the_capital_by_hand() -> None:
    checks = after([True, False])
    capital = [(q / 0.1 + 1) * (1 - q) / 0.9 for q in trust.ALTERNATIVE_MISS_RATES]
    assert np.exp(checks.log_capital).tolist() == pytest.approx([1 + one for one in capital])
    assert (checks.checks, checks.misses, checks.trusted) == (2, 1, True)


def test_trust_is_lost_at_the_fourth_miss_in_a_row_however_long_it_was_right_and_not_given_back() -> None:
    checks = after([False] * 1000)
    assert checks.trusted
    checks = after([True] * 3, checks)
    assert checks.trusted
    checks = after([True], checks)
    assert not checks.trusted
    assert not after([False] * 50, checks).trusted


@given(st.lists(st.booleans(), max_size=40))
def test_counts_and_capital_follow_the_recursion(misses: list[bool]) -> None:
    checks = after(misses)
    assert (checks.checks, checks.misses) == (len(misses), sum(misses))
    for place, q in enumerate(trust.ALTERNATIVE_MISS_RATES):
        m = 0.0
        for missed in misses:
            m = (m + 1.0) * (q / trust.MISS_RATE if missed else (1.0 - q) / (1.0 - trust.MISS_RATE))
        if misses:
            assert checks.log_capital[place] == pytest.approx(math.log1p(m), rel=1e-9, abs=1e-9)


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(0, 29))
def test_one_more_miss_never_means_more_trust(misses: list[bool], at: int) -> None:
    more = misses.copy()
    more[at % len(more)] = True
    assert after(misses).trusted or not after(more).trusted


@given(st.floats(0.0, 1e6), st.floats(0.0, 1e6))
def test_what_is_pooled_for_the_next_check_stays(rows: float, variance: float) -> None:
    checks = IntervalChecks(rows=int(rows), expected=3, realised=5, variance=variance)
    found = trust.checked(checks, missed=True)
    assert (found.rows, found.expected, found.realised, found.variance) == (int(rows), 3, 5, variance)


def test_an_estimate_that_keeps_its_level_is_trusted_for_at_least_the_threshold_on_average() -> None:
    rng = np.random.default_rng(5)
    lengths = []
    for missed in rng.random((200, 2000)) < trust.MISS_RATE:
        checks = IntervalChecks()
        for one in missed:
            checks = trust.checked(checks, missed=bool(one))
            if not checks.trusted:
                break
        lengths.append(checks.checks)  # at most 2,000, which only lowers the mean
    assert np.mean(lengths) > trust.THRESHOLD


def test_an_estimate_that_misses_twice_as_often_loses_trust_soon() -> None:
    rng = np.random.default_rng(6)
    lengths = [
        next((check + 1 for check in range(500) if not after(misses[: check + 1].tolist()).trusted), 500)
        for misses in rng.random((8, 500)) < 0.5
    ]
    assert np.median(lengths) < 20
