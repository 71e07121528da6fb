"""Watches on broken data: missing values, unseen categories and unusable answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.profile import Bins, FeatureCounts, Profile
from monitoring.records import SCORE_ONE, ScoreSum, WatchKey
from monitoring.watches.integrity import ANSWERS, answer_sums, is_long_tailed, sums, watches

NUMBER, CATEGORY = Bins(feature="x", edges=(0.5,)), Bins(feature="c", categories=("p",))
counts = st.tuples(st.integers(0, 100), st.integers(0, 100))


@given(counts, counts, st.integers(0, 50), st.integers(0, 50))
def test_shares_are_those_of_the_counts(x: tuple[int, int], c: tuple[int, int], x_missing: int, c_missing: int) -> None:
    rows = max(sum(x) + x_missing, sum(c) + c_missing)
    window = Profile(rows=rows, features=(FeatureCounts(x, x_missing), FeatureCounts(c, c_missing)))
    found = sums((NUMBER, CATEGORY), window)
    assert found[WatchKey(watch="missing:x")] == ScoreSum(rows, x_missing * SCORE_ONE)
    assert found[WatchKey(watch="missing:c")] == ScoreSum(rows, c_missing * SCORE_ONE)
    assert found[WatchKey(watch="unseen:c")] == ScoreSum(rows, c[1] * SCORE_ONE)
    assert WatchKey(watch="unseen:x") not in found


@pytest.mark.parametrize(("missing", "level"), [(0, "page"), (1, "page"), (2, "notice"), (500, "notice")])
def test_missing_values_page_unless_the_input_is_optional_in_the_baseline(missing: int, level: str) -> None:
    (watch,) = watches(NUMBER, FeatureCounts((500, 500), missing))
    assert (watch.name, watch.level, watch.feature) == ("missing:x", level, "x")


def test_a_category_has_a_watch_on_unseen_values_and_a_number_has_none() -> None:
    assert [watch.name for watch in watches(CATEGORY, FeatureCounts((9, 1)))] == ["missing:c", "unseen:c"]
    assert [watch.level for watch in watches(CATEGORY, FeatureCounts((9, 0), 5))] == ["notice", "page"]


def test_new_values_of_a_category_with_a_long_tail_are_worth_a_notice() -> None:
    assert [watch.level for watch in watches(CATEGORY, FeatureCounts((9, 1)))] == ["page", "notice"]
    assert [is_long_tailed(watch) for watch in watches(CATEGORY, FeatureCounts((9, 1)))] == [False, True]


def test_an_input_of_an_empty_baseline_is_watched() -> None:
    assert [watch.level for watch in watches(NUMBER, FeatureCounts((0, 0)))] == ["page"]


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_unusable_answers_are_the_rows_without_a_usable_one(usable: int, broken: int) -> None:
    total = answer_sums(usable + broken, usable)[WatchKey(watch=ANSWERS.name)]
    assert total == ScoreSum(usable + broken, broken * SCORE_ONE)
