"""Copies: files that this process made of others, kept as long as it lives, and made anew when their source changes."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path


class Copies:
    """A folder of copies that goes with the process. Thread-safe; one copy is made at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._made: dict[str, tuple[str, Path]] = {}
        self._count = 0

    def of(self, source: str, stamp: str, suffix: str, make: Callable[[Path], None]) -> Path:
        """The copy of `source` as it is at `stamp`, from `make` if there is none yet. Raises what `make` does."""
        with self._lock:
            known = self._made.get(source)
            if known is not None and known[0] == stamp:
                return known[1]
            path = self._new(suffix)
            try:
                make(path)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
            if known is not None:
                known[1].unlink(missing_ok=True)
            self._made[source] = (stamp, path)
            return path

    def folder(self, source: str) -> Path:
        """A folder for copies of `source`, always the same."""
        with self._lock:
            if source not in self._made:
                path = self._new("")
                path.mkdir()
                self._made[source] = ("", path)
            return self._made[source][1]

    def _new(self, suffix: str) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="pitfalls-")
        self._count += 1
        return Path(self._folder.name) / f"{self._count}{suffix}"


COPIES = Copies()
