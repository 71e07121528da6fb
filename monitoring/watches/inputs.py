"""Inputs: where each input's values are, from the profile's counts and without another pass over the rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.baseline.profile import Bins, FeatureCounts, Profile, mid_distribution
from monitoring.records import ScoreSum, Watch, WatchKey
from monitoring.tasks.output_names import class_watch
from monitoring.watches.family import AnsweredCounts, Sums, WatchFamily
from monitoring.watches.scoring import fixed_point

#: Categories with a watch of their own: those with at least this share of the baseline, and at most this many of them.
MIN_CATEGORY_SHARE = 0.01
MAX_CATEGORIES = 20


@dataclass(frozen=True, kw_only=True)
class InputWatch:
    """A watch on one input, with the score of each of its bins."""

    watch: Watch
    bin_scores: tuple[float, ...]

    def units(self, power: int) -> NDArray[np.int64]:
        """The scores to a power in fixed point, [bins]; cached, as every window needs them."""
        if power not in self._units:
            self._units[power] = fixed_point(np.asarray(self.bin_scores) ** power)
        return self._units[power]

    @cached_property
    def key(self) -> WatchKey:
        """The watch on the whole traffic."""
        return WatchKey(watch=self.watch.name)

    @cached_property
    def _units(self) -> dict[int, NDArray[np.int64]]:
        return {}


def watches(bins: Bins, reference: FeatureCounts) -> tuple[InputWatch, ...]:
    """The watches of one input. Returns the watches; none for an input that never varied in the baseline.

    A number has two, read from the mid-distribution of its bins: location, the probability integral transform F_ref(x),
    and spread, abs(2 F_ref(x) - 1). A category has the indicator of each common value.
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
        index
        for index in range(len(bins.categories or ()))
        if MIN_CATEGORY_SHARE <= reference.counts[index] / total < 1.0
    ][:MAX_CATEGORIES]
    return tuple(
        _two_sided(class_watch(f"input:{name}=", (bins.categories or ())[index]), name, np.eye(bins.places)[index])
        for index in common
    )


def sums(
    watched: tuple[InputWatch, ...], bins: tuple[Bins, ...], window: Profile, *, power: int = 1
) -> dict[WatchKey, ScoreSum]:
    """Each watch's sum over the rows that have a value: counts times the bins' scores, in integers."""
    counts = {b.feature: counts for b, counts in zip(bins, window.features, strict=True)}
    result = {}
    feature, present, rows = "", 0, np.zeros(0, dtype=np.int64)
    for entry in watched:
        if entry.watch.feature != feature:
            feature = str(entry.watch.feature)
            rows = np.asarray(counts[feature].counts, dtype=np.int64)
            present = int(rows.sum())
        result[entry.key] = ScoreSum(present, int(np.dot(rows, entry.units(power))))
    return result


def _two_sided(name: str, feature: str, bin_scores: NDArray[np.float64]) -> InputWatch:
    watch = Watch(name=name, family="inputs", level="notice", needs_label=False, direction="both", feature=feature)
    return InputWatch(watch=watch, bin_scores=tuple(float(score) for score in bin_scores))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InputWatches(WatchFamily):
    """The watches on where each input's values are."""

    bins: tuple[Bins, ...]
    entries: tuple[InputWatch, ...]

    @classmethod
    def of(cls, bins: tuple[Bins, ...], reference: Profile) -> InputWatches:
        """For a baseline's inputs."""
        pairs = zip(bins, reference.features, strict=True)
        return cls(bins=bins, entries=tuple(entry for b, counts in pairs for entry in watches(b, counts)))

    @property
    @override
    def watches(self) -> tuple[Watch, ...]:
        return tuple(entry.watch for entry in self.entries)

    def group(self, watch: Watch) -> str:
        """One for each input, so that one of many categories does not outweigh a number."""
        return f"input:{watch.feature}"

    @override
    def answer_sums(self, answered: AnsweredCounts, power: int) -> Sums:
        return sums(self.entries, self.bins, answered.inputs, power=power)
