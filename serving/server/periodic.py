"""Work that is done again and again beside the answering, in a thread of its own."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def repeating(name: str, work: Callable[[], None], *, every_s: float) -> Iterator[Callable[[], None]]:
    """Do the work every ``every_s`` seconds (0: never by itself) until the block ends; gives what does it at once.

    Calls that come while it is being done make for one more time, not for as many. ``work`` raises nothing.
    """
    bell = threading.Event()
    is_over = False

    def keep_on() -> None:
        while True:
            bell.wait(every_s if every_s > 0 else None)
            if is_over:
                return
            bell.clear()
            work()

    thread = threading.Thread(target=keep_on, name=name, daemon=True)
    thread.start()
    try:
        yield bell.set
    finally:
        is_over = True
        bell.set()
        thread.join()
