"""Small files of serving.http2, each test named after what it is about."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.http2.answers import Progress
from serving.http2.call_head import is_malformed
from serving.http2.connection_settings import ConnectionSettings
from serving.http2.connection_state import FRAMES, FRAMES_PER_CALL, FRAMES_PER_STREAM, FREE_FRAMES, FrameBudget
from serving.http2.server_call import STATUS_OK, CallLimiter, status_headers
from serving.status import Code, Failure


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


def budgets_of_one_address(count: int, now: list[float]) -> list[FrameBudget]:
    together = FrameBudget(lambda: now[0], streams=100)
    budgets = [FrameBudget(lambda: now[0], streams=100) for _ in range(count)]
    for budget in budgets:
        budget.shared = together
    return budgets


def test_connections_of_one_address_have_a_budget_together() -> None:
    now = [0.0]
    budgets = budgets_of_one_address(3, now)
    for budget in budgets:
        budget.spend(FRAMES)
    assert [budget.debt_s() for budget in budgets] == [0.0, 0.0, 0.0]
    expected_s = (2 * FRAMES - FRAMES_PER_STREAM * 100) / 100
    assert {budget.shared_debt_s() for budget in budgets} == {expected_s}
    budgets[0].refill(100.0)
    assert budgets[1].shared_debt_s() == pytest.approx(expected_s - 1.0)
    now[0] = expected_s
    assert budgets[2].shared_debt_s() == 0.0
    assert FrameBudget(lambda: 0.0, streams=1).shared_debt_s() == 0.0


def test_a_connection_that_has_sent_little_waits_for_no_other_of_its_address() -> None:
    flood, honest = budgets_of_one_address(2, [0.0])
    flood.spend(10 * FRAMES)
    honest.spend(FREE_FRAMES)
    assert honest.shared_debt_s() == 0.0
    honest.spend(1)
    assert honest.shared_debt_s() > 0.0


def test_what_a_connection_owes_ends_with_it_and_what_it_was_allowed_counts() -> None:
    now = [0.0]
    flood, other = budgets_of_one_address(2, now)
    allowed = FRAMES + FRAMES_PER_STREAM * 100
    flood.spend(10 * FRAMES)
    other.spend(2 * FREE_FRAMES)
    assert other.shared_debt_s() == pytest.approx((10 * FRAMES + 2 * FREE_FRAMES - allowed) / 100)
    flood.close()
    flood.close()
    now[0] = 1e-9
    assert other.shared_debt_s() == pytest.approx(2 * FREE_FRAMES / 100, abs=1e-6)


SETTINGS = ConnectionSettings(idle_s=60.0, stall_s=30.0, bytes_per_s=100.0)


def test_bytes_count_when_they_have_left_the_socket_s_buffer() -> None:
    progress = Progress(SETTINGS, 0.0)
    assert progress.check(10.0, sent_bytes=5000, unsent_bytes=4500) == (500, 1000.0)
    assert progress.check(20.0, sent_bytes=5000, unsent_bytes=3500) == (1000, 1000.0)
    assert progress.check(30.0, sent_bytes=5000, unsent_bytes=3500).is_too_slow


def test_checks_come_as_often_as_the_shortest_time() -> None:
    assert Progress(SETTINGS, 0.0).every_s == 30.0
    often = ConnectionSettings(idle_s=60.0, stall_s=30.0, keepalive_s=40.0, keepalive_timeout_s=5.0, age_s=100.0)
    assert Progress(often, 0.0).every_s == 5.0


def test_ok_has_no_message() -> None:
    assert status_headers(Failure(Code.OK, "unused")) == STATUS_OK


@given(st.text())
def test_every_message_can_be_sent_and_read_back(text: str) -> None:
    status, message = status_headers(Failure(Code.INVALID_ARGUMENT, text))
    assert status == (b"grpc-status", b"3")
    assert unquote(message[1].decode("ascii")) == text.encode("utf-8", "replace").decode()
    assert not is_malformed((status, message), are_trailers=True)
