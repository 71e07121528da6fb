"""Many runs, so many at once; one that hangs keeps none of the others from its turn."""

from __future__ import annotations

import threading
from collections.abc import Callable

from monitoring.service.workers import QueueState, Workers

SECONDS = 20.0


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_so_many_run_at_once_in_the_order_in_which_they_were_asked_for() -> None:
    workers, begun, release = Workers(2, patience=60.0), threading.Semaphore(0), threading.Semaphore(0)
    order: list[str] = []

    def run(name: str) -> Callable[[Callable[[], None]], None]:
        def work(_alive: Callable[[], None]) -> None:
            order.append(name)
            begun.release()
            assert release.acquire(timeout=SECONDS)

        return work

    for name in "abcd":
        workers.submit(name, run(name))
    for _ in range(2):
        assert begun.acquire(timeout=SECONDS)
    assert workers.state().running == 2
    assert workers.state().waiting == 2
    release.release(4)
    for _ in range(2):
        assert begun.acquire(timeout=SECONDS)
    workers.close()
    assert (sorted(order[:2]), sorted(order[2:])) == (["a", "b"], ["c", "d"])
    assert workers.state() == QueueState()


def test_a_run_that_hangs_is_named_once_and_another_takes_its_place() -> None:
    clock, hung, done = Clock(), threading.Event(), threading.Semaphore(0)
    workers = Workers(1, patience=60.0, clock=clock)
    signs: list[Callable[[], None]] = []

    def hang(alive: Callable[[], None]) -> None:
        signs.append(alive)
        done.release()
        assert hung.wait(SECONDS)

    workers.submit("hung", hang)
    assert done.acquire(timeout=SECONDS)
    workers.submit("next", lambda _: done.release())
    clock.now = 59.0
    assert workers.stalled() == ()
    signs[0]()
    clock.now = 118.0
    assert workers.stalled() == (), "it has said that it is alive"
    assert workers.state().longest_wait == 118.0
    clock.now = 120.0
    assert workers.stalled() == ("hung",)
    assert done.acquire(timeout=SECONDS), "the next one has run beside it"
    assert workers.stalled() == ()
    workers.close()
    assert workers.state().stalled == 1
    hung.set()
