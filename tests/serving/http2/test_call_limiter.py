"""Calls are bounded: all together, of one client, and those that wait for their message."""

from __future__ import annotations

from serving.http2.call_limiter import CallLimiter


def test_one_client_has_half_of_the_calls() -> None:
    limiter = CallLimiter(4)
    assert [limiter.enter("a") for _ in range(3)] == [True, True, False]
    assert [limiter.enter(client) for client in "bcd"] == [True, True, False]
    limiter.leave("a")
    assert limiter.enter("a")


def test_a_quarter_of_them_may_wait_for_their_message() -> None:
    limiter = CallLimiter(16)
    assert [limiter.begin_waiting("a") for _ in range(3)] == [True, True, False]
    assert limiter.begin_waiting("b")
    limiter.end_waiting("a")
    assert limiter.begin_waiting("a")
