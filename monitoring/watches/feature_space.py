"""The feature space of the joint watch: rows as points made of products, random Fourier features and coordinates."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import Bins, FeatureCounts, mid_distribution
from monitoring.baseline.reference import ReferenceRows
from monitoring.watches.sampling import sample_indices

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

#: Rows the space is fitted on, at most.
FIT_ROWS = 2560

#: What a space has at most: coordinates (ranks, spreads and categories of inputs), products of two, Fourier features.
MAX_COORDINATES = 48
MAX_PRODUCTS = 1024
FOURIER_FEATURES = 64

#: A category's value is a coordinate from this share of the baseline on, and at most this many values of one input.
MIN_CATEGORY_SHARE = 0.05
MAX_CATEGORY_VALUES = 4

#: Values are multiples of 1/16 of the baseline's standard deviation, clipped at four standard deviations: products with
#: integer weights are then exact in floating point, in whatever order they are added.
STEPS_PER_STD = 16
CLIPPING_BOUND = 4 * STEPS_PER_STD

#: Of the products and Fourier features: the same space on every machine and in every run.
SEED = 20_130_101

#: Rows whose products are computed at once.
_CHUNK = 512


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coordinate:
    """One input read from its bins: a value for each bin, with mean 0 over the baseline, and 0 where it is missing."""

    bins: Bins
    values: Floats

    def at(self, places: Whole) -> Floats:
        """The coordinate of rows whose bins are known, [n]."""
        return np.append(self.values, 0.0)[places]


def columns_of(chosen: Sequence[Coordinate], features: pa.Table) -> list[Floats]:
    """The coordinates of each row of a table that has their inputs, [n] each. An input's bins are looked up once."""
    places: dict[str, Whole] = {}
    for coordinate in chosen:
        if coordinate.bins.feature not in places:
            places[coordinate.bins.feature] = places_of(coordinate.bins, features)
    return [coordinate.at(places[coordinate.bins.feature]) for coordinate in chosen]


