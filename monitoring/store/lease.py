"""A lease on a deployment: while one run judges its windows, no other does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self


class Lease:
    """Held until it is released or runs out; renewed between windows. A context manager that releases at its end.

    A run that was killed leaves its lease behind, and the next one waits until it has run out. A run so slow that its
    lease ran out and was taken over finds out when it renews, or at the latest when it commits a window that the other
    one has judged.
    """

    def __init__(self, *, owner: str, renewal: Callable[[datetime], None], ending: Callable[[], None]) -> None:
        self.owner = owner
        self._renewal = renewal
        self._ending = ending

    def renew(self, now: datetime) -> None:
        """Hold on from now. Raises CannotRun if another run has taken over."""
        self._renewal(now)

    def release(self) -> None:
        """Let go; does nothing if another run has taken over, or the second time."""
        self._ending()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
