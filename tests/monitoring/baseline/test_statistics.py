"""Statistics from a profile, compared with those of TFDV's own generator on the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.profile import Bins, commonest
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.baseline.statistics import dataset_statistics
from tests.monitoring.baseline.wide_table import tfdv_statistics, wide_table


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return wide_table()


@pytest.fixture(scope="module")
def theirs(table: pa.Table) -> dict[str, Any]:
    return tfdv_statistics(table)


@pytest.fixture(scope="module")
def ours(table: pa.Table) -> dict[str, Any]:
    bins = []
    for name in table.column_names:
        column = table[name].combine_chunks()
        if pa.types.is_floating(column.type):
            values = np.asarray(column)
            inner = np.quantile(values[np.isfinite(values)], np.linspace(0, 1, 65)[1:-1])
            bins.append(Bins(feature=name, edges=tuple(np.unique(inner).tolist())))
        else:
            bins.append(Bins(feature=name, categories=commonest(column, 200)))
    found = dataset_statistics(ProfileBuilder(tuple(bins)).count(table), tuple(bins))
    return {one.path.step[0]: one for one in found.datasets[0].features}


NUMBERS = ("wide", "skewed", "holes", "constant", "counted", "negative")
WORDS = ("few", "many")


@pytest.mark.parametrize("name", [*NUMBERS, *WORDS])
def test_counts_are_equal(name: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    kind = "num_stats" if name in NUMBERS else "string_stats"
    mine, other = getattr(ours[name], kind).common_stats, getattr(theirs[name], kind).common_stats
    for count in (
        "num_non_missing",
        "num_missing",
        "min_num_values",
        "max_num_values",
        "avg_num_values",
        "tot_num_values",
    ):
        assert getattr(mine, count) == getattr(other, count), count
    assert ours[name].type == theirs[name].type


@pytest.mark.parametrize("name", NUMBERS)
def test_moments_are_equal(name: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    mine, other = ours[name].num_stats, theirs[name].num_stats
    assert (mine.min, mine.max, mine.num_zeros) == (other.min, other.max, other.num_zeros)
    size = max(abs(other.mean), other.std_dev)
    assert mine.mean == pytest.approx(other.mean, abs=1e-9 * size)
    assert mine.std_dev == pytest.approx(other.std_dev, abs=1e-9 * size)


@pytest.mark.parametrize("name", [name for name in NUMBERS if name != "counted"])
def test_quantiles_are_right_to_a_share_of_one_in_64(name: str, table: pa.Table, ours: dict[str, Any]) -> None:
    values = np.asarray(table[name].combine_chunks())
    values = values[np.isfinite(values)]
    (quantiles,) = [h for h in ours[name].num_stats.histograms if h.type == h.QUANTILES]
    ends = [bucket.high_value for bucket in quantiles.buckets[:-1]]
    for end, share in [*zip(ends, np.linspace(0.1, 0.9, 9), strict=True), (ours[name].num_stats.median, 0.5)]:
        at_most, below = (values <= end).mean(), (values < end).mean()
        assert below - 1 / 64 <= share <= at_most + 1 / 64, (end, share)


def test_quantiles_of_repeated_values_lie_in_their_bins(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    ends = []
    for side in (ours["counted"].num_stats, theirs["counted"].num_stats):
        (quantiles,) = [h for h in side.histograms if h.type == h.QUANTILES]
        ends.append([int(bucket.high_value) for bucket in quantiles.buckets])
    assert ends[0] == ends[1], "bins of a whole number begin at it"


@pytest.mark.parametrize("name", ["wide", "skewed", "holes", "negative", "constant"])
def test_histograms_are_near(name: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    for kind in ("STANDARD", "QUANTILES"):
        drawn = []
        for side in (ours[name].num_stats, theirs[name].num_stats):
            (histogram,) = [h for h in side.histograms if h.type == h.HistogramType.Value(kind)]
            ends = [histogram.buckets[0].low_value, *(bucket.high_value for bucket in histogram.buckets)]
            below = np.cumsum([0.0, *(bucket.sample_count for bucket in histogram.buckets)])
            drawn.append((np.array(ends), below))
        (x, mine), (u, other) = drawn
        assert mine[-1] == pytest.approx(other[-1], rel=1e-6)
        if name != "constant":
            grid = u if kind == "STANDARD" else u[1:-1]
            apart = np.abs(np.interp(grid, x, mine) - np.interp(grid, u, other)) / mine[-1]
            assert apart.max() < 2 / 64, kind


@pytest.mark.parametrize("name", WORDS)
def test_words_are_equal(name: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    mine, other = ours[name].string_stats, theirs[name].string_stats
    assert mine.unique == other.unique
    assert mine.avg_length == pytest.approx(other.avg_length, rel=1e-6)
    counts = [{b.label: b.sample_count for b in side.rank_histogram.buckets} for side in (mine, other)]
    assert counts[0] == counts[1]
    tops = [[v.frequency for v in side.top_values] for side in (mine, other)]
    assert tops[0] == tops[1]
