"""The frames that a client may send without asking for anything."""

from __future__ import annotations

import pytest

from serving.http2.frame_budget import FRAMES, FRAMES_PER_S, FrameBudget
from serving.http2.frames import ConnectionFault, ErrorCode


def test_a_burst_is_taken_and_then_so_many_a_second() -> None:
    now = [0.0]
    budget = FrameBudget(lambda: now[0])
    budget.spend(FRAMES)
    with pytest.raises(ConnectionFault) as caught:
        budget.spend()
    assert caught.value.code is ErrorCode.ENHANCE_YOUR_CALM
    now[0] = 2.0
    budget.spend(2 * FRAMES_PER_S - 2)
    with pytest.raises(ConnectionFault):
        budget.spend(2)


def test_answered_calls_allow_further_frames() -> None:
    budget = FrameBudget(lambda: 0.0)
    for _ in range(FRAMES):
        budget.spend(8)
        budget.earn()
