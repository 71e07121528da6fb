"""What a reference cannot carry: a trend in its own losses, less than a year, few windows, slow labels, thin slices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.stats import linregress

from monitoring.baseline.predictions import NO_LABEL, Predictions
from monitoring.records import WatchKey

#: Labels are waited for until this share of the reference's had arrived, and this much longer.
DELAY_QUANTILE = 0.99
DELAY_MARGIN = 1.5

#: No label horizon is shorter.
SHORTEST_HORIZON = timedelta(days=7)

#: A trend over the reference is told if it is this many standard errors from none.
TREND_ERRORS = 3.0

YEAR = timedelta(days=365)


def label_horizon(answers: Predictions) -> timedelta:
    """How long labels are to be waited for, by the delays of a reference's own.

    Args:
        answers: The reference's rows.

    Returns:
        `DELAY_MARGIN` times the delay by which `DELAY_QUANTILE` of its labels had arrived, in whole days, and at least
        `SHORTEST_HORIZON`; that where the reference has no label times after the event.
    """
    known = answers.labels != NO_LABEL
    delays = (answers.label_times - answers.event_times)[known]
    if not delays.size:
        return SHORTEST_HORIZON
    days = math.ceil(float(np.quantile(delays, DELAY_QUANTILE)) * DELAY_MARGIN / 86_400_000_000)
    return max(timedelta(days=days), SHORTEST_HORIZON)


def reference_limits(
    means: Mapping[WatchKey, NDArray[np.float64]], starts: Sequence[int], *, keys: Sequence[WatchKey]
) -> tuple[str, ...]:
    """What the fit to a reference should tell its owner.

    Args:
        means: Window scores of each watch over the baseline, [R], in order of time.
        starts: Starts of the baseline's windows, in microseconds.
        keys: Every watch that was to be fitted.

    Returns:
        Sentences: seasons not covered, a trend of a loss, and watches that will never be judged.
    """
    found = []
    if starts and timedelta(microseconds=int(starts[-1]) - int(starts[0])) < YEAR:
        days = (int(starts[-1]) - int(starts[0])) // 86_400_000_000 + 1
        found.append(
            f"The reference covers {days} days: it cannot tell a season from drift. Harder traffic with a model as "
            "right as before is a notice, and no page."
        )
    for metric in ("error", "brier"):
        found += _trend(metric, means.get(WatchKey(watch=metric)))
    missing = [key for key in keys if key.slice and key not in means and key.watch in ("error", "brier")]
    slices = list(dict.fromkeys(key.slice for key in missing))
    if slices:
        named = ", ".join(slices[:5]) + (", …" if len(slices) > 5 else "")
        found.append(
            f"Losses at {named} will never be judged: fewer than five baseline windows have min_rows rows of them. "
            "Lower min_rows, or cut longer windows."
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
