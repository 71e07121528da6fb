"""Intervals and e-values: right at every look, whatever the rows do between looks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from monitoring.rollout.evidence.confidence_sequence import WEIGHTS, interval, log_e_value
from monitoring.rollout.evidence.paired_sums import BETS, PairedSums

ALPHA = 0.05

shares = st.floats(0.0, 0.5)
sizes = st.integers(1, 3_000)


def rows(rng: np.random.Generator, count: int, better: float, worse: float) -> np.ndarray:
    """Differences of 0/1 losses, on so many of which the candidate is right alone, or wrong alone."""
    return rng.choice([-1.0, 0.0, 1.0], count, p=[better, 1.0 - better - worse, worse])


def test_the_capital_is_divided_among_bets_that_cannot_be_lost() -> None:
    assert sum(WEIGHTS) == pytest.approx(1.0)
    assert all(0.0 < bet < 1.0 for bet in BETS)


@pytest.mark.parametrize(
    ("disagreement", "turn"), [(0.02, 0), (0.2, 1), (0.2, 7)], ids=["steady", "turns daily", "turns weekly"]
)
def test_equal_versions_are_rejected_at_any_of_sixty_looks_no_more_often_than_promised(
    disagreement: float, turn: int
) -> None:
    """Also where the candidate is better on some days and as much worse on others, which ends even."""
    rng = np.random.default_rng(3)
    streams, wrong = 150, 0
    for _ in range(streams):
        sums = PairedSums()
        for day in range(60):
            lean = 0.3 * disagreement * (0 if not turn else 1 if (day // turn) % 2 else -1)
            sums += PairedSums.of(rows(rng, 100, (disagreement - lean) / 2, (disagreement + lean) / 2))
            balanced = not turn or (day + 1) % (2 * turn) == 0
            if balanced and log_e_value(sums, 0.0, rising=False) >= math.log(1 / ALPHA):
                wrong += 1
                break
    assert wrong <= binom.ppf(0.999, streams, ALPHA)


def test_rows_that_depend_on_each_other_are_no_more_often_rejected() -> None:
    """A day's rows may all be one draw: the mean of their expectations given the past follows them."""
    rng = np.random.default_rng(4)
    wrong = 0
    for _ in range(150):
        sums, expected = PairedSums(), 0.0
        for _ in range(30):
            lean = rng.choice([-0.3, 0.3])  # the day's own, known after its first row
            day = rows(rng, 50, 0.1 * (1 + lean), 0.1 * (1 - lean))
            sums, expected = sums + PairedSums.of(day), expected + 50 * -0.2 * lean
        wrong += interval(sums, alpha=ALPHA).high < expected / sums.rows
    assert wrong <= binom.ppf(0.999, 150, ALPHA)


@given(sizes, shares, shares, st.integers(0, 1_000))
@settings(max_examples=50, deadline=None)
def test_an_interval_has_its_mean_and_is_the_mirror_of_the_other_way_round(
    count: int, better: float, worse: float, seed: int
) -> None:
    differences = rows(np.random.default_rng(seed), count, better, worse)
    found, mirrored = (interval(PairedSums.of(sign * differences), alpha=ALPHA) for sign in (1.0, -1.0))
    assert -1.0 <= found.low <= found.mean <= found.high <= 1.0
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low))
    assert interval(PairedSums.of(differences), alpha=ALPHA / 10).half_width >= found.half_width


@given(sizes, shares, shares, st.floats(-0.5, 0.5))
@settings(max_examples=50, deadline=None)
def test_a_margin_lies_outside_the_interval_exactly_where_its_e_value_says_so(
    count: int, better: float, worse: float, margin: float
) -> None:
    sums = PairedSums.of(rows(np.random.default_rng(count), count, better, worse))
    found, limit = interval(sums, alpha=ALPHA), math.log(1 / ALPHA)
    rising = log_e_value(sums, margin, rising=True)
    falling = log_e_value(sums, margin, rising=False)
    if abs(rising - limit) > 1e-6:
        assert (rising > limit) == (found.low > margin)
    if abs(falling - limit) > 1e-6:
        assert (falling > limit) == (found.high < margin)


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0, math.nan]), min_size=1, max_size=200), st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_no_label_that_is_missing_could_lead_out_of_the_interval(differences: list[float], seed: int) -> None:
    given_rows = np.array(differences)
    found = interval(PairedSums.of(given_rows), alpha=ALPHA)
    filled = np.where(
        np.isnan(given_rows), np.random.default_rng(seed).choice([-1.0, 1.0], given_rows.size), given_rows
    )
    assert found.low - 1e-9 <= filled.mean() <= found.high + 1e-9


def test_missing_labels_widen_or_are_taken_to_be_like_the_others() -> None:
    rng = np.random.default_rng(5)
    differences = rows(rng, 20_000, 0.06, 0.02)
    largest = np.abs(differences)
    missing = np.where((largest > 0) & (rng.random(20_000) < 0.25), np.nan, differences)
    sums, whole = PairedSums.of(missing, largest), PairedSums.of(differences, largest)
    bounded, at_random = interval(sums, alpha=ALPHA), interval(sums, alpha=ALPHA, missing="at random")
    assert bounded.high - bounded.low > 2 * sums.unknown_share
    assert at_random.mean == pytest.approx(whole.mean, abs=0.004)
    assert at_random.high < bounded.high
    assert bounded.low < at_random.low


def test_without_rows_nothing_is_known() -> None:
    found = interval(PairedSums(), alpha=ALPHA)
    assert (found.low, found.high) == (-1.0, 1.0)
    assert log_e_value(PairedSums(), 0.0, rising=True) == 0.0
