"""The long-running job: signals stop it, a failed run is reported and the next tick tries again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

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


@pytest.mark.parametrize("signals", [1, 2])
def test_a_process_whose_window_goes_on_is_ended_in_time(signals: int) -> None:
    code = (
        "import time\nfrom monitoring.jobs import schedule\n"
        f"schedule.STOP_SECONDS = {0.3 if signals == 1 else 600.0}\n"
        "with schedule.stopping():\n    print('judging', flush=True)\n    time.sleep(60)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "judging\n"
        for _ in range(signals):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
        assert process.wait(10) == 128 + signal.SIGTERM
