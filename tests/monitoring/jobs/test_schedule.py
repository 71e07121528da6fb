"""The long-running job: signals stop it, a failed run is reported and the next tick tries again."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from monitoring.errors import CannotRun, PitfallsError
from monitoring.jobs.schedule import run_on_schedule, stopping

NEVER_TODAY = "0 0 29 2 *"


def away() -> CannotRun:
    return CannotRun("The store is away.", got="no answer", expected="a store", fix="Start it.")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_the_event_and_the_handlers_are_restored(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stopping() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        assert stop.wait(10)
    assert signal.getsignal(number) is before


def test_handlers_are_restored_if_the_block_raises() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ValueError, match="no"), stopping():
        raise ValueError("no")
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_job_runs_at_once_and_a_stop_in_it_ends_the_schedule() -> None:
    stop, runs, errors = threading.Event(), [], list[PitfallsError]()

    def job() -> None:
        runs.append(threading.current_thread().name)
        stop.set()

    run_on_schedule(NEVER_TODAY, job, timezone="UTC", stop=stop, on_error=errors.append)
    assert len(runs) == 1
    assert errors == []


def test_a_run_that_cannot_is_reported_and_the_schedule_goes_on_until_it_is_stopped() -> None:
    stop, errors = threading.Event(), list[PitfallsError]()
    reported = threading.Event()

    def job() -> None:
        raise away()

    def on_error(error: PitfallsError) -> None:
        errors.append(error)
        reported.set()

    def schedule() -> None:
        run_on_schedule(NEVER_TODAY, job, timezone="UTC", stop=stop, on_error=on_error)

    thread = threading.Thread(target=schedule)
    thread.start()
    assert reported.wait(30)
    assert thread.is_alive()
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    assert [error.what for error in errors] == ["The store is away."]


def test_a_defect_in_the_first_run_is_raised() -> None:
    def job() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_on_schedule(NEVER_TODAY, job, timezone="UTC", stop=threading.Event(), on_error=lambda _: None)


@pytest.mark.slow
def test_the_next_tick_tries_again_and_a_defect_in_it_ends_the_schedule() -> None:
    errors, runs = list[PitfallsError](), list[int]()

    def job() -> None:
        runs.append(len(runs))
        if len(runs) == 1:
            raise away()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_on_schedule("* * * * *", job, timezone="UTC", stop=threading.Event(), on_error=errors.append)
    assert len(errors) == 1
    assert len(runs) == 2
