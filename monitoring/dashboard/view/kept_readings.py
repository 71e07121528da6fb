"""What was read of answers and labels is kept for a while: reading it again costs far more than asking for it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Final, TypeVar, cast

from monitoring.config import MonitorConfig
from monitoring.config.digest import settings_digest
from monitoring.dashboard.stores.stores import StoredDeployment
from monitoring.jobs.places import find_baseline

Reading = TypeVar("Reading")

#: Readings that are kept, at most: tables of counts, and no rows.
MOST_KEPT: Final = 64

#: Seconds that one is kept at least, and as a multiple of what it took: so reading takes a twentieth of a core at most.
LEAST_SECONDS: Final = 60.0
TIMES_ITS_COST: Final = 20.0


class KeptReadings:
    """Keeps what was read. For threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._readings: OrderedDict[Hashable, tuple[float, object]] = OrderedDict()

    def get(self, key: Hashable, read: Callable[[], Reading]) -> Reading:
        """What is kept, or else read now."""
        with self._lock:
            until, cached_reading = self._readings.get(key, (0.0, None))
        begin = self._clock()
        if begin < until:
            return cast("Reading", cached_reading)
        reading = read()
        end = self._clock()
        with self._lock:
            self._readings[key] = end + max(LEAST_SECONDS, TIMES_ITS_COST * (end - begin)), reading
            self._readings.move_to_end(key)
            while len(self._readings) > MOST_KEPT:
                self._readings.popitem(last=False)
        return reading


def state_of(deployment: StoredDeployment, config: MonitorConfig) -> Hashable:
    """What the outcomes of a deployment depend on, beside the windows: its settings, its baseline, its last run."""
    place = find_baseline(config).baseline
    summary = deployment.summary
    return deployment.named.name, summary.number, settings_digest(config), str(place), summary.used_at
