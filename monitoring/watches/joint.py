"""The law of all inputs together: a witness learnt from earlier windows, scored on the rows of the next one.

A watch on one input cannot see that inputs which used to rise together no longer do. The witness can: it is a direction
in a space of products of inputs and of random waves over them, the one in which recent windows differ most from the
baseline. It is learnt from windows before the one that it scores, and from rows of the baseline of which none is among
those that it is ranked by.

Where a model takes tensors, the numbers of their embedding are inputs as well. No other watch looks at those, so each
is in the space by itself too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import Bins, FeatureCounts, mid_distribution
from monitoring.baseline.reference import Reference as Rows
from monitoring.records import ScoreSum, Watch
from monitoring.watches.scoring import fixed_point

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

#: Rows of a window that are looked at, at most: enough to tell a mean to .04 of a deviation.
SAMPLE = 512

#: Windows that the witness is learnt from: the last ones before the window that it scores.
RECENT = 5

#: What a space has at most: coordinates (positions, spreads and categories of inputs), products of two, waves over all.
COORDINATES = 48
PRODUCTS = 1024
WAVES = 64

#: A category's value is a coordinate from this share of the baseline on, and at most so many of them.
SMALLEST_SHARE = 0.05
CATEGORY_VALUES = 4

#: Values are whole multiples of 1/16 of the baseline's deviation, and end at four deviations: products with whole
#: weights are exact in floating point, in whatever order they are added.
STEPS_A_DEVIATION = 16
FURTHEST = 4 * STEPS_A_DEVIATION
LARGEST_WEIGHT = 1 << 15

#: Rows of the baseline that others are ranked by, about.
RANKED = 2048

#: Of the pairs and waves: the same space on every machine, on every run.
SEED = 20_130_101

#: The variance of a rank, of which a window's score is the mean.
RANK_VARIANCE = 1.0 / 12.0

WATCH = Watch(name="joint", family="joint", level="notice", needs_label=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coordinate:
    """One input read off its bins: a value for each place, and 0 where it is missing; mean 0 over the baseline."""

    bins: Bins
    values: Floats

    def of(self, features: pa.Table) -> Floats:
        """The coordinate of each row, [n]."""
        column = features[self.bins.feature].combine_chunks()
        column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        if self.bins.edges is not None:
            numbers = np.asarray(column, dtype=np.float64)
            places = np.searchsorted(np.asarray(self.bins.edges), numbers, side="right")
            return np.where(np.isnan(numbers), 0.0, self.values[np.minimum(places, self.values.size - 1)])
        names = self.bins.categories or ()
        places = np.asarray(pc.fill_null(pc.index_in(column, pa.array(names, pa.string())), len(names)), dtype=np.int64)
        return np.where(np.asarray(column.is_null()), 0.0, self.values[places])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeatureSpace:
    """Rows as points: products of coordinates of different inputs, cosines of random directions, and some coordinates.

    `pairs` int64 [products, 2] are places among the coordinates; `directions` [coordinates, waves] and `phases` [waves]
    make the waves, a sample of the features of a Gaussian kernel; `alone` int64 are the places of coordinates that no
    other watch sees. `centre` and `scale`, [products + waves + alone], are mean and deviation over the baseline.
    Source: Rahimi & Recht, *Random features for large-scale kernel machines* (2007).
    """

    coordinates: tuple[Coordinate, ...]
    pairs: Whole
    directions: Floats
    phases: Floats
    alone: Whole
    centre: Floats
    scale: Floats

    @classmethod
    def fit(
        cls,
        bins: Sequence[Bins],
        counts: Sequence[FeatureCounts],
        reference: Rows,
        *,
        unwatched: Collection[str] = (),
    ) -> FeatureSpace | None:
        """The space of a baseline; None where it has fewer than two inputs that vary, or no rows.

        `unwatched` are inputs of no other watch.
        """
        chosen = coordinates(bins, counts)
        owners = [one.bins.feature for one in chosen]
        if len(set(owners)) < 2 or not len(reference.answers):
            return None
        rng = np.random.default_rng(SEED)
        pairs = np.array(
            [(a, b) for a in range(len(owners)) for b in range(a + 1, len(owners)) if owners[a] != owners[b]],
            dtype=np.int64,
        )
        if len(pairs) > PRODUCTS:
            pairs = pairs[np.sort(rng.choice(len(pairs), PRODUCTS, replace=False))]
        directions = rng.normal(0.0, 1.0 / np.sqrt(len(owners)), (len(owners), WAVES))
        alone = np.array([place for place, owner in enumerate(owners) if owner in unwatched], dtype=np.int64)
        raw = cls(
            coordinates=chosen,
            pairs=pairs,
            directions=directions,
            phases=rng.uniform(0.0, 2.0 * np.pi, WAVES),
            alone=alone,
            centre=np.zeros(len(pairs) + WAVES + alone.size),
            scale=np.ones(len(pairs) + WAVES + alone.size),
        )
        rows = reference.taken(sampled(reference.answers, SAMPLE * RECENT), inputs_of(chosen))
        values = np.ascontiguousarray(raw._values(rows.features))  # added up row by row, as ever
        deviation = values.std(axis=0)
        scale = np.where(deviation > 1e-9, deviation, np.inf)
        return replace(raw, centre=values.mean(axis=0), scale=scale)

    @property
    def size(self) -> int:
        """How many numbers a point has."""
        return self.centre.size

    def points(self, predictions: Predictions) -> Floats:
        """Each row's point, [n, size]: whole numbers, in sixteenths of the baseline's deviation."""
        points = self._values(predictions.features)
        points -= self.centre
        points /= self.scale
        points *= STEPS_A_DEVIATION
        return np.clip(np.rint(points, out=points), -FURTHEST, FURTHEST, out=points)

    def _values(self, features: pa.Table) -> Floats:
        """[n, size], column by column in memory, so that products are made of neighbours."""
        places = np.stack([one.of(features) for one in self.coordinates], axis=1)
        columns = np.ascontiguousarray(places.T)
        products, values = len(self.pairs), np.empty((self.size, len(places)))
        for rows in (slice(first, first + SAMPLE) for first in range(0, len(places), SAMPLE)):
            some = columns[:, rows]
            np.multiply(some[self.pairs[:, 0]], some[self.pairs[:, 1]], out=values[:products, rows])
        values[products : products + WAVES] = np.cos(places @ self.directions + self.phases).T
        values[products + WAVES :] = columns[self.alone]
        return values.T


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentWindows:
    """What the witness remembers: rows and sums of points of the last windows, oldest first; whole numbers.

    >>> state = RecentWindows().after(np.array([[1.0, -2.0], [3.0, 0.0]]))
    >>> state.to_text(), RecentWindows.from_text(state.to_text()) == state
    ('2 4 -2', True)
    """

    windows: tuple[tuple[int, tuple[int, ...]], ...] = ()

    def after(self, points: Floats) -> RecentWindows:
        """One window on; one without rows is no window."""
        if not len(points):
            return self
        window = (len(points), tuple(int(total) for total in points.sum(axis=0)))
        return RecentWindows(windows=(*self.windows, window)[-RECENT:])

    @property
    def total(self) -> tuple[int, Whole]:
        """Rows and sums over all the windows, of which there is at least one."""
        sums = np.sum([np.asarray(sums, dtype=np.int64) for _, sums in self.windows], axis=0)
        return sum(rows for rows, _ in self.windows), sums

    def to_text(self) -> str:
        """Whole numbers: a line for each window."""
        return "\n".join(" ".join(map(str, (rows, *sums))) for rows, sums in self.windows)

    @classmethod
    def from_text(cls, text: str) -> RecentWindows:
        """The inverse of `to_text`."""
        lines = [tuple(map(int, line.split())) for line in text.splitlines()]
        return cls(windows=tuple((line[0], line[1:]) for line in lines))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """The baseline as the witness sees it.

    `mean` [size] is over rows to learn from, in the points' unit, `spread` [size] the deviation of windows' means;
    `ranks` [m, size] are the points of other rows, which it is ranked by.
    """

    mean: Floats
    spread: Floats
    ranks: Floats

    def difference(self, recent: RecentWindows) -> Floats:
        """How far recent windows, of which there is one at least, are from the baseline, in deviations, [size]."""
        rows, sums = recent.total
        found: Floats = (sums / rows - self.mean) / self.spread
        return found

    def scores(self, recent: RecentWindows, points: Floats) -> Floats:
        """How recent each row looks, [n] in [0, 1]: its rank among the baseline's rows, along the witness.

        With d the difference of recent windows' mean from the baseline's, in units of the windows' own deviation, the
        witness weighs each value by d³ over that deviation: a difference that stands out counts, and the many that are
        chance hardly do. While recent windows are like the baseline any row's mean is 1/2, whatever the witness: it
        never saw the rows. Cost: one product of a matrix and a vector for rows and ranks.
        """
        if not recent.windows:
            return np.full(len(points), 0.5)
        difference = self.difference(recent)
        weights = difference**3 / self.spread
        largest = float(np.abs(weights).max())
        if largest == 0.0:
            return np.full(len(points), 0.5)
        whole = np.rint(weights * (LARGEST_WEIGHT / largest))
        order = np.sort(self.ranks @ whole)
        along = points @ whole
        below = np.searchsorted(order, along, side="left") + np.searchsorted(order, along, side="right")
        ranked: Floats = below / (2.0 * order.size)
        return ranked


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Witness:
    """The joint watch of a deployment: its space, the baseline in it, and what the baseline's own windows scored."""

    space: FeatureSpace
    reference: Reference
    baseline: tuple[ScoreSum, ...]

    @classmethod
    def fit(cls, space: FeatureSpace, windows: Iterable[Predictions], sizes: Sequence[int] | None = None) -> Witness:
        """Go through the baseline's windows, in order of time, as through live ones; at least one has rows.

        `windows` are gone through twice; `sizes` are their rows where they are `sampled` already. Each is scored by a
        witness learnt from the windows before it, against a baseline without it and without those.
        Cost: two passes over a sample of at most 512 rows of each window.
        """
        rows = [len(window) for window in windows] if sizes is None else sizes
        ranked = max(RANKED // max(sum(1 for size in rows if size), 1), 1)
        parts = [_Part.of(space.points(window.take(sampled(window, SAMPLE))), ranked) for window in windows]
        spread = _spread(parts)
        found, recent = [], RecentWindows()
        for place, window in enumerate(windows):
            others = [part for at, part in enumerate(parts) if not place - RECENT <= at <= place]
            points = space.points(window.take(sampled(window, SAMPLE)))
            score = ScoreSum()
            if recent.windows and sum(part.rows for part in others):
                score = score_sum(_reference(others, spread).scores(recent, points), rows[place])
            found.append(score)
            recent = recent.after(points)
        return cls(space=space, reference=_reference(parts, spread), baseline=tuple(found))

    def judged(self, recent: RecentWindows, window: Predictions) -> tuple[ScoreSum, RecentWindows]:
        """A window's sum of scores, none for the very first or without rows, and what is remembered after it."""
        return self.judged_sample(recent, window.take(sampled(window, SAMPLE)), len(window))

    def judged_sample(self, recent: RecentWindows, sample: Predictions, rows: int) -> tuple[ScoreSum, RecentWindows]:
        """As `judged`, of a window of so many rows from which those were `sampled`, in any order.

        The sample has every column of the space; rows that have not may be left out of it.
        """
        if not len(sample):
            return ScoreSum(), recent
        points = self.space.points(sample)
        score = score_sum(self.reference.scores(recent, points), rows) if recent.windows else ScoreSum()
        return score, recent.after(points)

    def pairs(self, recent: RecentWindows, most: int) -> tuple[tuple[str, str], ...]:
        """The pairs of inputs whose products stand out most in recent windows, each pair once, largest first.

        Numbers of an embedding have no name that tells anybody anything, and are none of them.
        """
        if not recent.windows:
            return ()
        off = np.abs(self.reference.difference(recent))[: len(self.space.pairs)]
        found: dict[tuple[str, str], None] = {}
        for place in np.argsort(-off, kind="stable")[: most * COORDINATES]:
            if not np.isin(self.space.pairs[place], self.space.alone).any():
                one, other = (self.space.coordinates[at].bins.feature for at in self.space.pairs[place])
                found.setdefault((one, other))
        return tuple(found)[:most]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    """One window of the baseline: its mean, the sum over its rows to learn from, and the points to rank by."""

    rows: int
    learnt: Floats
    mean: Floats
    ranks: Floats

    @classmethod
    def of(cls, points: Floats, ranked: int) -> _Part:
        learn = points[::2] if len(points) > 1 else points
        return cls(
            rows=len(learn),
            learnt=learn.sum(axis=0),
            mean=points.mean(axis=0) if len(points) else np.zeros(points.shape[1]),
            ranks=points[1::2][:ranked].copy(),  # a view would keep all of the points
        )


def _reference(parts: Sequence[_Part], spread: Floats) -> Reference:
    rows = sum(part.rows for part in parts)
    return Reference(
        mean=np.sum([part.learnt for part in parts], axis=0) / rows,
        spread=spread,
        ranks=np.concatenate([part.ranks for part in parts]),
    )


def _spread(parts: Sequence[_Part]) -> Floats:
    """The deviation of windows' means, at least what chance makes of it in a window of the usual size."""
    filled = [part for part in parts if part.rows]
    chance = STEPS_A_DEVIATION / np.sqrt(2.0 * float(np.median([part.rows for part in filled])))
    found: Floats = np.maximum(np.std([part.mean for part in filled], axis=0), chance)
    return found


def sampled(predictions: Predictions, most: int) -> Whole:
    """Places of at most so many rows, chosen by their event times and ids alone: by no order and by no content.

    Cost: a few operations a row; where many rows have one and the same time, a sort of their ids.
    """
    if len(predictions) <= most:
        return np.arange(len(predictions))
    keys = mixed(predictions.event_times)
    last = np.partition(keys, most - 1)[most - 1]
    inside = np.flatnonzero(keys < last)
    tied = np.flatnonzero(keys == last)
    order = pc.sort_indices(predictions.ids.take(pa.array(tied))).to_numpy(zero_copy_only=False)
    return np.sort(np.concatenate([inside, tied[order[: most - inside.size]]]))


def score_sum(scores: Floats, rows: int) -> ScoreSum:
    """The sum of a window's scores, of a sample for all its rows: a sample's mean stands for theirs."""
    total = int(fixed_point(scores).sum())
    return ScoreSum(rows, total * rows // max(scores.size, 1))


def mixed(values: Whole) -> NDArray[np.uint64]:
    """Numbers that look random, one for each value (the finaliser of SplitMix64, by Steele, Lea & Flood, 2014)."""
    found = values.astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        found = (found ^ (found >> np.uint64(shift))) * np.uint64(factor)
    return found ^ (found >> np.uint64(31))


def coordinates(bins: Sequence[Bins], counts: Sequence[FeatureCounts]) -> tuple[Coordinate, ...]:
    """Those of inputs that vary: positions of numbers and values of categories first, then spreads of numbers."""
    first, second = [], []
    for one, count in zip(bins, counts, strict=True):
        if sum(1 for places in count.counts if places) < 2:
            continue
        if one.edges is not None:
            ranks = 2.0 * mid_distribution(count) - 1.0
            first.append(_centred(one, count, ranks))
            second.append(_centred(one, count, np.abs(ranks)))
            continue
        shares = np.asarray(count.counts[:-1], dtype=np.float64) / max(count.present, 1)
        common = [int(place) for place in np.argsort(-shares, kind="stable") if shares[place] >= SMALLEST_SHARE]
        first += [_centred(one, count, np.eye(one.places)[place]) for place in common[:CATEGORY_VALUES]]
    return tuple([*first, *second][:COORDINATES])


def inputs_of(chosen: Sequence[Coordinate]) -> tuple[str, ...]:
    """The inputs that some coordinates are read off, each once."""
    return tuple(dict.fromkeys(one.bins.feature for one in chosen))


def _centred(bins: Bins, counts: FeatureCounts, values: Floats) -> Coordinate:
    """Values less their mean over the baseline, in units of their deviation."""
    weights = np.asarray(counts.counts, dtype=np.float64) / max(counts.present, 1)
    off = values - float(weights @ values)
    deviation = float(np.sqrt(weights @ off**2))
    return Coordinate(bins=bins, values=off / max(deviation, 1e-9))
