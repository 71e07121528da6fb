"""Autocorrelation of window scores: AR(1) coefficients, estimated from the baseline and re-estimated online.

A day after a storm is not independent of the storm, so window scores are modelled as an AR(1) process and the tests run
on its innovations. This module estimates the coefficient φ of each watch and decides which value a test uses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Key = TypeVar("Key")
Floats = NDArray[np.float64]

#: Significance threshold, in standard errors, of an estimate from baseline windows alone; below it φ is taken as 0. A
#: φ that is too large costs detection power, and the first live windows improve the estimate soon.
BASELINE_SIGNIFICANCE = 3.0

#: Significance threshold, in standard errors, of an estimate that includes live windows.
LIVE_SIGNIFICANCE = 0.5

#: A significant estimate that includes live windows is raised by this many standard errors over √windows: by half a
#: standard error at 100 windows.
UPWARD_MARGIN = 5.0

#: Largest coefficient a test uses: beyond it, windows carry almost no information about a level.
MAX_AR1 = 0.95

#: One autocorrelation lag is summed per this many windows, up to `MAX_LAGS`: a week of days.
WINDOWS_PER_LAG = 12
MAX_LAGS = 7

#: The sum of autocorrelations must differ from that of an AR(1) process by this many standard errors before φ is
#: corrected, and then by the excess alone.
LAG_SUM_SIGNIFICANCE = 0.5

#: Segments of fewer live windows are left out of the estimate.
MIN_SEGMENT_WINDOWS = 8

#: The estimate is updated after this many live windows, and then whenever their number has doubled.
FIRST_UPDATE = 10

#: At most this many of the latest live windows enter an update.
MAX_UPDATE_WINDOWS = 640

#: Bounds of the search for an AR(1) coefficient; below the first, the sum of its powers no longer increases with it.
_SEARCH_BOUNDS = (-0.5, 0.98)


def lag_count(windows: int) -> int:
    """How many lags are summed.

    >>> [lag_count(r) for r in (20, 40, 90, 365)]
    [1, 3, 7, 7]
    """
    return min(max(windows // WINDOWS_PER_LAG, 1), MAX_LAGS)


def ar1_update_due(windows: int) -> bool:
    """Whether the coefficients are re-estimated before the next window.

    Returns:
        True at `FIRST_UPDATE` windows and whenever their number has doubled since.

    >>> [windows for windows in range(200) if ar1_update_due(windows)]
    [10, 20, 40, 80, 160]
    """
    times, left = divmod(windows, FIRST_UPDATE)
    return left == 0 and times > 0 and times & (times - 1) == 0


def estimate_ar1(*segments: Floats) -> Floats:
    """The AR(1) coefficient φ whose sums of windows vary as much as those of the segments do.

    Evidence accumulates over many windows, so what matters is the variance of their sum. The lag-1 autocorrelation r
    determines it only if autocorrelation decays geometrically. Real days often depend on yesterday and not on the day
    before. So the autocorrelations of the first L lags are summed (`lag_count`), each corrected for the bias of short
    segments: with k segments and R windows in all about ``-κk/R - lkr/R`` at lag l, ``κ = (1 + φ)/(1 - φ)``. Where the
    sum differs from ``φ + φ² + … + φ^L`` of the lag-1 estimate by more than `LAG_SUM_SIGNIFICANCE` standard errors, φ
    moves by the excess. With one lag, φ is ``(r + k/R) / (1 - 3k/R)``.

    Cost: about 0.3 ms; for many series at once 3 µs each. Source: Kendall, *Note on bias in the estimation of
    autocorrelation* (1954); Marriott & Pope, *Bias in the estimation of autocorrelations* (1954).

    Args:
        segments: Each [..., n], n consecutive windows in order of time, centred on its own mean, so that a level that
            differs between segments is no autocorrelation. Leading axes are broadcast.

    Returns:
        φ, with the shape of the leading axes; 0 where every centred score is exactly 0. Constant scores whose mean is
        rounded are not recognised; `level_ar1` checks for them.

    >>> alternating, trend = np.array([0.1, 0.2, 0.1, 0.2, 0.1, 0.2]), np.linspace(0.1, 0.2, 30)
    >>> bool(estimate_ar1(alternating) < 0.0 < estimate_ar1(trend))
    True
    """
    size = sum(part.shape[-1] for part in segments)
    centred = [part - part.mean(axis=-1, keepdims=True) for part in segments]
    total = _summed([_lagged_products(part, 0) for part in centred])
    varies = total > 0.0
    share = len(segments) / size
    correlations = [
        _summed([_lagged_products(part, lag) for part in centred]) / np.where(varies, total, 1.0)
        for lag in range(1, lag_count(size) + 1)
    ]
    first = np.minimum((correlations[0] + share) / (1.0 - 3.0 * share), MAX_AR1)
    if len(correlations) == 1:
        return np.where(varies, first, 0.0)
    bounded = np.clip(first, _SEARCH_BOUNDS[0], 0.9)
    kappa = (1.0 + bounded) / (1.0 - bounded)
    observed = first + sum(r + (kappa + lag * r) * share for lag, r in enumerate(correlations[1:], start=2))
    expected = _power_sum(first, len(correlations))
    error = LAG_SUM_SIGNIFICANCE * float(np.sqrt((len(correlations) - 1) / size))
    excess = np.sign(observed - expected) * np.maximum(np.abs(observed - expected) - error, 0.0)
    return np.where(varies, _ar1_of_power_sum(expected + excess, len(correlations)), 0.0)


def _lagged_products(centred: Floats, lag: int) -> Floats:
    """Sum of products of windows `lag` apart, over the last axis."""
    size = centred.shape[-1]
    products: Floats = np.einsum("...w,...w->...", centred[..., lag:], centred[..., : max(size - lag, 0)])
    return products


def _summed(parts: Sequence[Floats]) -> Floats:
    return np.asarray(sum(parts[1:], start=parts[0]), dtype=np.float64)


def _power_sum(ar1: Floats, count: int) -> Floats:
    """``φ + φ² + … + φ^count``."""
    total = np.zeros_like(ar1)
    for _ in range(count):
        total = (total + 1.0) * ar1
    return total


def _ar1_of_power_sum(total: Floats, count: int) -> Floats:
    """The coefficient whose first `count` powers sum to `total`, by bisection to 1e-9, within `_SEARCH_BOUNDS`."""
    low, high = np.full(total.shape, _SEARCH_BOUNDS[0]), np.full(total.shape, _SEARCH_BOUNDS[1])
    for _ in range(31):
        middle = (low + high) / 2.0
        below = _power_sum(middle, count) < total
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return low


def standard_error(estimates: Floats, windows: int) -> Floats:
    """The standard error of estimates of an AR(1) coefficient from so many windows, of their shape."""
    return np.asarray(np.sqrt(np.maximum(1.0 - estimates**2, 0.05) / windows), dtype=np.float64)


def mean_standard_error(scores: Sequence[Floats], mean_ar1: float) -> float:
    """The standard error of the mean AR(1) coefficient of K watches, which depends on how correlated they are.

    Estimates from two series whose scores correlate by c correlate by about c². Only watches with the same number of
    windows are compared, and their mean c² stands for all. From it is subtracted what independent series show by
    chance, ``(1 + φ²) / (1 - φ²) / R``. One watch's own error is that of its first lag.

    Cost: a matrix product, K R min(K, R). Source: Bartlett, *Some aspects of the time-correlation problem in regard to
    tests of significance* (1935).

    Args:
        scores: Baseline window scores of each watch, [R].

    Returns:
        The standard error; infinite if no watch ever varied.

    >>> scores = np.random.default_rng(0).normal(size=90)
    >>> round(mean_standard_error([scores, scores + 1.0, 2.0 * scores], 0.0), 3)
    0.105
    >>> independent = [np.random.default_rng(place).normal(size=90) for place in range(30)]
    >>> round(mean_standard_error(independent, 0.0), 2)
    0.02
    """
    standardised: dict[int, list[Floats]] = {}
    for values in scores:
        off = values - values.mean()
        length = float(np.sqrt(np.square(off).sum()))
        if length > 0.0:
            standardised.setdefault(values.size, []).append(off / length)
    windows = [size for size, group in standardised.items() for _ in group]
    if not windows:
        return float("inf")
    squared = pairs = 0.0
    ar1 = min(abs(mean_ar1), MAX_AR1)
    for size, group in standardised.items():
        watches = np.stack(group)
        products = watches @ watches.T if len(group) < size else watches.T @ watches
        others = len(group) * (len(group) - 1)
        squared += float(np.square(products).sum()) - len(group) - others * (1 + ar1**2) / (1 - ar1**2) / size
        pairs += others
    shared = min(max(squared / pairs, 0.0), 1.0) if pairs else 1.0
    single = standard_error(np.asarray(ar1), round(float(np.mean(windows))))
    return float(single * np.sqrt(shared + (1.0 - shared) / len(windows)))


def significant_ar1(estimates: Floats, windows: int) -> Floats:
    """The coefficient to use before any live window: the estimate where it is significant, else 0.

    Args:
        estimates: Raw estimates of any shape.

    Returns:
        Coefficients of that shape, at most `MAX_AR1`.

    >>> significant_ar1(np.array([0.2, 0.4]), 90).tolist(), significant_ar1(np.array([0.4]), 20).tolist()
    ([0.0, 0.4], [0.0])
    """
    significant = estimates > BASELINE_SIGNIFICANCE * standard_error(estimates, windows)
    return np.where(significant, np.minimum(estimates, MAX_AR1), 0.0)


def conservative_ar1(estimates: Floats, windows: int) -> Floats:
    """The coefficient to use with live windows: 0 where it is not significant, else raised by a part of its error.

    A φ that is too small exceeds the budget, one that is too large delays alarms. So the margin is larger for fewer
    windows. The constants were chosen by simulation (docs/reference/constants.md).

    Args:
        estimates: Raw estimates of any shape.

    Returns:
        Coefficients of that shape, at most `MAX_AR1`.

    >>> conservative_ar1(np.array([0.02, 0.3]), 90).round(3).tolist()
    [0.0, 0.353]
    >>> conservative_ar1(np.array([0.3]), 30).round(3).tolist()
    [0.459]
    """
    error = standard_error(estimates, windows)
    raised = np.minimum(estimates + UPWARD_MARGIN / float(np.sqrt(windows)) * error, MAX_AR1)
    return np.where(estimates <= LIVE_SIGNIFICANCE * error, 0.0, raised)


def level_ar1(scores: Mapping[Key, Floats], live: Mapping[Key, Sequence[Floats]] | None = None) -> dict[Key, float]:
    """The AR(1) coefficient that each watch of one level uses.

    The watches of a level see the same days. Where there are many, the one with the lowest estimate would determine the
    level's false alarms, so no watch uses less than the level's mean estimate. Before any live window the mean counts
    only if it is significant too (`mean_standard_error`).

    Args:
        scores: Baseline window scores of each watch, [R].
        live: Segments of live windows without an incident, in order of time. Without any, and for watches without a
            segment of `MIN_SEGMENT_WINDOWS`, `significant_ar1` applies, otherwise `conservative_ar1`.

    Returns:
        The coefficient of each watch, in [0, `MAX_AR1`]; 0 for watches that never varied.

    >>> slow = np.sin(np.arange(90.0) / 3.0)
    >>> {key: round(ar1, 2) for key, ar1 in level_ar1({"slow": slow, "constant": np.full(90, 0.5)}).items()}
    {'slow': 0.76, 'constant': 0.0}
    """
    segments = {
        key: (values, *_long_enough(live.get(key, ()))) if live else (values,) for key, values in scores.items()
    }
    by_sizes: dict[tuple[int, ...], list[Key]] = {}
    for key, parts in segments.items():
        by_sizes.setdefault(tuple(part.size for part in parts), []).append(key)
    estimates: dict[Key, Floats] = {}
    for keys in by_sizes.values():
        coefficients = estimate_ar1(*(np.stack(parts) for parts in zip(*(segments[key] for key in keys), strict=True)))
        estimates |= dict(zip(keys, coefficients, strict=True))
    varies = {key: np.ptp(values) > 0.0 for key, values in scores.items()}
    mean = _level_mean([estimates[key] for key in scores if varies[key]])
    sizes = {key: [part.size for part in parts] for key, parts in segments.items()}
    baseline_mean = mean
    if any(len(lengths) == 1 for lengths in sizes.values()):
        error = mean_standard_error([scores[key] for key in scores if varies[key]], float(mean))
        baseline_mean = np.where(mean > BASELINE_SIGNIFICANCE * error, mean, 0.0)
    return {
        key: float(_used(estimates[key], sizes[key], baseline_mean if len(sizes[key]) == 1 else mean))
        if varies[key]
        else 0.0
        for key in scores
    }


def level_ar1_of_streams(scores: Sequence[Floats], live: Floats, levels: NDArray[np.int64]) -> Floats:
    """What `level_ar1` returns, for many streams at once, where every watch has one live segment.

    Args:
        scores: Baseline window scores of each watch, [R].
        live: Live window scores, [streams, watches, windows].
        levels: The number of each watch's level, [watches].

    Returns:
        Coefficients, [streams, watches].

    >>> rng = np.random.default_rng(0)
    >>> baselines, live = [rng.normal(size=40), rng.normal(size=30)], rng.normal(size=(1, 2, 50))
    >>> alone = level_ar1(dict(enumerate(baselines)), {0: [live[0, 0]], 1: [live[0, 1]]})
    >>> level_ar1_of_streams(baselines, live, np.array([0, 0])).tolist() == [[alone[0], alone[1]]]
    True
    """
    by_size: dict[int, list[int]] = {}
    for place, values in enumerate(scores):
        by_size.setdefault(values.size, []).append(place)
    long_enough = live.shape[2] >= MIN_SEGMENT_WINDOWS
    estimates = np.zeros(live.shape[:2])
    for places in by_size.values():
        baselines = np.stack([scores[place] for place in places])
        estimates[:, places] = estimate_ar1(baselines, live[:, places]) if long_enough else estimate_ar1(baselines)
    varies = np.array([np.ptp(values) > 0.0 for values in scores])
    used = np.zeros_like(estimates)
    for level in np.unique(levels):
        members = np.flatnonzero((levels == level) & varies)
        mean = estimates[:, members].mean(axis=1) if members.size > 1 else np.zeros(len(estimates))
        for place in members.tolist():
            sizes = [scores[place].size, *([live.shape[2]] if long_enough else [])]
            used[:, place] = _used(estimates[:, place], sizes, mean)
    return used


def _level_mean(estimates: Sequence[Floats]) -> Floats:
    """The mean estimate of a level's watches; 0 for a single watch."""
    return np.mean(estimates, axis=0) if len(estimates) > 1 else np.zeros(())


def _used(estimates: Floats, sizes: Sequence[int], level_mean: Floats) -> Floats:
    """The coefficient used by a watch whose estimate is from segments of these sizes; the first is the baseline."""
    coefficient = conservative_ar1(estimates, sum(sizes)) if len(sizes) > 1 else significant_ar1(estimates, sizes[0])
    return np.asarray(np.minimum(np.maximum(coefficient, level_mean), MAX_AR1), dtype=np.float64)


def _long_enough(segments: Sequence[Floats]) -> tuple[Floats, ...]:
    return tuple(part for part in segments if part.size >= MIN_SEGMENT_WINDOWS)
