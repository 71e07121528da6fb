"""Whether a predicted number looks like a quantile of the label, and not like its mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

#: Of fewer labelled rows nothing is said.
LEAST_ROWS = 50
#: For a suggestion the share of labels below the answers is at most so far from 0 or 1, and so many standard errors
#: from 1/2.
MOST_DISTANCE = 0.3
STANDARD_ERRORS = 3.0
#: The mean error over the mean absolute error: errors that mostly have one sign.
LEAST_ONE_SIDED = 0.5
COMMON = (0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99)


def quantile_remark(output: str, answers: Array, labels: Array) -> str:
    """Suggest a quantile where the bias is large and one-sided.

    >>> rng = np.random.default_rng(0)
    >>> quantile_remark("q90", np.full(1000, 1.28), rng.normal(size=1000))  # doctest: +ELLIPSIS
    'Output q90 lies above 91 % of the labels, with a mean error of +1.33, 0.95 of the mean ...

    Args:
        answers: Its numbers, float64 [n].
        labels: The truth, float64 [n]; NaN where it is not known.

    Returns:
        A remark of two sentences; empty where the answers may as well be means or medians.
    """
    is_usable = np.isfinite(answers) & np.isfinite(labels)
    errors = answers[is_usable] - labels[is_usable]
    if errors.size < LEAST_ROWS or not errors.any():
        return ""
    above = float(np.mean(errors > 0) + np.mean(errors == 0) / 2)
    deviation = np.sqrt(max(above * (1 - above), 1 / errors.size) / errors.size)
    is_aside = abs(above - 0.5) - STANDARD_ERRORS * deviation > 0 and min(above, 1 - above) <= MOST_DISTANCE
    bias, size = float(errors.mean()), float(np.abs(errors).mean())
    if not is_aside or abs(bias) < LEAST_ONE_SIDED * size or (bias > 0) != (above > 0.5):
        return ""
    quantile = min(COMMON, key=lambda common: abs(common - above))
    return (
        f"Output {output} lies above {above:.0%} of the labels, with a mean error of {bias:+.3g}, "
        f"{abs(bias) / size:.2f} of the mean absolute error. If it predicts a quantile, tell its monitor: "
        f"pitfalls monitor init --quantile {quantile:g}."
    ).replace("%", " %", 1)
