"""Processor time that is left over: what a shadow takes, so that the server that answers does not wait for it."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LOWEST_PRIORITY = 19

#: A process that waits for a processor for more than so many times what it gets does not get on.
STARVED = 20.0


def set_priority(pid: int, *, idle: bool) -> None:
    """Give the threads of a process what nobody wants, or else the lowest share; but on Linux always the latter."""
    if sys.platform != "linux":
        os.setpriority(os.PRIO_PROCESS, pid, LOWEST_PRIORITY)
        return
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):
            os.sched_setscheduler(int(thread.name), os.SCHED_IDLE if idle else os.SCHED_OTHER, os.sched_param(0))
            os.setpriority(os.PRIO_PROCESS, int(thread.name), LOWEST_PRIORITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """What the scheduler gave a thread so far, in nanoseconds (`/proc/PID/schedstat`).

    >>> before, after = Turns.of_text("10 5 2"), Turns.of_text("20 300 3")
    >>> after.starved_since(before), before.starved_since(Turns(ran=0, waited=0))
    (True, False)
    """

    ran: int
    waited: int

    @classmethod
    def of_text(cls, text: str) -> Turns:
        """Read the text of the file."""
        ran, waited, _ = map(int, text.split())
        return cls(ran=ran, waited=waited)

    def starved_since(self, before: Turns) -> bool:
        """Whether it waited for a processor for nearly all of the time in which it could have run."""
        return self.waited - before.waited > STARVED * (self.ran - before.ran)


def may_leave_idle() -> bool:
    """Whether a thread of this process may leave the idle class again: Linux wants a privilege or `RLIMIT_NICE`."""
    if sys.platform != "linux":
        return False
    with ThreadPoolExecutor(1) as probe:  # a thread that ends: one that may not leave stays idle
        return probe.submit(_leaves_idle).result()


def _leaves_idle() -> bool:
    try:
        os.setpriority(os.PRIO_PROCESS, 0, LOWEST_PRIORITY)
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    except PermissionError:
        return False
    return True


class LeftOver:
    """Keeps this process to processor time that nobody else wants, where there is enough of it to get on.

    Where it may not leave the idle class again, it takes the lowest share from the beginning.
    """

    def __init__(self) -> None:
        self._may_leave = may_leave_idle()
        set_priority(os.getpid(), idle=self._may_leave)
        self._turns = _own_turns()

    def adjust(self) -> None:
        """Between two passes: take the lowest share where the last pass hardly got on, else what is left over."""
        turns = _own_turns()
        set_priority(os.getpid(), idle=self._may_leave and not turns.starved_since(self._turns))
        self._turns = turns


def _own_turns() -> Turns:
    file = Path("/proc/self/schedstat")
    return Turns.of_text(file.read_text("ascii")) if file.exists() else Turns(ran=0, waited=0)
