"""Work is repeated in its thread, at once when wanted, and no more after the end."""

from __future__ import annotations

import threading

from serving.server.periodic import repeating


def test_it_is_repeated_at_its_interval_until_the_end() -> None:
    done = threading.Semaphore(0)
    with repeating("work", done.release, every_s=0.001):
        for _ in range(3):
            assert done.acquire(timeout=30)
    assert not any(thread.name == "work" for thread in threading.enumerate())


def test_without_an_interval_it_runs_on_demand_only() -> None:
    threads: list[str] = []
    done = threading.Semaphore(0)

    def work() -> None:
        threads.append(threading.current_thread().name)
        done.release()

    with repeating("work", work, every_s=0) as run:
        assert threads == []
        for _ in range(2):
            run()
            assert done.acquire(timeout=30)
    assert threads == ["work", "work"]


def test_calls_during_a_run_cause_one_more_run_together() -> None:
    runs: list[int] = []
    is_running, go_on, done = threading.Event(), threading.Event(), threading.Semaphore(0)

    def work() -> None:
        runs.append(len(runs))
        is_running.set()
        assert go_on.wait(30)
        done.release()

    with repeating("work", work, every_s=0) as run:
        run()
        assert is_running.wait(30)
        for _ in range(5):
            run()
        go_on.set()
        for _ in range(2):
            assert done.acquire(timeout=30)
    assert runs == [0, 1]


def test_the_end_waits_for_a_run_and_starts_none() -> None:
    finished: list[bool] = []
    is_running, go_on = threading.Event(), threading.Event()

    def work() -> None:
        is_running.set()
        assert go_on.wait(30)
        finished.append(True)

    with repeating("work", work, every_s=0) as run:
        run()
        assert is_running.wait(30)
        run()
        go_on.set()
    assert len(finished) in {1, 2}, "a run that was wanted before the end may still come"
    assert not any(thread.name == "work" for thread in threading.enumerate())
