"""The archive: a file store to which a log's closed parts are moved, so that the server's own disk holds little.

ROOT/archive.json names the store; a part has the same path below its URL as below ROOT. While the local part exists it
is the truth, and a file of its name in the archive does not count. The local part is deleted last: that is the commit.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitoring.atomic import lock_file
from monitoring.errors import BadInput
from monitoring.traffic.format.layout import ARCHIVE, OPEN
from monitoring.traffic.format.segments import SUFFIX
from monitoring.traffic.log.listing import PartFile, Selection, local_parts, read_archive, write_archive
from monitoring.traffic.remote.file_store import FileStore
from monitoring.traffic.remote.inventory import mark_moved

LOCK = "archive.lock"
PART_LOCK = "parts.lock"
EVERY_S = 5.0
LONGEST_PAUSE = 12  # rounds: a minute
_logger = logging.getLogger(__name__)


class Archiver:
    """Moves the closed parts of the log in `root` to `url`, in a thread of its own, until it is closed.

    A store that cannot be reached is tried again with exponential backoff, up to a minute; parts stay where they are
    meanwhile, and are read there.

    Args:
        every_s: Seconds between two rounds.
    """

    def __init__(self, root: Path, url: str, *, every_s: float = EVERY_S) -> None:
        self._root = root
        self.store = FileStore(url)
        archive = read_archive(root)
        if archive is not None and archive.url != self.store.url:
            raise BadInput(
                "This traffic log has another archive.",
                got=self.store.url,
                expected=archive.url,
                fix=f"Give that URL; or move its files to the new one, and change {root / 'archive.json'}.",
            )
        write_archive(root, self.store)
        self._every_s = every_s
        self._failures = self._pause = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic-archive", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self, patience_s: float = 30.0) -> None:
        """Move what is left, for `patience_s` seconds at most; the next archiver moves the rest."""
        self._stop.set()
        self._thread.join(patience_s)
        left = len(all_parts(self._root))
        if left:
            _logger.warning("%d parts of %s were not moved to %s.", left, self._root, self.store.url)

    def move_parts(self) -> int:
        """Move the parts of closed segments. Never raises for a store that fails."""
        moved = 0
        try:
            for part in closed_parts(self._root):
                with part_lock(self._root):
                    for _ in move_in_steps(self.store, part):
                        pass
                moved += 1
        except Exception as error:  # noqa: BLE001 - each driver has errors of its own; the parts are safe
            self._failures += 1
            if self._failures == 1:
                _logger.warning(
                    "Parts of the traffic log stay here, %s does not accept them: %s", self.store.url, error
                )
        else:
            if self._failures:
                _logger.warning("%s accepts parts of the traffic log again.", self.store.url)
            self._failures = 0
        self._pause = min(LONGEST_PAUSE, 2**self._failures - 1)
        return moved

    def _run(self) -> None:
        descriptor = os.open(self._root / LOCK, os.O_CREAT | os.O_RDWR, 0o644)
        try:
            while not self._stop.wait(self._every_s):
                self._pause -= 1
                if self._pause < 0 and lock_file(descriptor):  # of several workers one moves parts
                    self.move_parts()
            if lock_file(descriptor):
                self.move_parts()
        finally:
            os.close(descriptor)


def closed_parts(root: Path) -> list[PartFile]:
    """The local parts whose segments are converted, so that they will not be written again; in order of segments."""
    return [part for part in all_parts(root) if not (root / OPEN / (part.segment + SUFFIX)).exists()]


def all_parts(root: Path) -> list[PartFile]:
    """The parts on this machine, those in quarantine too."""
    return [*local_parts(root, Selection()), *local_parts(root, Selection(quarantined=True))]


@contextmanager
def part_lock(root: Path) -> Iterator[None]:
    """Hold a log's lock on its parts: while one is moved nobody replaces it here, and the other way round."""
    descriptor = os.open(root / PART_LOCK, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def move_in_steps(store: FileStore, part: PartFile) -> Iterator[str]:
    """Move a part in steps, between any two of which the process may die; moving it again is safe."""
    yield "listed"
    store.put(part.path, part.key)
    yield "uploaded"
    mark_moved(part.path.parents[3] / ARCHIVE)
    yield "marked"
    part.path.unlink(missing_ok=True)
    yield "removed"
