"""Seasonality: the part of a watch's score explained by the time of day or the day of the week, and its removal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.autocorrelation import conservative_ar1, estimate_ar1

#: Baseline windows that a phase needs to have an offset.
MIN_WINDOWS_PER_PHASE = 4

#: Share of the baseline's windows that must be in phases with an offset.
MIN_COVERED_SHARE = 0.9

#: Seasonality is removed if that increases the signal-to-noise ratio of a lasting rise by this factor, out of sample.
MIN_GAIN = 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Seasonality:
    """The seasonality of one watch: `offsets[p]` is what phase p of `period` adds to its score; empty for none.

    `period` is "day" or "week". `gain` is the factor by which removal increases the signal-to-noise ratio of a lasting
    rise, measured on windows that the offsets were not fitted on.
    """

    period: str = ""
    offsets: tuple[float, ...] = ()
    gain: float = 1.0

    def offset(self, phases: Mapping[str, int]) -> float:
        """The seasonal part of a window's score, in score units. Returns the offset; 0 for a phase without one.

        Args:
            phases: The window's phase in each period, from 0.

        >>> Seasonality(period="week", offsets=(0.1, -0.1)).offset({"week": 1})
        -0.1
        >>> Seasonality().offset({"week": 1})
        0.0
        """
        phase = phases.get(self.period, len(self.offsets))
        return self.offsets[phase] if phase < len(self.offsets) else 0.0


NO_SEASONALITY = Seasonality()


def fit_seasonality(
    scores: NDArray[np.float64], phases: Mapping[str, NDArray[np.int64]], *, min_std: float = 1e-6
) -> tuple[Seasonality, NDArray[np.float64]]:
    """Fit the seasonality worth removing from a watch, if any, and remove it from the baseline's scores.

    An offset is the mean of its phase, shrunk towards the overall mean as far as the variance within phases asks for
    (empirical Bayes). Each baseline score loses the offset fitted on the *other* windows of its phase, so that the
    baseline is as uncertain as live windows are and noise shows no seasonality. Of several periods the one with the
    largest gain counts. Cost: some 100 µs a period. Source: Efron & Morris, *Stein's estimation rule and its
    competitors* (1973), for the shrinkage.

    Args:
        scores: Baseline window scores in order of time, [R].
        phases: For each candidate period, the phase of each window, from 0, [R].

    Returns:
        The seasonality, or `NO_SEASONALITY`; and the adjusted scores, [R].

    >>> days = np.arange(70) % 7
    >>> rng = np.random.default_rng(0)
    >>> weekly, _ = fit_seasonality(np.where(days >= 5, 0.3, 0.2) + rng.normal(0, 0.01, 70), {"week": days})
    >>> weekly.period, weekly.gain > 2.0, round(weekly.offsets[6] - weekly.offsets[0], 2)
    ('week', True, 0.1)
    >>> fit_seasonality(rng.normal(0, 0.01, 70), {"week": days})[0] == NO_SEASONALITY
    True
    """
    best, adjusted, plain = NO_SEASONALITY, scores, 0.0
    for period, phase in sorted(phases.items()):
        fit = _offsets(scores, phase)
        if fit is None:
            continue
        offsets, without = fit
        plain = plain or _signal_to_noise(scores, min_std)
        gain = _signal_to_noise(without, min_std) / plain
        if gain > max(best.gain, MIN_GAIN):
            best = Seasonality(period=period, offsets=tuple(float(offset) for offset in offsets), gain=gain)
            adjusted = without
    return best, adjusted


def _signal_to_noise(scores: NDArray[np.float64], min_std: float) -> float:
    """How far a lasting rise of 1 moves an innovation, in standard deviations of innovations."""
    ar1 = float(conservative_ar1(estimate_ar1(scores), scores.size))
    off = scores - scores.mean()
    return (1.0 - ar1) / max(float((off[1:] - ar1 * off[:-1]).std()), min_std)


def _offsets(
    scores: NDArray[np.float64], phase: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Fit the offsets of one period.

    Args:
        scores: Baseline window scores, [R].
        phase: Each window's phase, [R].

    Returns:
        Each phase's offset, 0 for one with too few windows, and each score without the offset fitted on the other
        windows of its phase. None where too many windows are in phases without an offset, or where phases differ by no
        more than noise.
    """
    counts = np.bincount(phase).astype(np.float64)
    has_windows = counts >= MIN_WINDOWS_PER_PHASE
    covered = has_windows[phase]
    if has_windows.sum() < 2 or covered.mean() < MIN_COVERED_SHARE or np.ptp(scores) <= 0.0:
        return None
    off = scores - scores[covered].mean()
    sums = np.bincount(phase, weights=off)
    means = sums[has_windows] / counts[has_windows]
    within = (off - sums[phase] / counts[phase])[covered]
    noise = float(within @ within) / (within.size - has_windows.sum())
    between = float(np.var(means)) - noise * float(np.mean(1.0 / counts[has_windows]))
    if between <= 0.0:
        return None
    shrinkage = noise / between
    of_others = np.where(covered, (sums[phase] - off) / (counts[phase] - 1.0 + shrinkage), 0.0)
    return np.where(has_windows, sums / (counts + shrinkage), 0.0), scores - of_others
