"""The false-alarm budget, and the weights by which watches share it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.evidence.budget import Budget, log_level_evidence, ranking, weights
from monitoring.records import WatchKey

keys = st.lists(
    st.builds(WatchKey, watch=st.text("abc", min_size=1, max_size=3), slice=st.sampled_from(["", "o=E", "o=J"])),
    min_size=1,
    max_size=20,
    unique=True,
)


@given(keys)
def test_the_shares_of_a_level_sum_to_one(watched: list[WatchKey]) -> None:
    assert math.isclose(math.fsum(weights(watched).values()), 1.0)


@given(keys)
def test_half_of_the_level_belongs_to_the_whole_traffic_where_there_are_slices(watched: list[WatchKey]) -> None:
    shares = weights(watched)
    whole = math.fsum(share for key, share in shares.items() if not key.slice)
    sides = {bool(key.slice) for key in watched}
    assert math.isclose(whole, 0.5) if len(sides) == 2 else whole in (0.0, pytest.approx(1.0))


def test_a_group_shares_one_portion() -> None:
    watched = [WatchKey(watch=name) for name in ("brier", "dest=A", "dest=B", "dest=C")]
    shares = weights(watched, {"dest=A": "dest", "dest=B": "dest", "dest=C": "dest"})
    assert shares[watched[0]] == pytest.approx(0.5)
    assert shares[watched[1]] == pytest.approx(0.5 / 3)


@given(keys, st.randoms(use_true_random=False), st.data())
def test_the_order_of_the_watches_does_not_change_a_bit(
    watched: list[WatchKey], random: object, data: st.DataObject
) -> None:
    shares = weights(watched)
    evidence = {key: data.draw(st.floats(-50, 50)) for key in watched}
    shuffled = data.draw(st.permutations(watched))
    assert log_level_evidence(evidence, shares) == log_level_evidence({k: evidence[k] for k in shuffled}, shares)


def test_the_ranking_names_the_largest_share_first_and_sums_to_one() -> None:
    watched = [WatchKey(watch="brier"), WatchKey(watch="error")]
    parts = ranking({watched[0]: 1.0, watched[1]: 3.0}, weights(watched))
    assert [key.watch for key, _ in parts] == ["error", "brier"]
    assert math.isclose(sum(part for _, part in parts), 1.0)


def test_without_evidence_there_is_no_ranking() -> None:
    watched = [WatchKey(watch="brier")]
    assert log_level_evidence({watched[0]: -math.inf}, weights(watched)) == -math.inf
    assert ranking({watched[0]: -math.inf}, weights(watched)) == ()


@pytest.mark.parametrize(
    "text", ["", "1", "often", "0 per 30 windows", "5 per 5 windows", "1 per -3 windows", "1 per day"]
)
def test_text_that_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="Not a budget"):
        Budget.parse(text)


@given(st.integers(1, 50), st.integers(1, 1000))
def test_a_budget_is_read_back_from_its_own_text(alarms: int, more: int) -> None:
    budget = Budget(alarms=alarms, windows=alarms + more)
    assert Budget.parse(str(budget)) == budget
    assert budget.threshold == (alarms + more) / alarms > 1.0


@pytest.mark.parametrize("text", ["1 per 365 windows", "1 in 365 windows", " 1  PER 365 window "])
def test_a_budget_may_be_written_in_several_ways(text: str) -> None:
    assert Budget.parse(text) == Budget(alarms=1, windows=365)


@given(keys, st.dictionaries(st.text("abc", min_size=1, max_size=3), st.sampled_from(["one", "other"])))
def test_every_group_of_one_side_has_the_same_weight(watched: list[WatchKey], groups: dict[str, str]) -> None:
    shares = weights(watched, groups)
    assert list(shares) == watched
    totals: dict[tuple[str, str], float] = {}
    for key, share in shares.items():
        group = (groups.get(key.watch, key.watch), key.slice)
        totals[group] = totals.get(group, 0.0) + share
    for whole in (True, False):
        side = [total for (_, part), total in totals.items() if (part == "") == whole]
        assert all(math.isclose(total, side[0]) for total in side)


@given(keys, st.data())
def test_the_evidence_of_a_level_is_the_weighted_mean_of_its_watches(
    watched: list[WatchKey], data: st.DataObject
) -> None:
    shares = weights(watched)
    evidence = {key: data.draw(st.floats(-20, 20)) for key in watched}
    expected = math.fsum(shares[key] * math.exp(value) for key, value in evidence.items())
    assert math.isclose(math.exp(log_level_evidence(evidence, shares)), expected, rel_tol=1e-9)
    parts = ranking(evidence, shares)
    assert math.isclose(math.fsum(part for _, part in parts), 1.0, rel_tol=1e-9)
    assert [part for _, part in parts] == sorted((part for _, part in parts), reverse=True)


def test_a_watch_without_a_weight_has_no_part() -> None:
    one, other = WatchKey(watch="one"), WatchKey(watch="other")
    assert log_level_evidence({one: 1.0, other: 50.0}, {one: 1.0}) == 1.0
    assert ranking({one: 1.0, other: 50.0}, {one: 1.0}) == ((one, 1.0),)
