"""Trust in an estimate of performance: its intervals are checked against the labels that arrive."""

from __future__ import annotations

import math
from dataclasses import replace

from monitoring.records import IntervalChecks

#: The share of intervals that may miss.
MISS_RATE = 0.1

#: Larger miss rates that the test bets on.
ALTERNATIVE_MISS_RATES = (0.2, 0.4, 0.8)

#: Evidence at which trust ends: an estimate whose intervals keep their level loses trust at most once in this many
#: checks, on average.
THRESHOLD = 500.0

#: Where more of the rows lie outside the reference, an estimate is an extrapolation, and pages nobody.
MAX_OUTSIDE = 0.1


def checked(before: IntervalChecks, *, missed: bool) -> IntervalChecks:
    """The checks of an estimate after one more check of an interval.

    For each alternative miss rate q, the betting capital M becomes ``(M + 1) q / a`` after a miss, otherwise
    ``(M + 1)(1 - q) / (1 - a)``, with a = `MISS_RATE`: Shiryaev-Roberts sums, so that a long run of good estimates does
    not hide that they became bad. Trust ends when the mean capital reaches `THRESHOLD`, and does not come back. While
    the probability of a miss given the past is at most a, the mean after n checks is at most n in expectation, so that
    takes `THRESHOLD` checks or more on average. Source: Shin, Ramdas & Rinaldo, *E-detectors* (2022).

    Returns:
        The checks with this one; their `log_capital` are ``log(1 + M)``.
    """
    log_sums = before.log_capital or (0.0,) * len(ALTERNATIVE_MISS_RATES)
    factors = [q / MISS_RATE if missed else (1.0 - q) / (1.0 - MISS_RATE) for q in ALTERNATIVE_MISS_RATES]
    log_capital = [log_sum + math.log(factor) for log_sum, factor in zip(log_sums, factors, strict=True)]
    top = max(log_capital)
    log_mean = top + math.log(math.fsum(math.exp(log_value - top) for log_value in log_capital) / len(log_capital))
    return replace(
        before,
        checks=before.checks + 1,
        misses=before.misses + int(missed),
        log_capital=tuple(max(log_value, 0.0) + math.log1p(math.exp(-abs(log_value))) for log_value in log_capital),
        trusted=before.trusted and log_mean < math.log(THRESHOLD),
    )
