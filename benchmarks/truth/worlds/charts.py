"""Control charts on daily losses or surprises, tuned on a stream's own reference to a rate of false alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.lender.rivals import Chart, cusum, ewma
from benchmarks.truth.worlds.world import Floats

#: The charts by name.
CHARTS: Mapping[str, Chart] = {"CUSUM": cusum, "EWMA": ewma}

#: Streams of days drawn from a reference that tune its chart, and the days of each.
BOOTSTRAP = (40, 365)

#: The widest threshold that is tried, in standard deviations.
WIDEST = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Daily figures of some streams: of the reference [streams, R, m], and after it [streams, days, m]."""

    reference: Floats
    live: Floats

    @property
    def standardised(self) -> Floats:
        """The live figures by the mean and standard deviation of each stream's reference."""
        spread = np.maximum(self.reference.std(axis=1, ddof=1, keepdims=True), 1e-9)
        return np.asarray((self.live - self.reference.mean(axis=1, keepdims=True)) / spread, dtype=np.float64)


def alarms(chart: Chart, series: Series, thresholds: Floats) -> NDArray[np.bool_]:
    """Days on which the chart of any figure alarms, bool [streams, days]; thresholds [streams]."""
    z = series.standardised
    flags = [chart(z[:, :, at], thresholds) for at in range(z.shape[2])]
    return np.asarray(np.any(flags, axis=0), dtype=np.bool_)


def own_thresholds(chart: Chart, reference: Floats, yearly: float, seed: int) -> Floats:
    """The threshold of each stream at which days drawn from its reference alarm so often in a year.

    Args:
        reference: Daily figures, [streams, R, m].
        yearly: Alarms in 365 days.

    Returns:
        Thresholds, [streams].
    """
    streams, days, figures = reference.shape
    drawn = np.random.default_rng(seed).integers(0, days, (streams, *BOOTSTRAP))
    live = reference[np.arange(streams)[:, None, None], drawn].reshape(-1, BOOTSTRAP[1], figures)
    repeated = Series(reference=np.repeat(reference, BOOTSTRAP[0], axis=0), live=live)
    low, high = np.zeros(streams), np.full(streams, WIDEST)
    for _ in range(11):
        middle = (low + high) / 2.0
        per_year = alarms(chart, repeated, np.repeat(middle, BOOTSTRAP[0])).reshape(streams, -1).mean(axis=1) * 365.0
        low, high = np.where(per_year > yearly, middle, low), np.where(per_year > yearly, high, middle)
    return high


def nominal_rate(chart: Chart, clean: Series, yearly: float, seed: int) -> float:
    """The rate to ask for, so that clean years have so many false alarms: a short reference underestimates it.

    Args:
        yearly: The alarms in 365 days that clean years may have.

    Returns:
        Alarms in 365 days, as asked for.
    """
    low, high = 0.003, 4.0
    for _ in range(7):
        middle = float(np.sqrt(low * high))
        per_year = alarms(chart, clean, own_thresholds(chart, clean.reference, middle, seed)).mean() * 365.0
        low, high = (low, middle) if per_year > yearly else (middle, high)
    return low
