"""When open segments are synced to disk and when they are closed, also while nothing is written."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

LONGEST_WAIT_S = 60.0


class Sync(StrEnum):
    """Which rows survive a power cut. The death of the process alone loses no row with any of these."""

    ALWAYS = "always"
    """Every row, before its answer is sent: one `fdatasync` per batch."""
    INTERVAL = "interval"
    """All but the rows of the last interval."""
    NEVER = "never"
    """What the operating system happened to have written, and every segment that became Parquet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentPolicy:
    """When the segments of a log are synced and closed.

    >>> SegmentPolicy(max_age=timedelta(seconds=8)).every_s
    2.0
    """

    sync: Sync = Sync.NEVER
    sync_every: timedelta = timedelta(seconds=1)
    """The interval of `Sync.INTERVAL`."""
    max_age: timedelta | None = None
    """A segment of this age is closed and becomes Parquet; None waits until it is full."""

    @property
    def every_s(self) -> float | None:
        """Seconds between two rounds of maintenance; None if there is nothing to do between appends."""
        waits = [LONGEST_WAIT_S if self.max_age is None else min(LONGEST_WAIT_S, self.max_age.total_seconds() / 4)]
        if self.sync is Sync.INTERVAL:
            waits.append(self.sync_every.total_seconds())
        elif self.max_age is None:
            return None
        return min(waits)


class MaintenanceThread:
    """A thread that calls a function every so many seconds until it is stopped."""

    def __init__(self, maintain: Callable[[], None], every_s: float) -> None:
        self._maintain = maintain
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic-maintenance", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, after the call that is under way. Idempotent."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            self._maintain()
