"""A lease on a deployment: while one run judges its windows, no other does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

#: Seconds a run may take for one window, or for one notification, before another run may take over.
LEASE_SECONDS = 120


class Lease:
    """A lease that is held until it is released or expires. A context manager that releases it at its end.

    A run that was killed leaves its lease behind; the next run can take it once it has expired. A run whose lease
    expired and was taken over gets AnotherRun when it renews it, or CannotRun at the latest when it commits a window
    that the other run has judged.
    """

    def __init__(self, *, owner: str, renewal: Callable[[datetime], None], ending: Callable[[], None]) -> None:
        self.owner = owner
        self._renewal = renewal
        self._ending = ending

    def renew(self, now: datetime) -> None:
        """Extend the lease from now. Raises AnotherRun if another run has taken it over."""
        self._renewal(now)

    def release(self) -> None:
        """End the lease; does nothing if another run has taken it over, or the second time."""
        self._ending()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
