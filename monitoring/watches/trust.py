"""Trust in an estimate of performance: its intervals are checked against the labels that arrive."""

from __future__ import annotations

import math
from dataclasses import replace

from monitoring.records import Account

#: The share of intervals that may miss.
MISS_RATE = 0.1

#: Larger miss rates that the test bets on.
ALTERNATIVE_MISS_RATES = (0.2, 0.4, 0.8)

#: Evidence at which trust ends: an estimate whose intervals keep their level loses trust at most once in this many
#: checks, on average.
THRESHOLD = 500.0


def checked(account: Account, *, missed: bool) -> Account:
    """The account after one more check of an interval.

    For each alternative miss rate q, the betting capital M becomes ``(M + 1) q / a`` after a miss, otherwise
    ``(M + 1)(1 - q) / (1 - a)``, with a = `MISS_RATE`: Shiryaev-Roberts sums, so that a long run of good estimates does
    not hide that they became bad. Trust ends when the mean capital reaches `THRESHOLD`, and does not come back. While
    the probability of a miss given the past is at most a, the mean after n checks is at most n in expectation, so that
    takes `THRESHOLD` checks or more on average. Source: Shin, Ramdas & Rinaldo, *E-detectors* (2022).

    Args:
        account: The account before the check.
        missed: Whether the true loss was outside the interval.

    Returns:
        The new account; its `log_doubt` are ``log(1 + M)``.
    """
    before = account.log_doubt or (0.0,) * len(ALTERNATIVE_MISS_RATES)
    factors = [q / MISS_RATE if missed else (1.0 - q) / (1.0 - MISS_RATE) for q in ALTERNATIVE_MISS_RATES]
    log_capital = [log_before + math.log(factor) for log_before, factor in zip(before, factors, strict=True)]
    top = max(log_capital)
    log_mean = top + math.log(math.fsum(math.exp(one - top) for one in log_capital) / len(log_capital))
    return replace(
        account,
        checks=account.checks + 1,
        misses=account.misses + int(missed),
        log_doubt=tuple(max(one, 0.0) + math.log1p(math.exp(-abs(one))) for one in log_capital),
        trusted=account.trusted and log_mean < math.log(THRESHOLD),
    )
