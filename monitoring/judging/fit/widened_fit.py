"""A fit whose windows vary as much as live traffic has shown them to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from monitoring.evidence.conformal import ConformalTest
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.records import WatchKey


def widened_fit(fit: ReferenceFit, widths: Mapping[WatchKey, float]) -> ReferenceFit:
    """The fit with the scores of the baseline's windows farther from their means.

    Every test, the standard deviations that incidents are assessed by and the smallest harm that is detected follow
    from these scores. The means stay: what the reference promises is not learned from live traffic.

    Args:
        widths: By how much the standard deviation between windows grows, of some watches; at least 1.
    """
    if not widths:
        return fit
    tests = {
        level: replace(
            test,
            tests={
                key: widened_test(watch_test, widths[key]) if key in widths else watch_test
                for key, watch_test in test.tests.items()
            },
        )
        for level, test in fit.tests.items()
    }
    means = {
        key: scores.mean() + widths[key] * (scores - scores.mean()) if key in widths else scores
        for key, scores in fit.means.items()
    }
    return replace(fit, tests=tests, means=means, facts=fit.facts.widened(widths))


def widened_test(test: ConformalTest, width: float) -> ConformalTest:
    """The test with the baseline's scores `width` times as far from their mean."""
    scores = np.asarray(test.calibration_scores)
    wide = ConformalTest.fit(
        test.mean + width * (scores - test.mean),
        tolerance=test.tolerance,
        direction=test.direction,
        ar1=test.ar1,
        min_std=test.min_std,
        sampling_variance=test.sampling_variance,
    )
    return wide.with_fixed_reference() if test.fixed_etas else wide
