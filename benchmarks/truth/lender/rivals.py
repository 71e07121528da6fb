"""Control charts on the daily error and Brier score, each tuned to a rate of false alarms."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.lender.law import Floats
from benchmarks.truth.lender.streams import Losses

#: The CUSUM's reference value, half of the smallest rise that it is made for, in standard deviations.
ALLOWANCE = 0.25

#: The weight of the last day in the EWMA, and the days of a band.
LAST_DAY = 0.1
BAND = 7

#: Streams without change that tune a chart on one reference, and their days.
BOOTSTRAP = (50, 365)

#: A chart: z-scores [streams, days] and its threshold; where it alarms. It restarts after each alarm.
Chart = Callable[[Floats, Floats], NDArray[np.bool_]]


def cusum(z: Floats, threshold: Floats) -> NDArray[np.bool_]:
    """Page's CUSUM of rises."""
    at, running = np.zeros(z.shape, dtype=np.bool_), np.zeros(z.shape[0])
    for day in range(z.shape[1]):
        running = np.maximum(running + z[:, day] - ALLOWANCE, 0.0)
        at[:, day] = running >= threshold
        running[at[:, day]] = 0.0
    return at


def ewma(z: Floats, threshold: Floats) -> NDArray[np.bool_]:
    """Roberts' exponentially weighted moving average, in its own standard deviations."""
    at, running = np.zeros(z.shape, dtype=np.bool_), np.zeros(z.shape[0])
    spread = np.sqrt(LAST_DAY / (2.0 - LAST_DAY))
    for day in range(z.shape[1]):
        running = (1.0 - LAST_DAY) * running + LAST_DAY * z[:, day]
        at[:, day] = running / spread >= threshold
        running[at[:, day]] = 0.0
    return at


def band(z: Floats, threshold: Floats) -> NDArray[np.bool_]:
    """The mean of the last seven days, as a sum of so many windows; it starts again after an alarm."""
    at, since = np.zeros(z.shape, dtype=np.bool_), np.zeros(z.shape[0], dtype=np.int64)
    for day in range(z.shape[1]):
        since += 1
        last = np.minimum(since, BAND)
        places = day - np.arange(BAND)[None, :]
        has_value = (np.arange(BAND)[None, :] < last[:, None]) & (places >= 0)
        total = np.where(has_value, z[np.arange(len(z))[:, None], np.maximum(places, 0)], 0.0).sum(axis=1)
        at[:, day] = total / np.sqrt(BAND) >= threshold
        since[at[:, day]] = 0
    return at


CHARTS: Mapping[str, Chart] = {"CUSUM": cusum, "EWMA": ewma, "7-day band": band}


def alarms(chart: Chart, reference: Losses, live: Losses, threshold: Floats) -> NDArray[np.bool_]:
    """Days on which the chart of either loss alarms, standardised by each stream's own reference.

    Args:
        threshold: of each stream, [streams] or [1].

    Returns:
        Alarms, bool [streams, days].
    """
    mask = np.zeros(live.errors.shape, dtype=np.bool_)
    for reference_losses, live_losses in ((reference.errors, live.errors), (reference.brier, live.brier)):
        z = (live_losses - reference_losses.mean(axis=1, keepdims=True)) / reference_losses.std(
            axis=1, ddof=1, keepdims=True
        )
        mask |= chart(z, np.broadcast_to(threshold, z.shape[:1]))
    return mask


def common_threshold(chart: Chart, reference: Losses, clean: Losses, pages: float) -> Floats:
    """The threshold at which clean years have so many alarms in 365 days: more than a user can know.

    Args:
        pages: alarms in 365 days.

    Returns:
        The threshold, [1].
    """
    low, high = 0.0, 40.0
    for _ in range(16):
        middle = (low + high) / 2.0
        if alarms(chart, reference, clean, np.array([middle])).mean() * 365.0 > pages:
            low = middle
        else:
            high = middle
    return np.array([high])


def own_thresholds(chart: Chart, reference: Losses, pages: float, seed: int) -> Floats:
    """The threshold of each stream at which days drawn from its reference alone have so many alarms in 365.

    Args:
        pages: alarms in 365 days.

    Returns:
        Thresholds, [streams].
    """
    rng = np.random.default_rng(seed)
    streams, days = reference.errors.shape
    drawn = rng.integers(0, days, (streams, *BOOTSTRAP))
    every = np.arange(streams)[:, None, None]

    def flat(values: Floats) -> Floats:
        return np.asarray(values[every, drawn].reshape(-1, BOOTSTRAP[1]), dtype=np.float64)

    def repeated(values: Floats) -> Floats:
        return np.repeat(values, BOOTSTRAP[0], axis=0)

    repeated_losses = Losses(errors=repeated(reference.errors), brier=repeated(reference.brier))
    live = Losses(errors=flat(reference.errors), brier=flat(reference.brier))
    low, high = np.zeros(streams), np.full(streams, 40.0)
    for _ in range(10):
        middle = (low + high) / 2.0
        per_year = (
            alarms(chart, repeated_losses, live, np.repeat(middle, BOOTSTRAP[0])).reshape(streams, -1).mean(axis=1)
            * 365.0
        )
        low, high = np.where(per_year > pages, middle, low), np.where(per_year > pages, high, middle)
    return high
