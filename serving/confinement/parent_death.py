"""A process that the kernel ends with the one that started it, whatever both are doing."""

from __future__ import annotations

import ctypes
import signal
import sys
from typing import Final

#: The option of prctl(2).
_PR_SET_PDEATHSIG: Final = 1


def end_with_parent() -> None:
    """Be killed when the thread that started this process ends, from now on. On Linux; elsewhere nothing is done.

    A parent that has ended before this call is noticed by the caller: its end of a pipe is closed.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