def places_of(bins: Bins, features: pa.Table) -> Whole:
    """The bin of each row, [n]; the number of bins where the input is missing."""
    size = bins.places
    column = features[bins.feature].combine_chunks()
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    if bins.edges is not None:
        numbers = np.asarray(column, dtype=np.float64)
        index = np.searchsorted(np.asarray(bins.edges), numbers, side="right")
        return np.where(np.isnan(numbers), size, np.minimum(index, size - 1))
    names = bins.categories or ()
    index = np.asarray(pc.fill_null(pc.index_in(column, pa.array(names, pa.string())), len(names)), dtype=np.int64)
    return np.where(np.asarray(column.is_null()), size, index)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeatureSpace:
    """Rows as points: products of coordinates of different inputs, random Fourier features, and single coordinates.

    `pairs` int64 [products, 2] are indices of coordinates; `directions` [coordinates, features] and `phases` [features]
    define the random Fourier features of a Gaussian kernel; `single` int64 are the indices of coordinates that no other
    watch sees. `centre` and `scale`, [products + features + single], are mean and standard deviation over the baseline.
    Source: Rahimi & Recht, *Random features for large-scale kernel machines* (2007).
    """

    coordinates: tuple[Coordinate, ...]
    pairs: Whole
    directions: Floats
    phases: Floats
    single: Whole
    centre: Floats
    scale: Floats

    @classmethod
    def fit(
        cls,
        bins: Sequence[Bins],
        counts: Sequence[FeatureCounts],
        reference: ReferenceRows,
        *,
        unwatched: Collection[str] = (),
    ) -> FeatureSpace | None:
        """The space of a baseline."""
        chosen = coordinates(bins, counts)
        owners = [coordinate.bins.feature for coordinate in chosen]
        if len(set(owners)) < 2 or not len(reference.answers):
            return None
        rng = np.random.default_rng(SEED)
        pairs = np.array(
            [(a, b) for a in range(len(owners)) for b in range(a + 1, len(owners)) if owners[a] != owners[b]],
            dtype=np.int64,
        )
        if len(pairs) > MAX_PRODUCTS:
            pairs = pairs[np.sort(rng.choice(len(pairs), MAX_PRODUCTS, replace=False))]
        directions = rng.normal(0.0, 1.0 / np.sqrt(len(owners)), (len(owners), FOURIER_FEATURES))
        single = np.array([index for index, owner in enumerate(owners) if owner in unwatched], dtype=np.int64)
        raw = cls(
            coordinates=chosen,
            pairs=pairs,
            directions=directions,
            phases=rng.uniform(0.0, 2.0 * np.pi, FOURIER_FEATURES),
            single=single,
            centre=np.zeros(len(pairs) + FOURIER_FEATURES + single.size),
            scale=np.ones(len(pairs) + FOURIER_FEATURES + single.size),
        )
        rows = reference.take(sample_indices(reference.answers, FIT_ROWS), inputs_of(chosen))
        values = np.ascontiguousarray(raw._values(rows.features))  # sums row by row, whatever the layout
        std = values.std(axis=0)
        return replace(raw, centre=values.mean(axis=0), scale=np.where(std > 1e-9, std, np.inf))

    @property
    def size(self) -> int:
        """How many numbers a point has."""
        return self.centre.size

    def points(self, predictions: Predictions) -> Floats:
        """Each row's point in sixteenths of the baseline's standard deviation, integers as float64 [n, size]."""
        points = self._values(predictions.features)
        points -= self.centre
        points /= self.scale
        points *= STEPS_PER_STD
        return np.clip(np.rint(points, out=points), -CLIPPING_BOUND, CLIPPING_BOUND, out=points)

    def _values(self, features: pa.Table) -> Floats:
        """Raw values, [n, size], column by column in memory, so that products are of neighbours."""
        rows = np.stack(columns_of(self.coordinates, features), axis=1)
        columns = np.ascontiguousarray(rows.T)
        products, values = len(self.pairs), np.empty((self.size, len(rows)))
        for chunk in (slice(first, first + _CHUNK) for first in range(0, len(rows), _CHUNK)):
            some = columns[:, chunk]
            np.multiply(some[self.pairs[:, 0]], some[self.pairs[:, 1]], out=values[:products, chunk])
        values[products : products + FOURIER_FEATURES] = np.cos(rows @ self.directions + self.phases).T
        values[products + FOURIER_FEATURES :] = columns[self.single]
        return values.T


def coordinates(bins: Sequence[Bins], counts: Sequence[FeatureCounts]) -> tuple[Coordinate, ...]:
    """The coordinates of inputs that vary in the baseline.

    Returns:
        At most `MAX_COORDINATES`: ranks of numbers and values of categories first, then spreads of numbers.
    """
    first, second = [], []
    for binning, count in zip(bins, counts, strict=True):
        if sum(1 for rows in count.counts if rows) < 2:
            continue
        if binning.edges is not None:
            ranks = 2.0 * mid_distribution(count) - 1.0
            first.append(_centred(binning, count, ranks))
            second.append(_centred(binning, count, np.abs(ranks)))
            continue
        shares = np.asarray(count.counts[:-1], dtype=np.float64) / max(count.present, 1)
        common = [int(index) for index in np.argsort(-shares, kind="stable") if shares[index] >= MIN_CATEGORY_SHARE]
        first += [_centred(binning, count, np.eye(binning.places)[index]) for index in common[:MAX_CATEGORY_VALUES]]
    return tuple([*first, *second][:MAX_COORDINATES])


def inputs_of(chosen: Sequence[Coordinate]) -> tuple[str, ...]:
    """The inputs that coordinates are read from, each once."""
    return tuple(dict.fromkeys(coordinate.bins.feature for coordinate in chosen))


def _centred(bins: Bins, counts: FeatureCounts, values: Floats) -> Coordinate:
    """Values less their mean over the baseline, in units of their standard deviation."""
    weights = np.asarray(counts.counts, dtype=np.float64) / max(counts.present, 1)
    off = values - float(weights @ values)
    std = float(np.sqrt(weights @ off**2))
    return Coordinate(bins=bins, values=off / max(std, 1e-9))
