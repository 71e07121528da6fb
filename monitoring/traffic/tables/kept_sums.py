"""Sums of a table's windows that outlive their rows: one file for each window, for its owner only."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monitoring.atomic import write_bytes
from monitoring.timestamps import as_datetime, as_microseconds
from monitoring.traffic.windows import Window

FOLDER = "partials"
SUFFIX = ".partial"

#: What others than the owner may do with a file of sums: read it.
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH

#: The first line of a file, with the version of its layout.
_MAGIC = b"pitfalls kept sums 1\n"

#: What the first lines of a file have at most, in bytes.
_HEAD_BYTES = 1 << 12

_DIGEST = "sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSums:
    """The file of one window's sums."""

    path: Path
    window: Window
    rows: int
    newest: int

    def head(self) -> dict[str, str]:
        """What the sums are of, as it was given to `KeptSumsFolder.write`; it is read without them.

        Raises:
            OSError: The file cannot be read.
            ValueError: It is something else, or another user can write it.
        """
        return self._read(whole=False)[0]

    def contents(self) -> bytes:
        """The sums."""
        head, contents = self._read(whole=True)
        if hashlib.sha256(contents).hexdigest() != head.get(_DIGEST):
            raise ValueError("its contents are damaged")
        return contents

    def _read(self, *, whole: bool) -> tuple[dict[str, str], bytes]:
        with os.fdopen(os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if status.st_uid not in (os.geteuid(), 0) or status.st_mode & _WRITABLE_BY_OTHERS:
                raise ValueError("other users can write it")
            if file.read(len(_MAGIC)) != _MAGIC:
                raise ValueError("it is of another release")
            head = json.loads(file.readline(_HEAD_BYTES))
            return head, file.read() if whole else b""


class KeptSumsFolder:
    """The sums that are kept of one table's windows, in a folder of its label log."""

    def __init__(self, root: Path) -> None:
        """The folder below `root`; it is made, for its owner only, when a window is written."""
        self._folder = root / FOLDER

    def files(self) -> tuple[KeptSums, ...]:
        """A file for each window, in order of time."""
        if not self._folder.is_dir():
            return ()
        paths = [entry for path in self._folder.glob(f"*{SUFFIX}") if (entry := _named(path)) is not None]
        return tuple(sorted(paths, key=lambda entry: (entry.window, entry.path.name)))

    def write(self, window: Window, rows: int, newest: int, *, head: Mapping[str, str], contents: bytes) -> None:
        """Keep the sums of a window, in place of those that were kept of it.

        Raises:
            OSError: The disk fails; what was kept before is still there.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        span = f"{as_microseconds(window.start)}_{as_microseconds(window.end)}"
        path = self._folder / f"{span}_{rows}_{newest}{SUFFIX}"
        line = json.dumps({**head, _DIGEST: hashlib.sha256(contents).hexdigest()}).encode()
        write_bytes(path, _MAGIC + line + b"\n" + contents, durable=False)
        path.chmod(0o600)
        for other in self._folder.glob(f"{span}_*{SUFFIX}"):
            if other != path:
                other.unlink(missing_ok=True)

    def forget(self, before: int) -> None:
        """Delete the sums of windows that ended before a time, in microseconds."""
        for file in self.files():
            if as_microseconds(file.window.end) < before:
                file.path.unlink(missing_ok=True)


def _named(path: Path) -> KeptSums | None:
    """The window of a file, by its name; None for a file of another kind."""
    match = re.fullmatch(r"(-?\d+)_(-?\d+)_(\d+)_(-?\d+)", path.name.removesuffix(SUFFIX))
    if match is None:
        return None
    start, end, rows, newest = map(int, match.groups())
    return KeptSums(path=path, window=Window(start=as_datetime(start), end=as_datetime(end)), rows=rows, newest=newest)
