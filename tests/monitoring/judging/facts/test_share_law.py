from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import betabinom

from monitoring.baseline.moments import Moments
from monitoring.baseline.profile import Bins, FeatureCounts, Profile
from monitoring.judging.facts.gross_failures import gross_limits, range_findings
from monitoring.judging.facts.input_values import ValueLimits, WindowValues
from monitoring.judging.facts.share_law import MOST_ROWS, ShareLaw
from monitoring.records import SCORE_ONE, ScoreSum, WatchKey

ALPHA = 1e-6


def windows(correlation: float, mean: float, *, rows: int = 30, count: int = 4000) -> ShareLaw:
    rng = np.random.default_rng(0)
    size = 1.0 / correlation - 1.0 if correlation else 0.0
    rates = rng.beta(mean * size, (1.0 - mean) * size, count) if correlation else np.full(count, mean)
    return ShareLaw.fit(rng.binomial(rows, rates).astype(float), np.full(count, float(rows)))


@pytest.mark.parametrize("correlation", [0.02, 0.1, 0.4])
def test_the_correlation_of_a_window_s_rows_is_found(correlation: float) -> None:
    assert windows(correlation, 0.2).correlation == pytest.approx(correlation, rel=0.15)


def test_independent_rows_have_none() -> None:
    found = [windows(0.0, mean, count=60).correlation for mean in (0.002, 0.05, 0.5)]
    assert found == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(("rows", "of"), [(1, 5), (12, 30), (30, 30), (300, 400)])
def test_tails_are_those_of_the_beta_binomial_law(rows: int, of: int) -> None:
    law = ShareLaw(mean=0.11, correlation=0.2)
    assert law.tail(rows, of) == pytest.approx(betabinom.sf(rows - 1, of, 0.11 * 4.0, 0.89 * 4.0), rel=1e-6)


def test_of_many_rows_the_tail_is_no_smaller() -> None:
    law = ShareLaw(mean=0.05, correlation=0.1)
    many = 50 * MOST_ROWS
    exact = betabinom.sf(many // 2 - 1, many, 0.05 * 9.0, 0.95 * 9.0)
    assert exact <= law.tail(many // 2, many) <= 1.05 * exact


def test_all_rows_of_one_storm_answered_wrongly_are_no_fact_and_of_independent_rows_are() -> None:
    key = WatchKey(watch="error")
    wrong = ScoreSum(29, 29 * SCORE_ONE)
    for law, is_fact in ((ShareLaw(mean=0.11), True), (ShareLaw(mean=0.11, correlation=0.3), False)):
        limits = gross_limits({key: np.array([0.1, 0.5])}, {}, {key: law})
        assert limits[key].exceeded(wrong, ALPHA) is is_fact


def test_a_month_that_a_whole_window_has_is_not_out_of_range() -> None:
    """Months 6 to 11 of a reference without winters, one storm a week; a storm in January."""
    edges = (6.0, 7.0, 8.0, 9.0, 10.0, 11.0)
    bins = (Bins(feature="month", edges=edges),)

    def of_month(month: float) -> Profile:
        values = np.full(24, month)
        counts = np.bincount(np.searchsorted(np.asarray(edges), values, side="right"), minlength=7)
        return Profile(rows=24, features=(FeatureCounts(tuple(counts.tolist()), 0, Moments.of(values)),))

    months = np.repeat(np.arange(6.0, 12.0), [10, 20, 30, 40, 20, 10]).tolist()
    limits = ValueLimits.fit(bins, [WindowValues.of(of_month(month)) for month in months], dated=True)
    assert len(range_findings(bins, of_month(1.0), alpha=ALPHA)) == 1
    assert range_findings(bins, of_month(1.0), alpha=ALPHA, laws=limits.outer) == ()
