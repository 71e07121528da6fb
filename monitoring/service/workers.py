"""The threads of a service: so many runs at once, and one that hangs keeps none of the others from its turn."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

#: Seconds without a sign of life after which a run is stalled.
STALLED_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """The runs of a service at one moment.

    Attributes:
        longest_wait: Seconds for which the first of those that wait has waited.
    """

    waiting: int = 0
    running: int = 0
    stalled: int = 0
    longest_wait: float = 0.0


@dataclass(slots=True, kw_only=True, eq=False)
class _Task:
    """A run that is due, or has begun."""

    name: str
    run: Callable[[Callable[[], None]], None]
    due_at: float
    alive: float = 0.0
    stalled: bool = False
    thread: threading.Thread = field(default_factory=threading.Thread)


class Workers:
    """Runs functions in threads, in the order in which they were submitted, so many at once.

    A run says now and then that it is alive. One that has not for too long is stalled: it goes on, and another thread
    takes its place among those that run at once until it ends. Threads of stalled runs do not keep the process from
    ending.
    """

    def __init__(
        self, count: int, *, patience: float = STALLED_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Starts no thread yet.

        Args:
            patience: Seconds without a sign of life after which a run is stalled.
            clock: Gives the time in seconds, from any moment on.
        """
        self._count, self.patience, self._clock = count, patience, clock
        self._changed = threading.Condition()
        self._waiting: deque[_Task] = deque()
        self._running: dict[int, _Task] = {}
        self._closed = False

    def submit(self, name: str, run: Callable[[Callable[[], None]], None]) -> None:
        """Run a function when its turn comes.

        Args:
            run: The function; it takes what says that it is alive, and raises nothing.
        """
        with self._changed:
            if self._closed:
                return
            self._waiting.append(_Task(name=name, run=run, due_at=self._clock()))
            self._fill()

    def stalled(self) -> tuple[str, ...]:
        """The runs that have stalled since this was asked last; others take their places from now on."""
        with self._changed:
            before = self._clock() - self.patience
            names = []
            for task in self._running.values():
                if not task.stalled and task.alive < before:
                    task.stalled = True
                    names.append(task.name)
            self._fill()
            return tuple(names)

    def state(self) -> QueueState:
        """The runs at this moment."""
        with self._changed:
            now = self._clock()
            return QueueState(
                waiting=len(self._waiting),
                running=len(self._running),
                stalled=sum(task.stalled for task in self._running.values()),
                longest_wait=max((now - task.due_at for task in self._waiting), default=0.0),
            )

    def close(self) -> None:
        """Begin no more runs, and wait for those that are not stalled."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            while any(map(self._is_alive, self._running.values())):
                self._changed.wait(1.0)

    def _is_alive(self, task: _Task) -> bool:
        return not task.stalled and task.alive >= self._clock() - self.patience

    def _fill(self) -> None:
        """Start the threads of runs whose turn it is."""
        while self._waiting and sum(not task.stalled for task in self._running.values()) < self._count:
            task = self._waiting.popleft()
            task.alive = self._clock()
            task.thread = threading.Thread(target=self._work, args=[task], name=f"run of {task.name}", daemon=True)
            self._running[id(task)] = task
            task.thread.start()

    def _work(self, task: _Task) -> None:
        def alive() -> None:
            task.alive = self._clock()

        try:
            task.run(alive)
        finally:
            with self._changed:
                del self._running[id(task)]
                self._fill()
                self._changed.notify_all()
