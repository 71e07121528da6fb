"""What an archive holds: listed once, and again when a part has been moved there, or after a minute.

Whoever moves a part marks the log's archive.json between copying the part and deleting it here. So a reader who no
longer finds the part here finds another mark than that of any listing without it.
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

#: Others may move parts to the same store, or delete old ones, without a mark in this log.
VALID_S = 60.0
KEPT = 16
#: Between two marks: more than the coarsest clock of a file system.
APART_NS = 2_000_000_000


class _Listed(NamedTuple):
    mark: tuple[int, int]
    at_s: float
    keys: list[str]


class Inventory:
    """Listings of archives, those used last. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._listed: OrderedDict[tuple[Path, str, str], _Listed] = OrderedDict()

    def keys(self, marker: Path, store: FileStore, under: str) -> list[str]:
        """The keys below a folder of the store; `marker` is the log's archive.json. Raises as `FileStore.find`."""
        name = (marker, store.url, under)
        status = marker.stat()
        mark, now_s = (status.st_mtime_ns, status.st_ino), self._clock()
        with self._lock:
            known = self._listed.get(name)
        if known is not None and known.mark == mark and now_s - known.at_s < VALID_S:
            return known.keys
        listed = _Listed(mark, now_s, store.find(under))
        with self._lock:
            self._listed[name] = listed
            self._listed.move_to_end(name)
            while len(self._listed) > KEPT:
                self._listed.popitem(last=False)
        return listed.keys


def mark_moved(marker: Path) -> None:
    """A part was moved: no listing made before counts any more. Needs no room on the disk. Raises OSError."""
    moment = max(time.time_ns(), marker.stat().st_mtime_ns + APART_NS)
    os.utime(marker, ns=(moment, moment))


INVENTORY = Inventory()
