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


def test_silence_has_no_evidence_and_no_ranking() -> None:
    watched = [WatchKey(watch="brier")]
    assert log_level_evidence({watched[0]: -math.inf}, weights(watched)) == -math.inf
    assert ranking({watched[0]: -math.inf}, weights(watched)) == ()


@pytest.mark.parametrize(
    "text", ["", "1", "often", "0 per 30 windows", "5 per 5 windows", "1 per -3 windows", "1 per day"]
)
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="Not a budget"):
        Budget.parse(text)
