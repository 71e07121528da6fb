"""A local cache: files that this process made of others, kept as long as it lives, made again when a source changes."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from monitoring.atomic import scratch_folder


class LocalCache:
    """A temporary folder of files, deleted with the process. Thread-safe; one file is made at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._copies: dict[str, tuple[str, Path]] = {}
        self._count = 0

    def get(self, source: str, stamp: str, suffix: str, make: Callable[[Path], None]) -> Path:
        """The cached file of a source, made if there is none of this stamp.

        Args:
            stamp: Changes when the source does: its size and time of change, or an ETag.
            make: Writes the file at the path it is given; what it raises is passed on, and nothing is cached.

        Returns:
            The path of the file. It is deleted when the source is asked for with another stamp.
        """
        with self._lock:
            entry = self._copies.get(source)
            if entry is not None and entry[0] == stamp:
                return entry[1]
            path = self._new(suffix)
            try:
                make(path)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
            if entry is not None:
                entry[1].unlink(missing_ok=True)
            self._copies[source] = (stamp, path)
            return path

    def folder(self, source: str) -> Path:
        """A folder for files of a source, the same at every call."""
        with self._lock:
            if source not in self._copies:
                path = self._new("")
                path.mkdir()
                self._copies[source] = ("", path)
            return self._copies[source][1]

    def _new(self, suffix: str) -> Path:
        if self._folder is None:
            held = ExitStack()
            self._folder = held.enter_context(scratch_folder())
            weakref.finalize(self, held.close)
        self._count += 1
        return self._folder / f"{self._count}{suffix}"


LOCAL_CACHE = LocalCache()
