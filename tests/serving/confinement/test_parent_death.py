"""A process that hangs ends with the one that started it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

CHILD = """
from serving.confinement.parent_death import end_with_parent
end_with_parent()
print("hangs", flush=True)
while True:  # as a graph that never ends: what comes in is not read
    pass
"""

PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE, start_new_session=True)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""


def test_a_child_that_hangs_is_gone_when_its_parent_was_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, CHILD], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    descriptor = os.pidfd_open(child)  # readable once the process has ended
    try:
        assert select.select([descriptor], [], [], 0.0)[0] == []
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        assert select.select([descriptor], [], [], 30.0)[0] == [descriptor]
    finally:
        parent.stdout.close()
        os.close(descriptor)
