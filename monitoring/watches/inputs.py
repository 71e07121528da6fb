"""Where each input lies, out of the profile's counts and at no second pass over the rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.profile import Bins, FeatureCounts, Profile, mid_distribution
from monitoring.records import ScoreSum, Watch, WatchKey
from monitoring.watches.scoring import fixed_point

#: Categories watched one by one: those with at least this share of the baseline, and at most so many of them.
SMALLEST_SHARE = 0.01
MOST_CATEGORIES = 20


@dataclass(frozen=True, kw_only=True)
class InputWatch:
    """A watch on one input, with the score of each place of its bins, shape [places]."""

    watch: Watch
    place_scores: tuple[float, ...]

    def units(self, power: int) -> NDArray[np.int64]:
        """The scores to a power, as whole numbers, [places]; kept, as every window asks for them."""
        if power not in self._kept:
            self._kept[power] = fixed_point(np.asarray(self.place_scores) ** power)
        return self._kept[power]

    @cached_property
    def key(self) -> WatchKey:
        """The watch on the whole traffic."""
        return WatchKey(watch=self.watch.name)

    @cached_property
    def _kept(self) -> dict[int, NDArray[np.int64]]:
        return {}


def watches(bins: Bins, reference: FeatureCounts) -> tuple[InputWatch, ...]:
    """The watches of one input.

    A number: location, the probability integral transform F_ref(x), and spread, abs(2 F_ref(x) - 1), each read off
    the mid-distribution of its bins. A category: the indicator of each common value. An input that never varied in
    the baseline has none.
    """
    name = bins.feature
    if bins.edges is not None:
        if sum(1 for count in reference.counts if count) < 2:
            return ()
        ranks = mid_distribution(reference)
        return (
            _two_sided(f"input:{name}:location", name, ranks),
            _two_sided(f"input:{name}:spread", name, abs(2 * ranks - 1)),
        )
    total = max(reference.present, 1)
    common = [
        place for place in range(len(bins.categories or ())) if SMALLEST_SHARE <= reference.counts[place] / total < 1.0
    ][:MOST_CATEGORIES]
    return tuple(
        _two_sided(f"input:{name}={(bins.categories or ())[place]}", name, np.eye(bins.places)[place])
        for place in common
    )


def sums(
    watched: tuple[InputWatch, ...], bins: tuple[Bins, ...], window: Profile, *, power: int = 1
) -> dict[WatchKey, ScoreSum]:
    """Each watch's sum over the rows that had a value: counts times the places' scores, in whole numbers.

    Scores are summed to that power.
    """
    counts = {b.feature: counts for b, counts in zip(bins, window.features, strict=True)}
    result = {}
    known, present, places = "", 0, np.zeros(0, dtype=np.int64)
    for entry in watched:
        if entry.watch.feature != known:  # the watches of one input follow each other
            known = str(entry.watch.feature)
            places = np.asarray(counts[known].counts, dtype=np.int64)
            present = int(places.sum())
        total = int(np.dot(places, entry.units(power)))
        result[entry.key] = ScoreSum(present, total)
    return result


def _two_sided(name: str, feature: str, place_scores: NDArray[np.float64]) -> InputWatch:
    watch = Watch(name=name, family="inputs", level="notice", needs_label=False, direction="both", feature=feature)
    return InputWatch(watch=watch, place_scores=tuple(float(score) for score in place_scores))
