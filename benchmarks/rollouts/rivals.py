"""Rules that others decide rollouts by, fed the same rows: half of them to each version, as in a split."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from monitoring.rollout.evidence.assignment import assigned
from monitoring.rollout.evidence.differences import losses_of
from monitoring.rollout.replay.paired_table import PairedTable

Floats = NDArray[np.float64]

#: Days that an analysis of thresholds or of ranks lasts, and the intervals of it that may fail.
ANALYSIS_DAYS = 7
FAILURE_LIMIT = 1

#: By how much the candidate's error rate of a day may exceed the champion's.
THRESHOLD = 0.01

#: The standard deviation of the prior of mSPRT, about the size of the effects that matter; and its level on each side.
TAU, ALPHA = 0.02, 0.05

#: The level of Kayenta's test of ranks, and the hours of a point of its time series.
RANK_LEVEL, HOURS = 0.02, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a rule decides.

    Attributes:
        promotes: Whether the candidate is promoted; None: nothing was decided.
        day: After how many days.
    """

    promotes: bool | None
    day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves:
    """The losses of each half of the rows, answered by one version.

    Attributes:
        times: When each row came, in hours since the first day began, by version.
        losses: Its loss, by version.
        days: Days of the stream.
    """

    times: tuple[Floats, Floats]
    losses: tuple[Floats, Floats]
    days: int

    @classmethod
    def of(cls, table: PairedTable, loss: str, first_us: int, days: int) -> Halves:
        """Split a stream's rows by a hash of their ids; rows without a label are left out."""
        pairs = table.rows
        mask = assigned("half", pairs.rows.ids, 0.5)
        hours = (pairs.rows.event_times - first_us) / 3.6e9
        times, losses = [], []
        for rows, answers in ((~mask, pairs.champion), (mask, pairs.candidate)):
            version_losses = losses_of(table.task, loss, answers[rows], pairs.labels[rows])
            has_loss = ~np.isnan(version_losses)
            times.append(hours[rows][has_loss])
            losses.append(version_losses[has_loss])
        return cls(times=(times[0], times[1]), losses=(losses[0], losses[1]), days=days)

    def until(self, day: int) -> tuple[Floats, Floats]:
        """The losses of the first days, by version."""
        first, second = (
            version_losses[times < day * 24.0] for version_losses, times in zip(self.losses, self.times, strict=True)
        )
        return first, second

    def rates(self, day: int, hours: int) -> tuple[Floats, Floats]:
        """The mean loss of each interval of some hours of the first days, by version; intervals without rows go."""
        means = []
        for version_losses, times in zip(self.losses, self.times, strict=True):
            places = (times // hours).astype(np.int64)
            size = day * 24 // hours
            counts = np.bincount(places, minlength=size)[:size]
            sums = np.bincount(places, weights=version_losses, minlength=size)[:size]
            means.append(sums[counts > 0] / counts[counts > 0])
        return means[0], means[1]


def msprt(halves: Halves) -> Decided:
    """A mixture sequential probability ratio test of the difference of two means, looked at daily.

    Source: Johari, Koomen, Pekelis & Walsh, *Always valid inference* (2022).
    """
    for day in range(1, halves.days + 1):
        a, b = halves.until(day)
        n = min(a.size, b.size)
        variance = float(a.var() + b.var()) if n > 1 else 0.0
        if variance <= 0.0:
            continue
        gain = float(b.mean() - a.mean())
        spread = variance + n * TAU**2
        log_ratio = 0.5 * math.log(variance / spread) + (n * TAU * gain) ** 2 / (2.0 * variance * spread)
        if log_ratio >= math.log(1.0 / (2.0 * ALPHA)):
            return Decided(promotes=gain < 0.0, day=day)
    return Decided(promotes=None, day=halves.days)


def threshold(halves: Halves) -> Decided:
    """A threshold on each day's error rate, as an analysis of Argo Rollouts has it."""
    failures = 0
    for day in range(1, ANALYSIS_DAYS + 1):
        a, b = halves.rates(day, 24)
        failures += bool(b[-1] > a[-1] + THRESHOLD)
        if failures > FAILURE_LIMIT:
            return Decided(promotes=False, day=day)
    return Decided(promotes=True, day=ANALYSIS_DAYS)


def ranks(halves: Halves) -> Decided:
    """A Mann-Whitney test of hourly error rates after each day, as Kayenta's judge has it; passes unless it is high."""
    for day in range(1, ANALYSIS_DAYS + 1):
        a, b = halves.rates(day, HOURS)
        if np.ptp(np.concatenate([a, b])) > 0.0 and mannwhitneyu(b, a, alternative="greater").pvalue < RANK_LEVEL / 2:
            return Decided(promotes=False, day=day)
    return Decided(promotes=True, day=ANALYSIS_DAYS)


RIVALS: Mapping[str, Callable[[Halves], Decided]] = {
    "50/50 split, mSPRT": msprt,
    "Argo: threshold, 7 days": threshold,
    "Kayenta: Mann-Whitney, 7 days": ranks,
}
