from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.shadow.priority import LOWEST_PRIORITY, may_leave_idle, set_priority

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="scheduling classes are Linux's")

#: A process with a second thread, which says when it runs.
TWO_THREADS = "import threading; threading.Thread(target=input).start(); print(1, flush=True)"

#: Two passes: one in which the process was given time, and one that starved.
ADJUSTED = """
import os, sys
from serving.shadow import priority
if "unprivileged" in sys.argv:
    priority.may_leave_idle = lambda: False
idle = os.SCHED_IDLE if priority.may_leave_idle() else os.SCHED_OTHER
left_over = priority.LeftOver()
classes = [os.sched_getscheduler(0)]
for turns in (priority.Turns(ran=10**12, waited=0), priority.Turns(ran=10**12, waited=10**15)):
    priority._own_turns = lambda turns=turns: turns
    left_over.adjust()
    classes.append(os.sched_getscheduler(0))
print(classes == [idle, idle, os.SCHED_OTHER], os.getpriority(os.PRIO_PROCESS, 0))
"""


@pytest.fixture
def threads() -> Iterator[tuple[int, list[int]]]:
    """A process and its threads."""
    with subprocess.Popen(
        [sys.executable, "-c", TWO_THREADS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        yield process.pid, [int(thread.name) for thread in Path(f"/proc/{process.pid}/task").iterdir()]
        process.kill()


def test_all_threads_of_a_process_are_idle_and_may_have_the_lowest_share_again(threads: tuple[int, list[int]]) -> None:
    process, numbers = threads
    assert len(numbers) == 2
    back = [(False, os.SCHED_OTHER)] if may_leave_idle() else []
    for idle, scheduler in [(True, os.SCHED_IDLE), *back]:
        set_priority(process, idle=idle)
        assert {os.sched_getscheduler(number) for number in numbers} == {scheduler}
    assert {os.getpriority(os.PRIO_PROCESS, number) for number in numbers} == {LOWEST_PRIORITY}


@pytest.mark.parametrize("user", ["as we are", "unprivileged"])
def test_a_worker_that_starves_takes_the_lowest_share(user: str) -> None:
    done = subprocess.run([sys.executable, "-c", ADJUSTED, user], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["True", str(LOWEST_PRIORITY)]
