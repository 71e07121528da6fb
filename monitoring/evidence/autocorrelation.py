"""How much of a window's score the next window remembers: days after a storm are not independent of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Key = TypeVar("Key")
Floats = NDArray[np.float64]

#: Before any traffic, an estimate below so many of its own standard errors is taken for none: a baseline alone cannot
#: tell, a wrong memory blinds, and the first windows will tell more.
BEYOND_DOUBT = 3.0

#: Once traffic is known as well, an estimate below so many is taken for none.
GATE = 0.5

#: Then estimates that count are raised by so many standard errors over the square root of the windows: half at 90.
CAUTION = 5.0

#: No memory is taken to be longer than this: beyond it, windows tell next to nothing of a level.
LONGEST = 0.95

#: Correlations are summed over one lag for so many windows, and at most over a week of days.
WINDOWS_PER_LAG = 12
MOST_LAGS = 7

#: By so many of its standard errors must the sum miss a geometric memory's before the miss counts, and then the rest.
DOUBT = 0.5

#: Stretches of fewer windows are not looked at for what a window remembers.
SHORTEST = 8

#: Between these a geometric memory is looked for; below the first, the sum of its powers no longer grows with it.
_RANGE = (-0.5, 0.98)


def lags(windows: int) -> int:
    """How many lags so many windows can tell of.

    >>> [lags(r) for r in (20, 40, 90, 365)]
    [1, 3, 7, 7]
    """
    return min(max(windows // WINDOWS_PER_LAG, 1), MOST_LAGS)


def remembered(*stretches: Floats) -> Floats:
    """The geometric memory φ under which sums of windows would vary as much as those of some stretches do.

    Each stretch has shape [..., n], n windows in order of time, and is looked at about its own mean, so that a level
    that differs between two is no memory; leading axes are broadcast, and the result has their shape. Evidence is
    gathered over many windows, so what counts is how much their sum varies, and the correlation r of neighbours alone
    foretells that only where memory fades geometrically. Real days often remember yesterday and not the day before: a
    storm passes, and better weather follows. So the correlations of the first L lags are summed (see `lags`), each
    corrected for the bias of short stretches, with k of them and R windows in all about -κk/R - lkr/R at lag l with
    κ = (1 + φ)/(1 - φ). Where that sum misses ``φ + φ² + … + φ^L`` of the neighbours' φ by more than chance would, φ is
    moved by what is beyond chance. One lag is the neighbours' correlation itself, ``(r + k/R) / (1 - 3k/R)``. 0 for
    scores that never moved. Cost: about .3 ms, and for many series at once 3 µs each. Source: Kendall, *Note on bias in
    the estimation of autocorrelation* (1954); Marriott & Pope, *Bias in the estimation of autocorrelations* (1954).

    >>> bool(remembered(np.array([0.1, 0.2, 0.1, 0.2, 0.1, 0.2])) < 0.0 < remembered(np.linspace(0.1, 0.2, 30)))
    True
    """
    size = sum(part.shape[-1] for part in stretches)
    centred = [part - part.mean(axis=-1, keepdims=True) for part in stretches]
    total = _summed([_products(part, 0) for part in centred])
    moved = total > 0.0
    share = len(stretches) / size
    found = [
        _summed([_products(part, lag) for part in centred]) / np.where(moved, total, 1.0)
        for lag in range(1, lags(size) + 1)
    ]
    neighbours = np.minimum((found[0] + share) / (1.0 - 3.0 * share), LONGEST)
    if len(found) == 1:
        return np.where(moved, neighbours, 0.0)
    held = np.clip(neighbours, _RANGE[0], 0.9)
    varies = (1.0 + held) / (1.0 - held)
    seen = neighbours + sum(r + (varies + lag * r) * share for lag, r in enumerate(found[1:], start=2))
    foretold = _powers(neighbours, len(found))
    chance = DOUBT * float(np.sqrt((len(found) - 1) / size))
    beyond = np.sign(seen - foretold) * np.maximum(np.abs(seen - foretold) - chance, 0.0)
    return np.where(moved, _geometric(foretold + beyond, len(found)), 0.0)


def _products(centred: Floats, lag: int) -> Floats:
    """Sum of products of windows so many windows apart."""
    size = centred.shape[-1]
    found: Floats = np.einsum("...w,...w->...", centred[..., lag:], centred[..., : max(size - lag, 0)])
    return found


def _summed(parts: Sequence[Floats]) -> Floats:
    return np.asarray(sum(parts[1:], start=parts[0]), dtype=np.float64)


def _powers(memory: Floats, count: int) -> Floats:
    """``φ + φ² + … + φ^count``."""
    found = np.zeros_like(memory)
    for _ in range(count):
        found = (found + 1.0) * memory
    return found


def _geometric(total: Floats, count: int) -> Floats:
    """The memory whose first `count` powers sum to `total`, to 1e-9, or the nearer end of the range looked at."""
    low, high = np.full(total.shape, _RANGE[0]), np.full(total.shape, _RANGE[1])
    for _ in range(31):
        middle = (low + high) / 2.0
        below = _powers(middle, count) < total
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return low


def _error(estimates: Floats, windows: int) -> Floats:
    return np.asarray(np.sqrt(np.maximum(1.0 - estimates**2, 0.05) / windows), dtype=np.float64)


def mean_error(scores: Sequence[Floats], estimate: float) -> float:
    """The standard error of the mean `estimate` of a memory over K watches, by how alike their scores are.

    Estimates of two series whose scores correlate by c correlate by about c². `scores` [R] are those of each watch;
    only watches with as many windows are compared, and what they show stands for all. From the mean c² is taken what
    series that have nothing to do with each other show, ``(1 + φ²) / (1 - φ²) / R``. One watch's error is that of its
    first lag, as everywhere here. Infinite if none ever moved. Cost: a product of scores, K R min(K, R). Source:
    Bartlett, *Some aspects of the time-correlation problem in regard to tests of significance* (1935).

    >>> one = np.random.default_rng(0).normal(size=90)
    >>> round(mean_error([one, one + 1.0, 2.0 * one], 0.0), 3)
    0.105
    >>> round(mean_error([np.random.default_rng(place).normal(size=90) for place in range(30)], 0.0), 2)
    0.02
    """
    standard: dict[int, list[Floats]] = {}
    for one in scores:
        off = one - one.mean()
        length = float(np.sqrt(np.square(off).sum()))
        if length > 0.0:
            standard.setdefault(one.size, []).append(off / length)
    windows = [size for size, group in standard.items() for _ in group]
    if not windows:
        return float("inf")
    squared = pairs = 0.0
    memory = min(abs(estimate), LONGEST)
    for size, group in standard.items():
        watches = np.stack(group)
        products = watches @ watches.T if len(group) < size else watches.T @ watches
        others = len(group) * (len(group) - 1)
        squared += float(np.square(products).sum()) - len(group) - others * (1 + memory**2) / (1 - memory**2) / size
        pairs += others
    shared = min(max(squared / pairs, 0.0), 1.0) if pairs else 1.0
    alone = _error(np.asarray(memory), round(float(np.mean(windows))))
    return float(alone * np.sqrt(shared + (1.0 - shared) / len(windows)))


def beyond_doubt(estimates: Floats, windows: int) -> Floats:
    """The memory to begin with, of estimates from so many baseline windows: 0 where it may well be chance.

    >>> beyond_doubt(np.array([0.2, 0.4]), 90).tolist(), beyond_doubt(np.array([0.4]), 20).tolist()
    ([0.0, 0.4], [0.0])
    """
    certain = estimates > BEYOND_DOUBT * _error(estimates, windows)
    return np.where(certain, np.minimum(estimates, LONGEST), 0.0)


def cautious(estimates: Floats, windows: int) -> Floats:
    """The memory to work with: 0 where the estimate may be chance, else the estimate and a part of its error.

    Too little memory breaks the budget and too much costs delay, so the error is added, the more the fewer windows
    it comes from. The constants were chosen by simulation (see docs/decisions/0021-long-run-memory.md).

    >>> cautious(np.array([0.02, 0.3]), 90).round(3).tolist(), cautious(np.array([0.3]), 30).round(3).tolist()
    ([0.0, 0.353], [0.459])
    """
    error = _error(estimates, windows)
    raised = np.minimum(estimates + CAUTION / float(np.sqrt(windows)) * error, LONGEST)
    return np.where(estimates <= GATE * error, 0.0, raised)


def memories(scores: Mapping[Key, Floats], traffic: Mapping[Key, Sequence[Floats]] | None = None) -> dict[Key, float]:
    """The memory of each watch of one level, from its baseline's window scores and its quiet traffic's.

    `scores[key]` has shape [R]; `traffic[key]` are stretches of windows that were judged, in order of time: without
    any, and for keys without a long enough one, see `beyond_doubt`, else `cautious`. The watches of a level see the
    same days, and where there are many, the luckiest of them would decide the level's false alarms: so no watch works
    with less than the level's mean estimate; before any traffic only if that is beyond doubt as well, which the more
    watches can say the less they are alike (see `mean_error`). Watches that never moved have none.
    """
    known = {key: (values, *_long(traffic.get(key, ()))) if traffic else (values,) for key, values in scores.items()}
    alike: dict[tuple[int, ...], list[Key]] = {}
    for key, parts in known.items():
        alike.setdefault(tuple(part.size for part in parts), []).append(key)
    estimates: dict[Key, Floats] = {}
    for keys in alike.values():
        found = remembered(*(np.stack(parts) for parts in zip(*(known[key] for key in keys), strict=True)))
        estimates |= dict(zip(keys, found, strict=True))
    moves = {key: np.ptp(values) > 0.0 for key, values in scores.items()}
    shared = _shared([estimates[key] for key in scores if moves[key]])
    sizes = {key: [part.size for part in parts] for key, parts in known.items()}
    begun = shared
    if any(len(found) == 1 for found in sizes.values()):
        error = mean_error([scores[key] for key in scores if moves[key]], float(shared))
        begun = np.where(shared > BEYOND_DOUBT * error, shared, 0.0)
    return {
        key: float(_worked_with(estimates[key], sizes[key], begun if len(sizes[key]) == 1 else shared))
        if moves[key]
        else 0.0
        for key in scores
    }


def pooled(scores: Sequence[Floats], traffic: Floats, levels: NDArray[np.int64]) -> Floats:
    """What `memories` gives in many streams, [streams, watches], where every watch has one stretch of its own.

    `scores` are the watches' baseline scores, [R] each, `traffic` is [streams, watches, windows], and `levels` has the
    number of each watch's level, [watches].

    >>> rng = np.random.default_rng(0)
    >>> known, live = [rng.normal(size=40), rng.normal(size=30)], rng.normal(size=(1, 2, 50))
    >>> alone = memories(dict(enumerate(known)), {0: [live[0, 0]], 1: [live[0, 1]]})
    >>> pooled(known, live, np.array([0, 0])).tolist() == [[alone[0], alone[1]]]
    True
    """
    alike: dict[int, list[int]] = {}
    for place, one in enumerate(scores):
        alike.setdefault(one.size, []).append(place)
    long = traffic.shape[2] >= SHORTEST
    found = np.zeros(traffic.shape[:2])
    for places in alike.values():
        known = np.stack([scores[place] for place in places])
        found[:, places] = remembered(known, traffic[:, places]) if long else remembered(known)
    moves = np.array([np.ptp(one) > 0.0 for one in scores])
    used = np.zeros_like(found)
    for level in np.unique(levels):
        mine = np.flatnonzero((levels == level) & moves)
        shared = found[:, mine].mean(axis=1) if mine.size > 1 else np.zeros(len(found))
        for place in mine.tolist():
            sizes = [scores[place].size, *([traffic.shape[2]] if long else [])]
            used[:, place] = _worked_with(found[:, place], sizes, shared)
    return used


def _shared(estimates: Sequence[Floats]) -> Floats:
    """The mean estimate of a level's watches, 0 of a single one."""
    return np.mean(estimates, axis=0) if len(estimates) > 1 else np.zeros(())


def _worked_with(estimates: Floats, sizes: Sequence[int], shared: Floats) -> Floats:
    """What a watch works with whose estimate is from stretches of so many windows; the first is the baseline."""
    alone = cautious(estimates, sum(sizes)) if len(sizes) > 1 else beyond_doubt(estimates, sizes[0])
    return np.asarray(np.minimum(np.maximum(alone, shared), LONGEST), dtype=np.float64)


def _long(stretches: Sequence[Floats]) -> tuple[Floats, ...]:
    return tuple(part for part in stretches if part.size >= SHORTEST)
