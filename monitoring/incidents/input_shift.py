"""A change of an input in its own unit: the median of a number, or the value of a category whose share moved most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from monitoring.baseline.profile import Bins, FeatureCounts
from monitoring.watches.descriptions import plain_number, printable

#: Characters of a category's value in a sentence.
_LONGEST = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class InputShift:
    """How an input's values moved from the baseline to one window.

    >>> InputShift(what="median of age", before="38", now="51", rose=True).summary
    'median of age rose from 38 to 51'

    Attributes:
        rose: Whether it rose; None where that says nothing.
    """

    what: str
    before: str
    now: str
    rose: bool | None = None

    @property
    def summary(self) -> str:
        """The change in a few words."""
        verb = "changed" if self.rose is None else "rose" if self.rose else "fell"
        return f"{self.what} {verb} from {self.before} to {self.now}"


#: What of a number's values moved.
Aspect: TypeAlias = Literal["location", "spread"]

#: The shift of an input by its name; None where it cannot be said.
Shifts: TypeAlias = Callable[[str, Aspect], InputShift | None]


def no_shifts(_name: str, _aspect: Aspect, /) -> InputShift | None:
    """Of no input is known how it moved in its own unit."""
    return None


def number_shift(bins: Bins, before: FeatureCounts, now: FeatureCounts, aspect: Aspect) -> InputShift | None:
    """How a number moved.

    Returns:
        The median, or the range of the middle half; None where it did not move as far as the bins show. A median
        beyond the outermost edge is not known: its mean is said with the edge.
    """
    edges, name = bins.edges or (), printable(bins.feature)
    if len(edges) < 2 or not before.present or not now.present:
        return None
    if aspect == "spread":
        old, new = (_middle_half(edges, counts) for counts in (before, now))
        return None if old == new else InputShift(what=f"middle half of {name}", before=old, now=new)
    old, new = (_quantile(edges, counts, 0.5) for counts in (before, now))
    if old == new:
        return None
    place, rose = _place(now, 0.5), _place(now, 0.5) > _place(before, 0.5)
    if not 1.0 <= place < len(edges):
        mean = f"; the mean is {plain_number(now.moments.mean)}" if now.moments.finite else ""
        new = f"{new} (the {'highest' if rose else 'lowest'} bin edge of the baseline{mean})"
    return InputShift(what=f"median of {name}", before=old, now=new, rose=rose)


def category_shift(
    bins: Bins, before: FeatureCounts, now: FeatureCounts, usual_unseen: float | None
) -> InputShift | None:
    """How a category moved.

    Args:
        usual_unseen: The share of a baseline window's values that no other window has; None where it is not known.

    Returns:
        The value whose share moved most, or the values that the baseline never had; None where no share moved.
    """
    if not before.present or not now.present:
        return None
    name = printable(bins.feature)
    old, new = (np.asarray(profile.counts[:-1], dtype=np.float64) / profile.present for profile in (before, now))
    words = [f"share of {name} = {printable(word, _LONGEST)}" for word in bins.categories or ()]
    if usual_unseen is not None:
        old, new = np.append(old, usual_unseen), np.append(new, now.never_seen / now.present)
        words.append(f"unseen values of {name}")
    if not words:
        return None
    place = int(np.argmax(np.abs(new - old)))
    was, became = (f"{100.0 * float(shares[place]):.1f} %" for shares in (old, new))
    rose = bool(new[place] > old[place])
    return None if was == became else InputShift(what=words[place], before=was, now=became, rose=rose)


def _place(counts: FeatureCounts, share: float) -> float:
    """Where a share of the values lies below: the number of bins below, and the part of the one that it lies in."""
    weights = np.asarray(counts.counts, dtype=np.float64)
    below = np.cumsum(weights) / weights.sum()
    place = int(np.searchsorted(below, share))
    start = float(below[place - 1]) if place else 0.0
    return place + (share - start) / max(float(below[place]) - start, 1e-12)


def _middle_half(edges: Sequence[float], counts: FeatureCounts) -> str:
    """Where the middle half of the values lies; in short where all of it is beyond one edge."""
    low, high = (_quantile(edges, counts, share) for share in (0.25, 0.75))
    return low if low == high else f"{low} \N{EN DASH} {high}"


def _quantile(edges: Sequence[float], counts: FeatureCounts, share: float) -> str:
    """A quantile as the bins show it: interpolated within one, or beyond the outermost edge."""
    at = _place(counts, share)
    place = min(int(at), len(edges))
    if place == 0:
        return f"below {plain_number(edges[0])}"
    if place == len(edges):
        return f"above {plain_number(edges[-1])}"
    left, right = edges[place - 1], edges[place]
    return plain_number(left + (at - place) * (right - left))
