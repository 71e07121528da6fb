"""Work that is repeated at an interval in a thread of its own."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def repeating(name: str, work: Callable[[], None], *, every_s: float) -> Iterator[Callable[[], None]]:
    """Run ``work`` every ``every_s`` seconds until the block ends.

    Args:
        every_s: The interval in seconds; 0 runs ``work`` on demand only.

    Yields:
        A function that runs ``work`` at once, in the thread. Calls during a run cause one further run together.
    """
    wanted = threading.Event()
    is_over = False

    def repeat() -> None:
        while True:
            wanted.wait(every_s if every_s > 0 else None)
            if is_over:
                return
            wanted.clear()
            work()

    thread = threading.Thread(target=repeat, name=name, daemon=True)
    thread.start()
    try:
        yield wanted.set
    finally:
        is_over = True
        wanted.set()
        thread.join()
