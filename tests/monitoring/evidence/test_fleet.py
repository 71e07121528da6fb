"""One budget for a team: what it promises under any dependence, whom it names, and what goes on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.evidence.fleet import FleetBudget, FleetState, FleetWindow, log_e_value, step

BUDGET = FleetBudget.parse("1 per 90 days")


def windows(log_e: dict[str, float], days: float = 1.0) -> list[FleetWindow[str]]:
    return [FleetWindow(member=name, days=days, log_e=value) for name, value in log_e.items()]


@pytest.mark.parametrize("text", ["", "90 days", "0 per 90 days", "1 per 0 days", "1 per 90 windows"])
def test_other_texts_are_no_budget(text: str) -> None:
    with pytest.raises(BadInput, match="budget of a team"):
        FleetBudget.parse(text)


def test_one_deployment_by_itself_pages_as_its_own_detector_does() -> None:
    state: FleetState[str] = FleetState()
    own, page = 0.0, None
    for _ in range(7):
        state, page = step(state, windows({"a": math.log(2.0)}), 1, BUDGET)
        own = 2.0 * (own + 1.0)
        if page is not None:
            break
        assert math.exp(state.log_total) == pytest.approx(own)
    assert page is not None
    assert own >= 90.0
    assert page.members == (("a", 1.0),)
    assert state.log_evidence == {}


def test_evidence_of_several_deployments_adds_up_and_the_largest_are_named() -> None:
    state: FleetState[str] = FleetState(log_evidence={name: math.log(40.0) for name in "abc"} | {"d": math.log(1.0)})
    after, page = step(state, windows({"d": 0.0}), 4, BUDGET)
    assert page is not None
    assert [name for name, _ in page.members] == ["a", "b", "c"]
    assert {*after.log_evidence} == {"d"}  # the evidence of the others goes on


@given(st.lists(st.floats(0.01, 5.0), min_size=1, max_size=30), st.integers(1, 400))
def test_evidence_is_never_more_than_the_time_that_has_passed_where_nothing_bets(days: list[float], n: int) -> None:
    state: FleetState[str] = FleetState()
    for length in days:
        state, _ = step(state, windows({"a": 0.0}, days=length), n, FleetBudget(pages=1, days=10**6))
    assert math.exp(state.log_total) <= sum(days) / n * (1 + 1e-9)


@given(st.floats(-50, 700), st.floats(0.0, 3.0))
def test_the_e_value_of_a_window_undoes_the_step_of_the_detector(log_before: float, log_e: float) -> None:
    after = log_e + float(np.logaddexp(log_before, 0.0))
    assert log_e_value(log_before, after) == pytest.approx(log_e, abs=1e-6)


def test_pages_keep_the_budget_with_deployments_that_share_their_noise() -> None:
    """200 streams of which a half of the noise is common, two years: at most so many pages as were promised."""
    rng, days, count = np.random.default_rng(3), 730, 200
    state: FleetState[int] = FleetState()
    before = np.full(count, -math.inf)
    pages = 0
    for _ in range(days):
        noise = math.sqrt(0.5) * (rng.standard_normal(count) + rng.standard_normal())
        after = noise - 0.5 + np.logaddexp(before, 0.0)
        some = [
            FleetWindow(member=place, days=1.0, log_e=log_e_value(before[place], after[place]))
            for place in range(count)
        ]
        state, page = step(state, some, count, BUDGET)
        pages += page is not None
        before = np.where(after > math.log(1825), -math.inf, after)
    assert pages <= days / BUDGET.threshold + 3 * math.sqrt(days / BUDGET.threshold)
