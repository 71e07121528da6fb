"""Whether an estimate may still be believed: its intervals held against the labels that came."""

from __future__ import annotations

import math
from dataclasses import replace

from monitoring.records import Account

#: How often an interval may miss.
MISS_RATE = 0.1

#: Rates of missing that the test bets on.
SUSPECTED = (0.2, 0.4, 0.8)

#: Evidence at which trust ends: an estimate that keeps its level loses it at most once in so many checks, on average.
THRESHOLD = 500.0


def after(account: Account, *, missed: bool) -> Account:
    """The account one check on.

    For each suspected rate q a stake M becomes (M + 1) q / a after a miss, else (M + 1)(1 - q) / (1 - a), where a is
    `MISS_RATE`: Shiryaev-Roberts sums, so that a long time of good estimates does not hide that they have turned bad.
    Trust ends when the mean of the stakes reaches `THRESHOLD`. While the chance of a miss, given what was seen, is at
    most a, the mean after n checks is at most n in expectation, so it takes `THRESHOLD` checks or more on average.
    Source: Shin, Ramdas & Rinaldo, *E-detectors* (2022).
    """
    before = account.log_doubt or (0.0,) * len(SUSPECTED)
    factors = [q / MISS_RATE if missed else (1.0 - q) / (1.0 - MISS_RATE) for q in SUSPECTED]
    logs = [doubt + math.log(factor) for doubt, factor in zip(before, factors, strict=True)]
    top = max(logs)
    mean = top + math.log(math.fsum(math.exp(one - top) for one in logs) / len(logs))
    return replace(
        account,
        checks=account.checks + 1,
        misses=account.misses + int(missed),
        log_doubt=tuple(max(one, 0.0) + math.log1p(math.exp(-abs(one))) for one in logs),
        trusted=account.trusted and mean < math.log(THRESHOLD),
    )
