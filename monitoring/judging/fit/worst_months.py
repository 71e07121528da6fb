"""How far the worst month of a reference lies above its mean: what it has seen is no news when it comes back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from monitoring.evidence.conformal import ConformalTest
from monitoring.records import Watch, WatchKey

MONTH = timedelta(days=28)

#: A reference of so many days has seen the seasons.
YEAR = timedelta(days=350)

#: A month counts as far as its mean lies above the reference's by more than so many of its standard errors.
MONTH_ERRORS = 2.0


def covers_year(starts: Sequence[datetime]) -> bool:
    """Whether a reference has seen the seasons, by the starts of its windows in order."""
    return len(starts) > 1 and starts[-1] - starts[0] >= YEAR


def worst_months(
    tests: Mapping[WatchKey, ConformalTest], watches: Mapping[str, Watch], starts: Sequence[datetime]
) -> dict[WatchKey, float]:
    """The excess of the worst month of each loss over the reference's mean, beyond chance.

    Args:
        tests: The tests of the page level, fitted to R windows each.
        starts: The starts of the reference's windows, in order.

    Returns:
        By loss, in its own unit; none where no four weeks in a row lie above the mean by more than `MONTH_ERRORS`
        standard errors, and of references of fewer than two months.
    """
    if len(starts) < 2:
        return {}
    span = (starts[-1] - starts[0]) * len(starts) / (len(starts) - 1)
    result = {}
    for key, test in tests.items():
        watch = watches[key.watch]
        windows = round(test.windows * (MONTH / span))
        if watch.family != "performance" or windows < 2 or test.windows < 2 * windows:
            continue
        scores = np.asarray(test.calibration_scores)
        means = np.convolve(scores, np.full(windows, 1.0 / windows), mode="valid")
        error = test.std * math.sqrt((1.0 + test.ar1) / (1.0 - test.ar1) / windows)
        excess = float(means.max()) - test.mean - MONTH_ERRORS * error
        if excess > 0.0:
            result[key] = excess * watch.scale
    return result
