"""The frames that a client may send without bringing anything."""

from __future__ import annotations

import pytest

from serving.http2.frame_budget import FRAMES, FRAMES_PER_CALL, FRAMES_PER_STREAM, FrameBudget


def test_a_burst_is_taken_and_then_as_many_a_second_as_calls_at_a_time() -> None:
    now = [0.0]
    budget = FrameBudget(lambda: now[0], streams=100)
    budget.spend(FRAMES + FRAMES_PER_STREAM * 100)
    assert budget.debt_s() == 0.0
    budget.spend(50)
    assert budget.debt_s() == pytest.approx(0.5)
    now[0] = 0.5
    assert budget.debt_s() == pytest.approx(0.0)
    budget.spend(1)
    assert budget.debt_s() == pytest.approx(0.01)


def test_every_call_of_a_connection_may_be_reset_twice_at_once() -> None:
    budget = FrameBudget(lambda: 0.0, streams=1024)
    budget.spend(2 * 1024)
    assert budget.debt_s() == 0.0


def test_answered_calls_allow_further_frames_but_none_are_saved_up() -> None:
    budget = FrameBudget(lambda: 0.0, streams=10)
    for _ in range(5000):
        budget.spend(FRAMES_PER_CALL)
        budget.refill()
    assert budget.debt_s() == 0.0
    budget.spend(FRAMES + FRAMES_PER_STREAM * 10 + 1)
    assert budget.debt_s() == pytest.approx(0.1)
