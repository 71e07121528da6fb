"""Listings of archives, cached until a part is moved there, or for a minute.

A process that moves a part changes the modification time of the log's archive.json between copying the part and
deleting it here. So a reader who no longer finds the part here sees another time than that of any listing without it.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from monitoring.traffic.remote.file_store import FileStore

#: Others may move parts to the same store, or delete old ones, without changing this log's archive.json.
VALID_S = 60.0
LISTINGS_CACHED = 16
#: Between two modification times: more than the resolution of the coarsest clock of a file system.
APART_NS = 2_000_000_000


class _Listed(NamedTuple):
    mark: tuple[int, int]
    at_s: float
    keys: list[str]


class Inventory:
    """A cache of listings, the last used ones. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._listed: OrderedDict[tuple[Path, str, str], _Listed] = OrderedDict()

    def keys(self, marker: Path, store: FileStore, under: str) -> list[str]:
        """The keys below a folder of a store, cached or listed now.

        Args:
            marker: The archive.json of the log whose parts were moved to the store.
        """
        name = (marker, store.url, under)
        status = marker.stat()
        mark, now_s = (status.st_mtime_ns, status.st_ino), self._clock()
        with self._lock:
            listing = self._listed.get(name)
        if listing is not None and listing.mark == mark and now_s - listing.at_s < VALID_S:
            return listing.keys
        listed = _Listed(mark, now_s, store.find(under))
        with self._lock:
            self._listed[name] = listed
            self._listed.move_to_end(name)
            while len(self._listed) > LISTINGS_CACHED:
                self._listed.popitem(last=False)
        return listed.keys


def mark_moved(marker: Path) -> None:
    """Invalidate all listings made before, as a part was moved. Needs no room on the disk."""
    time_ns = max(time.time_ns(), marker.stat().st_mtime_ns + APART_NS)
    os.utime(marker, ns=(time_ns, time_ns))


INVENTORY = Inventory()
