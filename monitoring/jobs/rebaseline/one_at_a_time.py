"""New baselines of one process are made one at a time, whoever asks: a form of the dashboard, or the HTTP API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from monitoring.errors import CannotRun


class OneAtATime:
    """Refuses a change of a baseline while another is made.

    >>> changes = OneAtATime()
    >>> with changes.change():
    ...     print("made")
    made
    """

    def __init__(self) -> None:
        self._lock = Lock()

    @contextmanager
    def change(self) -> Iterator[None]:
        """Hold off other changes."""
        if not self._lock.acquire(blocking=False):
            raise CannotRun(
                "Another new baseline is being made.",
                got="two at once",
                expected="one after the other",
                fix="Wait until it is done, and send again.",
            )
        try:
            yield
        finally:
            self._lock.release()
