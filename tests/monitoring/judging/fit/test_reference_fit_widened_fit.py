"""A widened fit: the baseline's windows farther from their means, which stay."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.evidence.conformal import ConformalTest
from monitoring.judging.fit.reference_fit import widened_fit, widened_test
from monitoring.records import WatchKey
from tests.monitoring.judging.small_judge import SmallJudge, small_judge

KEY = WatchKey(watch="brier")


@pytest.fixture(scope="module")
def made() -> SmallJudge:
    return small_judge()


def test_deviations_grow_and_means_stay(made: SmallJudge) -> None:
    fit = made.fit
    wide = widened_fit(fit, {KEY: 2.0})
    assert wide.means[KEY].mean() == pytest.approx(fit.means[KEY].mean())
    assert wide.means[KEY].std() == pytest.approx(2.0 * fit.means[KEY].std())
    before, after = ({(one.watch, one.slice): one for one in each.baseline_scores()} for each in (fit, wide))
    assert after["brier", ""].deviation > 1.5 * before["brier", ""].deviation
    assert after["brier", ""].mean == pytest.approx(before["brier", ""].mean)
    assert after["error", ""] == before["error", ""]
    np.testing.assert_array_equal(wide.means[WatchKey(watch="error")], fit.means[WatchKey(watch="error")])


def test_without_widths_it_is_the_fit_itself(made: SmallJudge) -> None:
    assert widened_fit(made.fit, {}) is made.fit


def test_a_test_keeps_all_but_its_spread() -> None:
    scores = np.random.default_rng(0).normal(0.2, 0.01, 60)
    test = ConformalTest.fit(scores, tolerance=0.01, direction="both").with_fixed_reference()
    wide = widened_test(test, 3.0)
    assert wide.mean == pytest.approx(test.mean)
    assert wide.std == pytest.approx(3.0 * test.std, rel=0.01)
    assert (wide.tolerance, wide.etas, wide.fixed_etas) == (test.tolerance, test.etas, test.fixed_etas)
