"""By how much days to come may differ in their difference, judged by the few days that a plan has seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from monitoring.rollout.evidence.between_days import DISPERSION_LEVEL

Floats = NDArray[np.float64]

#: Fewer days show nothing of how much days differ.
LEAST_DAYS = 5

#: Standard deviations that are equally probable, so many; of a grid of so many, up to so many times what is seen.
DRAWS, _GRID, _REACH = 200, 1_000, 6.0


def day_spreads(totals: Floats, rows: Floats, variance: float) -> Floats:
    """Standard deviations that the means of days may have beyond what their rows explain, each as probable.

    Days are normal around a common mean, which is integrated out; the standard deviation is as probable at every value
    before (Gelman, *Prior distributions for variance parameters in hierarchical models*, 2006). A few days leave it
    wide, and a promise of nine of ten rollouts allows for that.

    >>> rng = np.random.default_rng(0)
    >>> alike = rng.normal(0.0, 0.01, 14)
    >>> differ = alike + rng.normal(0.0, 0.03, 14)
    >>> [round(float(np.median(day_spreads(500 * means, np.full(14, 500.0), 0.05))), 3) for means in (alike, differ)]
    [0.004, 0.027]
    >>> day_spreads(500 * alike[:4], np.full(4, 500.0), 0.05).size
    0

    Args:
        totals: Of each day, [n].
        rows: Of each day, above 0, [n].
        variance: Of a row.

    Returns:
        Ascending, [DRAWS]; none of fewer than `LEAST_DAYS` days, or of rows that do not vary. Cost: a millisecond.
    """
    if totals.size < LEAST_DAYS or variance <= 0.0:
        return np.zeros(0)
    means, of_rows = totals / rows, variance / rows
    largest = _REACH * max(float(means.std(ddof=1)), float(np.sqrt(of_rows.mean())))
    grid = (np.arange(_GRID) + 0.5) * largest / _GRID
    precision = 1.0 / (grid[:, None] ** 2 + of_rows)
    centre = (precision * means).sum(axis=1, keepdims=True) / precision.sum(axis=1, keepdims=True)
    logs = 0.5 * (np.log(precision).sum(axis=1) - np.log(precision.sum(axis=1)))
    logs -= 0.5 * (precision * (means - centre) ** 2).sum(axis=1)
    reached = np.exp(logs - logs.max()).cumsum()
    places = np.searchsorted(reached, (np.arange(DRAWS) + 0.5) / DRAWS * reached[-1])
    return np.asarray(grid[places])


def days_differ(totals: Floats, rows: Floats, variance: float) -> bool:
    """Whether days differ by more than their rows explain, with `DISPERSION_LEVEL`; arguments as of `day_spreads`.

    >>> totals = 100.0 * np.array([0.1, 0.3, 0.1, 0.3, 0.1, 0.3])
    >>> days_differ(totals, np.full(6, 100.0), 0.16), days_differ(totals, np.full(6, 100.0), 1.6)
    (True, False)
    """
    if totals.size < LEAST_DAYS or variance <= 0.0:
        return False
    mean = totals.sum() / rows.sum()
    statistic = ((totals - rows * mean) ** 2 / (rows * variance)).sum()
    return bool(chdtrc(totals.size - 1, statistic) < DISPERSION_LEVEL)
