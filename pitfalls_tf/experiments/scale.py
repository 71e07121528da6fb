"""Scales on which estimates are about normal, so that effects of several sources can be averaged and compared."""

from __future__ import annotations

import math
from typing import Final, Literal

ScaleName = Literal["identity", "log", "logit", "fisher"]

NORMAL_QUANTILE: Final = 1.959963984540054  # of the 95 % interval
_EDGE: Final = 1e-9
_SHARE_EDGE: Final = 1e-3  # shares nearer to 0 or 1 count as this near, whose logit is 6.9


def transform(name: ScaleName, value: float) -> float:
    """A value on a scale. Returns the transformed value; NaN for NaN and for what the scale does not have.

    Args:
        name: `identity`, `log` for positive quantities, `logit` for shares, or `fisher`, the inverse hyperbolic tangent
            of correlations.

    >>> transform("log", 1.0), transform("fisher", 0.0), transform("identity", 3.0)
    (0.0, 0.0, 3.0)
    """
    if name == "log":
        return math.log(value) if value > 0 else math.nan
    if name == "logit":
        share = min(1 - _SHARE_EDGE, max(_SHARE_EDGE, value))
        return math.log(share / (1 - share))
    if name == "fisher":
        return math.atanh(min(1 - _EDGE, max(-1 + _EDGE, value)))
    return value


def inverse(name: ScaleName, value: float) -> float:
    """The value that `transform` maps to this one."""
    if name == "log":
        return math.exp(value)
    if name == "logit":
        return 1 / (1 + math.exp(-value))
    return math.tanh(value) if name == "fisher" else value


def distance(name: ScaleName, bound: float, effect: float) -> float:
    """How far an effect is from a bound on a scale, on the nearer side.

    Args:
        effect: a difference, or on the log scale a factor above 1.

    >>> round(distance("log", 0.1, 2.0), 3), distance("identity", 0.005, 0.005)
    (0.693, 0.005)
    """
    if name == "log":
        return math.log(effect)
    at = transform(name, bound)
    return min(abs(transform(name, bound + sign * effect) - at) for sign in (-1, 1))
