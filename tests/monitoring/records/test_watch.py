from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.records import SCORE_ONE, ScoreSum, Watch, WatchKey

SUMS = st.builds(ScoreSum, st.integers(0, 10**9), st.integers(0, 10**18))


@given(SUMS, SUMS, SUMS)
def test_sums_are_the_same_in_any_order(one: ScoreSum, two: ScoreSum, three: ScoreSum) -> None:
    assert one + two == two + one
    assert (one + two) + three == one + (two + three)
    assert one + ScoreSum() == one


@given(st.lists(st.integers(0, SCORE_ONE), min_size=1, max_size=50))
def test_the_mean_is_that_of_the_scores(scores: list[int]) -> None:
    total = sum((ScoreSum(1, score) for score in scores), ScoreSum())
    assert total.mean == pytest.approx(sum(scores) / len(scores) / SCORE_ONE)
    assert 0.0 <= total.mean <= 1.0


def test_a_sum_of_no_rows_has_no_mean() -> None:
    with pytest.raises(ZeroDivisionError):
        _ = ScoreSum().mean


@given(st.floats(0, 1), st.floats(-10, 10), st.floats(0.1, 10))
def test_a_score_is_converted_to_the_metric_s_unit(score: float, offset: float, scale: float) -> None:
    watch = Watch(name="loss", family="performance", level="page", needs_label=True, scale=scale, offset=offset)
    assert watch.value(0.0) == offset
    assert offset <= watch.value(score) <= offset + scale or watch.value(score) == pytest.approx(offset + scale)


def test_a_key_is_shown_with_its_slice() -> None:
    assert str(WatchKey(watch="brier")) == "brier"
    assert str(WatchKey(watch="brier", slice="origin=EWR")) == "brier [origin=EWR]"


def test_keys_are_compared_by_watch_and_slice() -> None:
    keys = {WatchKey(watch="brier"), WatchKey(watch="brier"), WatchKey(watch="brier", slice="origin=EWR")}
    assert len(keys) == 2


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        WatchKey(watch="brier").watch = "error"  # type: ignore[misc]  # that it cannot is the point
