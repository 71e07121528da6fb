"""Watches on inputs: ranks of numbers and shares of categories, out of counts on the baseline's bins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.profile import Bins, FeatureCounts, Profile
from monitoring.records import SCORE_ONE, ScoreSum, WatchKey
from monitoring.watches.inputs import MAX_CATEGORIES, InputWatch, sums, watches

NUMBER = Bins(feature="x", edges=(0.0, 1.0, 2.0))
counts = st.lists(st.integers(0, 1000), min_size=4, max_size=4)


def profile(*features: FeatureCounts) -> Profile:
    return Profile(rows=sum(features[0].counts) + features[0].missing, features=features)


@given(counts.filter(lambda found: sum(1 for count in found if count) >= 2))
def test_location_is_one_half_on_the_baseline_itself(found: list[int]) -> None:
    reference = FeatureCounts(tuple(found))
    watched = watches(NUMBER, reference)
    assert [entry.watch.name for entry in watched] == ["input:x:location", "input:x:spread"]
    assert sums(watched, (NUMBER,), profile(reference))[watched[0].key].mean == pytest.approx(0.5, abs=1e-9)


@given(counts, st.integers(0, 50))
def test_sums_are_over_the_rows_with_a_value(found: list[int], missing: int) -> None:
    watched = watches(NUMBER, FeatureCounts((10, 20, 30, 40)))
    window = FeatureCounts(tuple(found), missing)
    for entry in watched:
        total = sums(watched, (NUMBER,), profile(window))[entry.key]
        scores = np.asarray(entry.bin_scores)
        assert total.rows == sum(found)
        assert total.total / SCORE_ONE == pytest.approx(float(scores @ found), abs=1e-6)


def test_values_further_right_raise_the_location_and_values_further_out_the_spread() -> None:
    location, spread = watches(NUMBER, FeatureCounts((100, 100, 100, 100)))
    right, out = FeatureCounts((0, 0, 0, 9)), FeatureCounts((9, 0, 0, 9))

    def mean(entry: InputWatch, window: FeatureCounts) -> float:
        return sums((location, spread), (NUMBER,), profile(window))[entry.key].mean

    assert (mean(location, right), mean(location, out)) == (0.875, 0.5)
    assert mean(spread, out) == mean(spread, right) == 0.75


@given(st.lists(st.integers(0, 500), min_size=3, max_size=3), st.sampled_from([1, 2]))
def test_a_category_is_watched_by_its_share_to_any_power(found: list[int], power: int) -> None:
    bins = Bins(feature="c", categories=("p", "q"))
    watched = watches(bins, FeatureCounts((50, 49, 1)))
    window = FeatureCounts(tuple(found))
    totals = sums(watched, (bins,), profile(window), power=power)
    assert totals[WatchKey(watch="input:c=p")] == ScoreSum(sum(found), found[0] * SCORE_ONE)
    assert totals[WatchKey(watch="input:c=q")] == ScoreSum(sum(found), found[1] * SCORE_ONE)


def test_rare_and_constant_categories_have_no_watch() -> None:
    bins = Bins(feature="c", categories=("common", "rare"))
    assert [entry.watch.name for entry in watches(bins, FeatureCounts((995, 4, 1)))] == ["input:c=common"]
    assert watches(Bins(feature="c", categories=("only",)), FeatureCounts((10, 0))) == ()
    assert watches(bins, FeatureCounts((0, 0, 0))) == ()


def test_an_input_of_many_categories_has_a_bounded_number_of_watches() -> None:
    names = tuple(f"v{place}" for place in range(40))
    watched = watches(Bins(feature="c", categories=names), FeatureCounts((10,) * 40 + (0,)))
    assert len(watched) == MAX_CATEGORIES
    assert {entry.watch.feature for entry in watched} == {"c"}


def test_a_number_that_never_varied_has_no_watch() -> None:
    assert watches(NUMBER, FeatureCounts((0, 50, 0, 0))) == ()


def test_every_watch_on_an_input_is_a_two_sided_notice() -> None:
    for entry in watches(NUMBER, FeatureCounts((1, 2, 3, 4))):
        assert (entry.watch.level, entry.watch.direction, entry.watch.family) == ("notice", "both", "inputs")
        assert all(0.0 <= score <= 1.0 for score in entry.bin_scores)
