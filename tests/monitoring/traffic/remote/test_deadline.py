"""Work with a deadline: its result, its own errors, and what is done meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NoReturn

import pytest

from monitoring.traffic.remote import deadline
from monitoring.traffic.remote.deadline import within


def test_work_that_hangs_is_left_and_told_that_nobody_waits() -> None:
    told = threading.Event()

    def hang(stopped: Callable[[], bool]) -> None:
        while not stopped():
            pass
        told.set()

    with pytest.raises(TimeoutError, match=r"not done within 0\.05 s"):
        within(0.05, hang)
    assert told.wait(5)


def test_an_error_of_the_work_is_raised_even_if_it_is_a_time_out_too() -> None:
    def fail(_: Callable[[], bool]) -> NoReturn:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        within(5.0, fail)


def test_what_is_done_meanwhile_may_end_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "MEANWHILE_SECONDS", 0.01)
    calls: list[int] = []

    def meanwhile() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise KeyError("taken over")

    with pytest.raises(KeyError):
        within(5.0, lambda stopped: threading.Event().wait(0.5) or stopped(), meanwhile=meanwhile)
    assert len(calls) == 3
