"""The archive: a store to which a log's closed parts are moved, so that the server's own disk holds little.

ROOT/archive.json names the store; a part has the same path below its URL as below ROOT. While the local part exists it
is the truth, and what the archive has of that name does not count: it is deleted last, and that is the commit.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from monitoring.atomic import lock_file
from monitoring.errors import BadInput
from monitoring.traffic.format.layout import ARCHIVE, OPEN
from monitoring.traffic.format.segments import SUFFIX
from monitoring.traffic.log.listing import PartFile, Selection, archive_of, local_parts, name_archive
from monitoring.traffic.remote.file_store import FileStore
from monitoring.traffic.remote.inventory import mark_moved

LOCK = "archive.lock"
EVERY_S = 5.0
LONGEST_PAUSE = 12  # turns: a minute
_log = logging.getLogger(__name__)


class Archiver:
    """Moves the closed parts of the log in `root` to `url`, in a thread of its own, until it is closed.

    A store that cannot be reached is tried again, at longer and longer intervals up to a minute; parts stay where they
    are meanwhile, and are read there. Raises BadInput for a URL that cannot be opened here, and for a log that has its
    archive elsewhere.
    """

    def __init__(self, root: Path, url: str, *, every_s: float = EVERY_S) -> None:
        self._root = root
        self.store = FileStore(url)
        known = archive_of(root)
        if known is not None and known.url != self.store.url:
            raise BadInput(
                "This traffic log has its archive elsewhere.",
                got=self.store.url,
                expected=known.url,
                fix=f"Give that URL; or move what is there, and change {root / 'archive.json'}.",
            )
        name_archive(root, self.store)
        self._every_s = every_s
        self._failures = self._pause = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic-archive", daemon=True)

    def start(self) -> None:
        """Begins to move parts."""
        self._thread.start()

    def close(self, patience_s: float = 30.0) -> None:
        """Moves what is left, and returns after `patience_s` at the latest; the next archiver moves the rest."""
        self._stop.set()
        self._thread.join(patience_s)
        left = len(local_parts(self._root, Selection()))
        if left:
            _log.warning("%d parts of the traffic log stay in %s, not in %s.", left, self._root, self.store.url)

    def sweep(self) -> int:
        """Moves the parts of closed segments, and says how many; never raises for a store that fails."""
        moved = 0
        try:
            for part in closed_parts(self._root):
                for _ in move_in_steps(self.store, part):
                    pass
                moved += 1
        except Exception as error:  # noqa: BLE001 - each store's driver has errors of its own; the parts are safe
            self._failures += 1
            if self._failures == 1:
                _log.warning("Parts of the traffic log stay here, %s cannot take them: %s", self.store.url, error)
        else:
            if self._failures:
                _log.warning("%s takes parts of the traffic log again.", self.store.url)
            self._failures = 0
        self._pause = min(LONGEST_PAUSE, 2**self._failures - 1)
        return moved

    def _run(self) -> None:
        descriptor = os.open(self._root / LOCK, os.O_CREAT | os.O_RDWR, 0o644)
        try:
            while not self._stop.wait(self._every_s):
                self._pause -= 1
                if self._pause < 0 and lock_file(descriptor):  # of several workers one moves parts
                    self.sweep()
            if lock_file(descriptor):
                self.sweep()
        finally:
            os.close(descriptor)


def closed_parts(root: Path) -> list[PartFile]:
    """The local parts whose segments are closed, in order of segments: no conversion will write them again."""
    parts = local_parts(root, Selection())
    return [part for part in parts if not (root / OPEN / (part.segment + SUFFIX)).exists()]


def move_in_steps(store: FileStore, part: PartFile) -> Iterator[str]:
    """Moves a part; between any two steps the process may die, and doing it again is safe."""
    yield "listed"
    store.put(part.path, part.key)
    yield "uploaded"
    mark_moved(part.path.parents[3] / ARCHIVE)
    yield "marked"
    part.path.unlink(missing_ok=True)
    yield "removed"
