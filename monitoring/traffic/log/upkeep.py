"""Upkeep: what becomes of a log's segments with time, also while nothing is written: synced, and closed when old."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

LONGEST_WAIT_S = 60.0


class Sync(StrEnum):
    """What of the log survives a power cut. The death of the process alone loses nothing either way."""

    ALWAYS = "always"
    """Every row, before its answer leaves: one `fdatasync` per batch."""
    INTERVAL = "interval"
    """All but the rows of the last interval."""
    NEVER = "never"
    """What the operating system happened to have written, and every segment that became Parquet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """How a log's segments are looked after."""

    sync: Sync = Sync.NEVER
    sync_every: timedelta = timedelta(seconds=1)
    """The interval of `Sync.INTERVAL`."""
    age: timedelta | None = None
    """A segment that was begun so long ago is closed and becomes Parquet; None waits until it is full."""

    @property
    def every_s(self) -> float | None:
        """Seconds between two looks; None if there is nothing to look after."""
        waits = [LONGEST_WAIT_S if self.age is None else min(LONGEST_WAIT_S, self.age.total_seconds() / 4)]
        if self.sync is Sync.INTERVAL:
            waits.append(self.sync_every.total_seconds())
        elif self.age is None:
            return None
        return min(waits)


class Keeper:
    """A thread that calls `tend` every so many seconds until it is stopped; `tend` must not raise."""

    def __init__(self, tend: Callable[[], None], every_s: float) -> None:
        self._tend = tend
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic-upkeep", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, after the call that is under way. Idempotent."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            self._tend()
