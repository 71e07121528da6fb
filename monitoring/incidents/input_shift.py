"""A change of an input in its own unit: the median of a number, or the value of a category whose share moved most."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.moments import Moments
from monitoring.baseline.profile import Bins, FeatureCounts
from monitoring.records import BinnedNumber, InputShift

Floats = NDArray[np.float64]

#: Digits of the numbers that bins show.
_DIGITS = 4

#: What of a number's values moved.
Aspect: TypeAlias = Literal["location", "spread"]

#: The shift of an input by its name; None where it cannot be said.
Shifts: TypeAlias = Callable[[str, Aspect], InputShift | None]


def no_shifts(_name: str, _aspect: Aspect, /) -> InputShift | None:
    """Of no input is known how it moved in its own unit."""
    return None


def number_shift(
    bins: Bins, before: FeatureCounts, now: FeatureCounts, aspect: Aspect, values: Floats | None = None
) -> InputShift | None:
    """How a number moved.

    Args:
        values: All values now, [n], where they are at hand; None: their quantiles are as the bins show them.

    Returns:
        That it is constant, which the baseline's values were not; else the median, or the range of the middle half;
        None where it did not move as far as the bins show. A median beyond the outermost edge is not known: its mean is
        said with the edge.
    """
    edges = bins.edges or ()
    if len(edges) < 2 or not before.present or not now.present:
        return None
    moments = now.moments
    if _is_constant(moments) and not _is_constant(before.moments):
        usual, value = (_quantile(edges, before, 0.5),), (BinnedNumber(value=moments.minimum),)
        return InputShift(input=bins.feature, what="constant", before=usual, now=value, rows=moments.finite)
    shares = (0.25, 0.75) if aspect == "spread" else (0.5,)
    old, new = (tuple(_quantile(edges, counts, share) for share in shares) for counts in (before, now))
    if old == new:
        return None
    if values is not None and values.size:
        exact = (float(np.quantile(values, share)) for share in shares)
        new = tuple(each if each.beyond else _shown(value, "") for each, value in zip(new, exact, strict=True))
    if aspect == "spread":
        return InputShift(input=bins.feature, what="middle half", before=old, now=new)
    # Moments are right to some 1e-12, by how rows lie in batches: the number that is said is the same for all.
    mean = float(f"{now.moments.mean:.9g}") if new[0].beyond and now.moments.finite else None
    rose = _place(now, 0.5) > _place(before, 0.5)
    return InputShift(input=bins.feature, what="median", before=old, now=new, rose=rose, mean=mean)


def category_shift(
    bins: Bins, before: FeatureCounts, now: FeatureCounts, usual_unseen: float | None
) -> InputShift | None:
    """How a category moved.

    Args:
        usual_unseen: The share of a baseline window's values that no other window has; None where it is not known.

    Returns:
        The value that all have; else the one whose share moved most, or the values that the baseline never had; None
        where no share moved.
    """
    if not before.present or not now.present:
        return None
    old, new = (np.asarray(profile.counts[:-1], dtype=np.float64) / profile.present for profile in (before, now))
    words = list(bins.categories or ())
    if usual_unseen is not None:
        old, new = np.append(old, usual_unseen), np.append(new, now.never_seen / now.present)
    if not old.size:
        return None
    place = int(np.argmax(np.abs(new - old)))
    was, became = float(old[place]), float(new[place])
    constant = _constant_category(words, before, now)
    if constant is not None:
        was, became = before.counts[constant] / before.present, 1.0
        return InputShift(
            input=bins.feature,
            what="constant",
            before=(BinnedNumber(value=was),),
            now=(BinnedNumber(value=became),),
            category=words[constant],
            rows=now.present,
        )
    if f"{100.0 * was:.1f}" == f"{100.0 * became:.1f}":
        return None
    return InputShift(
        input=bins.feature,
        what="category" if place < len(words) else "unseen",
        before=(BinnedNumber(value=was),),
        now=(BinnedNumber(value=became),),
        category=words[place] if place < len(words) else "",
        rose=became > was,
    )


def _is_constant(values: Moments) -> bool:
    """Whether there are two numbers or more, and all are the same."""
    return values.finite > 1 and not values.infinite and values.minimum == values.maximum


def _constant_category(words: Sequence[str], before: FeatureCounts, now: FeatureCounts) -> int | None:
    """The place of the category that all values have, where the baseline's had others too; None without one."""
    places = range(len(words)) if now.present > 1 else range(0)
    return next((at for at in places if now.counts[at] == now.present and before.counts[at] < before.present), None)


def _place(counts: FeatureCounts, share: float) -> float:
    """Where a share of the values lies below: the number of bins below, and the part of the one that it lies in."""
    weights = np.asarray(counts.counts, dtype=np.float64)
    below = np.cumsum(weights) / weights.sum()
    place = int(np.searchsorted(below, share))
    start = float(below[place - 1]) if place else 0.0
    return place + (share - start) / max(float(below[place]) - start, 1e-12)


def _quantile(edges: Sequence[float], counts: FeatureCounts, share: float) -> BinnedNumber:
    """A quantile as the bins show it: interpolated within one, or beyond the outermost edge.

    Numbers whose bins have whole edges alone are taken as whole.
    """
    at = _place(counts, share)
    place = min(int(at), len(edges))
    if place == 0:
        return _shown(edges[0], "below")
    if place == len(edges):
        return _shown(edges[-1], "above")
    left, right = edges[place - 1], edges[place]
    within = left + (at - place) * (right - left)
    return _shown(math.floor(within) if all(edge % 1 == 0 for edge in edges) else within, "")


def _shown(value: float, beyond: Literal["", "below", "above"]) -> BinnedNumber:
    return BinnedNumber(value=float(f"{value:.{_DIGITS}g}"), beyond=beyond)
