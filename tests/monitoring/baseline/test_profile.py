"""The profile's algebra: whatever the order and the cuts, the same counts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.predictions import predictions_from
from monitoring.baseline.profile import (
    BINS,
    MAX_CATEGORIES,
    Bins,
    FeatureCounts,
    Profile,
    commonest,
    fit_bins,
    mid_distribution,
)
from monitoring.baseline.profile_builder import profile
from tests.monitoring.baseline.reference_tables import SPEC, table

cells = st.lists(
    st.tuples(
        st.none() | st.floats(allow_nan=True, allow_infinity=True),
        st.none() | st.sampled_from(["p", "q", "ü", "", "never seen"]),
    ),
    min_size=1,
    max_size=60,
)


@given(cells, st.integers(0, 60))
def test_profiles_merge_to_the_profile_of_the_whole(sample: list[tuple[float | None, str | None]], cut: int) -> None:
    bins = fit_bins(predictions_from(table([float(i) for i in range(100)], ["p", "q", "ü", ""] * 25), SPEC), SPEC)
    x, c = [pair[0] for pair in sample], [pair[1] for pair in sample]

    def counted(part: slice) -> Profile:
        return profile(predictions_from(table(x[part], c[part]), SPEC), bins)

    whole = counted(slice(None))
    empty = Profile(rows=0, features=tuple(FeatureCounts((0,) * b.places) for b in bins))
    parts = [counted(slice(0, cut)), counted(slice(cut, None))]
    assert parts[0] + parts[1] == parts[1] + parts[0] == whole == whole + empty
    for feature in whole.features:
        assert feature.present + feature.missing == len(sample)


def test_counts_on_other_bins_are_not_merged() -> None:
    with pytest.raises(ValueError, match="cannot merge counts on 2 and on 3 bins"):
        FeatureCounts((1, 2)) + FeatureCounts((1, 2, 3))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300))
def test_bins_of_a_number_are_its_quantiles(values: list[float]) -> None:
    rows = predictions_from(table(list(values), ["p"] * len(values)), SPEC)
    edges = fit_bins(rows, SPEC)[0].edges
    assert edges is not None
    assert list(edges) == sorted(set(edges))
    assert len(edges) <= BINS - 1
    assert min(values) <= edges[0]
    assert edges[-1] <= max(values)


def test_bins_of_the_largest_floats_are_finite() -> None:
    rows = predictions_from(table([-1.7e308, -1e308, 1e308, 1.7e308], ["p"] * 4), SPEC)
    edges = fit_bins(rows, SPEC)[0].edges
    assert edges is not None
    assert np.isfinite(edges).all()


def test_a_number_that_is_always_missing_has_one_bin() -> None:
    rows = predictions_from(table([None, float("nan")], ["p", "q"]), SPEC)
    assert fit_bins(rows, SPEC)[0] == Bins(feature="x", edges=())


@given(st.lists(st.none() | st.sampled_from([f"w{place}" for place in range(12)]), max_size=80), st.integers(1, 12))
def test_the_commonest_values_are_those_of_a_full_count(words: list[str | None], most: int) -> None:
    counts = {word: words.count(word) for word in set(words) if word is not None}
    expected = sorted(counts, key=lambda word: (-counts[word], word))[:most]
    assert list(commonest(pa.array(words, pa.string()), most)) == expected


def test_categories_beyond_the_most_share_the_last_bin() -> None:
    words = [f"w{place:03}" for place in range(MAX_CATEGORIES + 50)]
    rows = predictions_from(table([0.0] * len(words), list(words)), SPEC)
    bins = fit_bins(rows, SPEC)
    assert bins[1].places == MAX_CATEGORIES + 1
    assert profile(rows, bins).features[1].counts[-1] == 50


@given(st.lists(st.integers(0, 100), min_size=1, max_size=20))
def test_the_mean_rank_under_its_own_counts_is_one_half(counts: list[int]) -> None:
    ranks = mid_distribution(FeatureCounts(tuple(counts)))
    assert (np.diff(ranks) >= 0.0).all()
    if sum(counts):
        assert float(ranks @ counts) / sum(counts) == pytest.approx(0.5)
