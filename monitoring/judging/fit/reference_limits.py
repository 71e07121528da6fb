"""What a reference cannot carry: a trend in its own losses, less than a year, few windows, slow labels, thin slices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.stats import linregress

from monitoring.evidence.conformal import MIN_WINDOWS
from monitoring.records import WatchKey

#: Labels are waited for until this share of the reference's had arrived, and this much longer.
DELAY_QUANTILE = 0.99
DELAY_MARGIN = 1.5

#: No label horizon is shorter.
SHORTEST_HORIZON = timedelta(days=7)

#: A trend over the reference is told if it is this many standard errors from none.
TREND_ERRORS = 3.0

YEAR = timedelta(days=365)

#: Slices that a sentence names.
NAMED = 5

DAY_US = 86_400_000_000


def label_horizon(delays_us: NDArray[np.int64]) -> timedelta:
    """How long labels are to be waited for, by the delays of a reference's own.

    Args:
        delays_us: Label time minus event time of the reference's labelled rows, int64 [n], in microseconds.

    Returns:
        `DELAY_MARGIN` times the delay by which `DELAY_QUANTILE` of them had arrived, in whole days, and at least
        `SHORTEST_HORIZON`.

    >>> label_horizon(np.array([30 * 86_400_000_000] * 100)).days, label_horizon(np.zeros(0, dtype=np.int64)).days
    (45, 7)
    """
    if not delays_us.size:
        return SHORTEST_HORIZON
    days = math.ceil(float(np.quantile(delays_us, DELAY_QUANTILE)) * DELAY_MARGIN / DAY_US)
    return max(timedelta(days=days), SHORTEST_HORIZON)


def reference_limits(
    means: Mapping[WatchKey, NDArray[np.float64]], unfitted: Sequence[WatchKey], *, span: timedelta
) -> tuple[str, ...]:
    """What the fit to a reference should tell its owner.

    Args:
        means: Window scores of each watch over the baseline, [R], in order of time.
        unfitted: Watches with too few windows to be fitted.
        span: From the reference's first row to its last.

    Returns:
        Sentences: seasons not covered, a trend of a loss, and slices that will never be judged.
    """
    found = []
    if span < YEAR:
        found.append(
            f"The reference covers {span.days + 1} days, less than a year: it cannot tell a season from drift. Harder "
            "traffic with a model as right as before is a notice, and no page."
        )
    for metric in ("error", "brier"):
        found += _trend(metric, means.get(WatchKey(watch=metric)))
    slices = list(dict.fromkeys(key.slice for key in unfitted if key.slice and key.watch == "error"))
    if slices:
        named = ", ".join(slices[:NAMED]) + (", …" if len(slices) > NAMED else "")
        found.append(
            f"Losses at {named} will never be judged: fewer than {MIN_WINDOWS} baseline windows have min_rows rows of "
            "them, pooled. Lower min_rows, or cut longer windows."
        )
    return tuple(found)


def _trend(metric: str, scores: NDArray[np.float64] | None) -> list[str]:
    if scores is None or scores.size < 10 or float(np.ptp(scores)) == 0.0:
        return []
    fit = linregress(np.arange(scores.size), scores)
    if abs(float(fit.slope)) <= TREND_ERRORS * float(fit.stderr):
        return []
    first, last = float(fit.intercept), float(fit.intercept + fit.slope * (scores.size - 1))
    name = "error rate" if metric == "error" else "Brier score"
    trend = (
        f"The {name} of the reference itself moves from {first:.3f} to {last:.3f}: its mean is not what the model does"
    )
    return [f"{trend} now. Use a later reference, or expect an early alarm."]
