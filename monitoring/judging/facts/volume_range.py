"""How far the reference's own numbers of rows lie from what was usual, and where a number that is farther is a fact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, inf, log, sqrt
from statistics import median
from typing import TypeAlias

from monitoring.incidents.alarm import HISTORY
from monitoring.judging.facts.usual_level import LASTING_WINDOWS, Places

Volumes: TypeAlias = Sequence[tuple[Places, int]]

#: Windows at the same place in the day and week that a usual number of rows is taken from, at least.
MIN_SAME_PLACE = 2

#: Before there are as many, the last windows whatever their place, if there are this many of them and the fewest rows
#: among them are more than a third of their median.
MIN_ANY_PLACE = 7
EVEN = 1.0 / 3.0

#: Of fewer windows of a reference, no law of its volume is taken.
MIN_WINDOWS = 20

#: False pages about the volume of traffic, as a share of the budget, if traffic comes as the reference's did.
VOLUME_SHARE = 0.05

#: A notice that another level lasts is false once in so many windows, if traffic comes as the reference's did.
LASTING_ALARM = 365.0

#: A time without rows is a page once it is so many times the reference's longest one, whatever law such times have.
GAP_FACTOR = 4.0

#: What a law is taken from, at least: so many of the values farthest out.
_MIN_TAIL = 5


def usual_rows(history: Volumes, places: Places) -> float | None:
    """The usual number of rows of a window.

    Args:
        history: Place in each period, and rows, of the windows before, in order of time; those without rows too.

    Returns:
        The median of the windows at the same place, or of all where volume hardly varies; None where neither is known.

    >>> usual_rows([({"week": day % 7}, 100 if day % 7 < 5 else 2) for day in range(21)], {"week": 6})
    2.0
    """
    same = [rows for at, rows in history if at == places and rows]
    if len(same) >= MIN_SAME_PLACE:
        return float(median(same))
    every = [rows for _, rows in history if rows]
    if len(every) >= MIN_ANY_PLACE and min(every) > EVEN * median(every):
        return float(median(every))
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeSide:
    """One direction away from what is usual, as the logarithm of a factor.

    Attributes:
        seen: The farthest window of the reference; 0 where nothing is known of it.
        limit: What a window is beyond with a probability of its share of the budget, by the reference's tail.
    """

    seen: float = 0.0
    limit: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeRange:
    """What numbers of rows the reference itself had, beside what was usual at the time.

    The tail of the factors between a window and what was usual is taken to fall as a power (Hill's estimator), which is
    more than counts with a constant rate do, and what bursts do. Nothing is known where a reference has less than
    `MIN_WINDOWS` windows.

    Attributes:
        fewer, more: How many times fewer, and more, rows a window had than usual.
        lasting_fewer, lasting_more: By how much all of `LASTING_WINDOWS` windows in a row were off, at least.
        longest_gap: The most windows in a row that had no rows, though others at their place had.
        gap_limit: So many windows without rows are a page, if there are more.
        empty_places: Places in the periods at which most windows have no rows, where others have some.
    """

    fewer: VolumeSide = VolumeSide()
    more: VolumeSide = VolumeSide()
    lasting_fewer: float = 0.0
    lasting_more: float = 0.0
    longest_gap: int = 0
    gap_limit: int = 0
    empty_places: tuple[Places, ...] = ()

    @classmethod
    def fit(cls, volumes: Volumes, threshold: float) -> VolumeRange:
        """The range of a reference.

        Args:
            volumes: Place in each period, and rows, of its windows in order of time; those without rows too.
            threshold: The windows that the budget grants for each page.

        Returns:
            The range. Cost: some `HISTORY` steps for each window.

        >>> from math import exp
        >>> bursts = [({}, 4000 if week % 20 == 10 else 50 + week % 7) for week in range(300)]
        >>> round(exp(VolumeRange.fit(bursts, 260.0).more.seen))
        77
        >>> winters = [({}, 0 if week % 52 < 12 else 60) for week in range(520)]
        >>> VolumeRange.fit(winters, 260.0).longest_gap, VolumeRange.fit(winters[:15], 260.0).longest_gap
        (12, 0)
        """
        if len(volumes) < MIN_WINDOWS:
            return cls()
        alpha = VOLUME_SHARE / 3.0 / threshold  # fewer, more, and none
        empty = _empty_places(volumes)
        factors = list(_factors(volumes))
        known = [factor for factor in factors if factor is not None]
        runs = [factors[end - LASTING_WINDOWS : end] for end in range(LASTING_WINDOWS, len(factors) + 1)]
        whole = [[factor for factor in run if factor is not None] for run in runs]
        lasting = [run for run in whole if len(run) == LASTING_WINDOWS]
        gaps = [length for length in gap_lengths(volumes, empty) if length]
        return cls(
            fewer=_volume_side([-factor for factor in known], alpha),
            more=_volume_side(known, alpha),
            lasting_fewer=_volume_side([-max(run) for run in lasting], 1.0 / LASTING_ALARM).limit,
            lasting_more=_volume_side([min(run) for run in lasting], 1.0 / LASTING_ALARM).limit,
            longest_gap=max(gaps, default=0),
            gap_limit=_gap_limit(gaps, len(volumes), alpha),
            empty_places=empty,
        )


def gap_lengths(volumes: Volumes, empty_places: Sequence[Places] = ()) -> list[int]:
    """How many windows in a row had no rows, of each time without rows; the last is 0 if the last window has some.

    Windows at places where most have none neither count nor end a gap.

    >>> gap_lengths([({}, 5), ({}, 0), ({}, 0), ({}, 3), ({}, 0)])
    [2, 1]
    """
    counted = [rows for at, rows in volumes if rows or at not in empty_places]
    lengths = [len(list(group)) for has_rows, group in groupby(counted, bool) if not has_rows]
    return lengths if counted and not counted[-1] else [*lengths, 0]


def _factors(volumes: Volumes) -> Iterator[float | None]:
    """The logarithm of each window's rows over what was usual before it, or else in all; None where that is unknown."""
    in_all: dict[tuple[tuple[str, int], ...], float | None] = {}
    for place, (at, rows) in enumerate(volumes):
        usual = usual_rows(volumes[max(place - HISTORY, 0) : place], at) if rows else None
        if usual is None and rows:
            key = tuple(at.items())
            if key not in in_all:
                in_all[key] = usual_rows(volumes, at)
            usual = in_all[key]
        yield None if usual is None else log(rows / usual)


def _empty_places(volumes: Volumes) -> tuple[Places, ...]:
    """The places at which more than half of the windows, and two at least, have no rows; none where all are such."""
    places = [at for place, (at, _) in enumerate(volumes) if all(at != other for other, _ in volumes[:place])]
    rows = [[rows for other, rows in volumes if other == at] for at in places]
    empty = [len(each) >= MIN_SAME_PLACE and 2 * each.count(0) > len(each) for each in rows]
    return () if all(empty) else tuple(at for at, is_empty in zip(places, empty, strict=True) if is_empty)


def _volume_side(values: Sequence[float], alpha: float) -> VolumeSide:
    """The farthest value, and the one that is exceeded with that probability."""
    if len(values) < MIN_WINDOWS:
        return VolumeSide()
    limit = _tail_limit(values, len(values), alpha)
    return VolumeSide(seen=max(*values, 0.0), limit=max(limit, *values, 0.0))


def _tail_limit(values: Iterable[float], windows: int, alpha: float) -> float:
    """The value that one of so many windows exceeds with that probability, by an exponential law of the largest."""
    largest = sorted(values, reverse=True)
    count = min(max(_MIN_TAIL, ceil(sqrt(len(largest)))), len(largest) - 1)
    if count < 1:
        return -inf
    mean_excess = sum(value - largest[count] for value in largest[:count]) / count
    return largest[count] + mean_excess * max(log(count / (windows * alpha)), 0.0)


def _gap_limit(gaps: Sequence[int], windows: int, alpha: float) -> int:
    """How many windows in a row without rows are still to be expected, by a geometric law of the longest.

    At most `GAP_FACTOR` times the longest, so that traffic that stops for good is told.
    """
    if not gaps:
        return 0
    factor = log(len(gaps) / (windows * alpha)) / log(len(gaps) + 1.0)
    return ceil(max(gaps) * min(max(factor, 1.0), GAP_FACTOR))
