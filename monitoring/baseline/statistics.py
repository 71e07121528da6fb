"""A profile as TensorFlow Data Validation's statistics, for everything that reads those.

Against TFDV's own generator on the same rows: counts, missing, zeros, least, greatest and average length are equal;
mean and standard deviation to 1e-9 of the values' size; the commonest values and their counts are equal where a
column has at most 200 categories and 1,000 others; unique counts are exact up to some 1,000 others, then to about
3 %. Medians, quantiles and histograms are read off the baseline's bins, where values are taken to lie evenly: each is
in its right bin, which on the baseline's own rows is a share right to 1/64 (more where one value repeats), and where
traffic left the baseline's range as coarse as the outermost bins. NaN counts as missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.profile import Bins, FeatureCounts, Profile

#: As TFDV counts by default: buckets of a histogram, values listed as the commonest, and values ranked.
BUCKETS = 10
TOP = 20
RANKED = 1_000


def dataset_statistics(
    profile: Profile,
    bins: tuple[Bins, ...],
    *,
    whole: frozenset[str] = frozenset(),
    without: Iterable[str] = (),
    drawn: Collection[str] | None = None,
) -> Any:
    """A profile as `tensorflow_metadata.proto.v0.statistics_pb2.DatasetFeatureStatisticsList`.

    Columns named in `whole` are declared to hold whole numbers, those in `without` are left out; of numbers only those
    in `drawn` have histograms and a median, None being all. Loads neither TensorFlow nor TFDV. Cost: some 100 µs a
    column, whatever the rows, and a tenth of it without histograms.
    """
    from tensorflow_metadata.proto.v0 import statistics_pb2  # noqa: PLC0415 - protobuf, not needed to judge

    found = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = found.datasets.add(num_examples=profile.rows)
    absent = frozenset(without)
    kinds = statistics_pb2.FeatureNameStatistics
    for b, counts in zip(bins, profile.features, strict=True):
        if b.feature in absent:
            continue
        entry = dataset.features.add()
        entry.path.step.append(b.feature)
        if b.edges is None:
            entry.type = kinds.STRING
            _text(entry.string_stats, b, counts)
        else:
            entry.type = kinds.INT if b.feature in whole else kinds.FLOAT
            _number(entry.num_stats, counts)
            if counts.present and (drawn is None or b.feature in drawn):
                _histograms(entry.num_stats, np.asarray(b.edges), counts)
    return found


def quantiles(edges: NDArray[np.float64], counts: FeatureCounts, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values below which these shares lie, as if values were spread evenly within each bin.

    >>> from monitoring.baseline.moments import Moments
    >>> quantiles(np.array([1.0]), FeatureCounts((1, 1), 0, Moments.of(np.array([0.0, 2.0]))), np.array([0.25, 0.5]))
    array([0.5, 1. ])
    """
    knots, below = _cumulative(edges, counts)
    steep = np.concatenate([[True], np.diff(below) > 0])  # of equal shares the first: the bins between are empty
    part = _part(knots)
    found: NDArray[np.float64] = np.interp(shares * below[-1], below[steep], knots[steep] * part) / part
    return found


def _part(knots: NDArray[np.float64]) -> float:
    """What to take of numbers so large that there is none for the difference of their ends; 1 of all others."""
    return 1.0 if isfinite(float(knots[-1]) - float(knots[0])) else 0.25


def _cumulative(edges: NDArray[np.float64], counts: FeatureCounts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ends of the bins within the range of the values, and how many values lie below each."""
    least, greatest = counts.moments.least, counts.moments.greatest
    low = least if isfinite(least) else float(edges[0]) if edges.size else 0.0
    high = greatest if isfinite(greatest) else float(edges[-1]) if edges.size else low
    inner = (edges > low) & (edges < high)
    below = np.cumsum(counts.counts)[:-1][inner].astype(np.float64)
    return np.array([low, *edges[inner], high]), np.array([0.0, *below, float(counts.present)])


def _common(entry: Any, counts: FeatureCounts) -> None:
    """Each row has one value or none."""
    common = entry.common_stats
    common.num_non_missing, common.num_missing = counts.present, counts.missing
    common.tot_num_values = counts.present
    if counts.present:
        common.min_num_values = common.max_num_values = 1
        common.avg_num_values = 1.0


def _number(entry: Any, counts: FeatureCounts) -> None:
    _common(entry, counts)
    if not counts.present:
        return
    moments = counts.moments
    entry.mean, entry.std_dev, entry.num_zeros = moments.mean, moments.deviation, moments.zeros
    if moments.infinite:  # as sums with them come out
        entry.mean = entry.std_dev = float("nan")
    entry.min, entry.max = moments.least, moments.greatest


def _histograms(entry: Any, edges: NDArray[np.float64], counts: FeatureCounts) -> None:
    knots, below = _cumulative(edges, counts)
    part = _part(knots)
    ends = np.linspace(knots[0] * part, knots[-1] * part, BUCKETS + 1)
    if knots[0] < knots[-1]:
        _histogram(entry, "STANDARD", ends / part, np.diff(np.interp(ends, knots * part, below)))
    else:
        _histogram(entry, "STANDARD", knots[[0, -1]], np.array([float(counts.present)]))
    cuts = quantiles(edges, counts, np.linspace(0.0, 1.0, BUCKETS + 1))
    entry.median = float(quantiles(edges, counts, np.array([0.5]))[0])
    _histogram(entry, "QUANTILES", cuts, np.full(BUCKETS, counts.present / BUCKETS))


def _histogram(entry: Any, kind: str, ends: NDArray[np.float64], counts: NDArray[np.float64]) -> None:
    histogram = entry.histograms.add()
    histogram.type = histogram.HistogramType.Value(kind)
    for low, high, count in zip(ends[:-1], ends[1:], counts, strict=True):
        histogram.buckets.add(low_value=float(low), high_value=float(high), sample_count=float(count))


def _text(entry: Any, bins: Bins, counts: FeatureCounts) -> None:
    _common(entry, counts)
    own = zip(bins.categories or (), counts.counts[:-1], strict=True)
    pairs = [(word, count) for word, count in own if count]
    entry.unique = len(pairs) + counts.others.different
    pairs += counts.others.kept
    named = {word for word, _ in counts.others.kept}
    pairs += [(word, 1) for word in counts.others.examples if word not in named]
    if counts.present:
        entry.avg_length = counts.characters / counts.present
    ranked = sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:RANKED]
    for word, count in ranked[:TOP]:
        entry.top_values.add(value=word, frequency=float(count))
    for place, (word, count) in enumerate(ranked):
        entry.rank_histogram.buckets.add(low_rank=place, high_rank=place, label=word, sample_count=float(count))
