"""Deletes the oldest rows of a traffic log, by age or by size, so that a server's disk does not fill up."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from monitoring.atomic import lock_file
from monitoring.errors import BadInput
from monitoring.timestamps import as_microseconds
from monitoring.traffic.log.archive import closed_parts
from monitoring.traffic.log.listing import PartFile
from monitoring.traffic.windows import parse_duration

LOCK = "retention.lock"
EVERY_S = 60.0
_UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(MB|GB|TB)", re.IGNORECASE)
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionLimit:
    """How long, or up to which size together, rows are kept; one of the two."""

    age: timedelta | None = None
    size_bytes: int | None = None


def read_retention(text: str) -> RetentionLimit:
    """Read a limit.

    >>> read_retention("90d").age, read_retention("1.5GB").size_bytes
    (datetime.timedelta(days=90), 1500000000)

    Args:
        text: A length of time such as ``90d``, or a size in ``MB``, ``GB`` or ``TB`` (powers of 1,000).
    """
    size = _SIZE.fullmatch(text.strip())
    limit: RetentionLimit | None
    try:
        if size is None:
            limit = RetentionLimit(age=parse_duration(text))
        else:
            limit = RetentionLimit(size_bytes=int(float(size[1]) * _UNITS[size[2].upper()]))
    except BadInput:
        limit = None
    if limit is None or not (limit.age or limit.size_bytes):
        raise BadInput(
            "Invalid retention.",
            got=text,
            expected="a length of time such as 90d, or a size such as 500GB",
            fix="Correct it.",
        )
    return limit


def expired_parts(parts: list[tuple[PartFile, int]], limit: RetentionLimit, now: datetime) -> list[PartFile]:
    """The parts to delete, oldest first.

    Returns:
        By age those whose segment was begun longer ago; by size the oldest of those that are too much.
    """
    oldest = sorted(parts, key=lambda part: (part[0].segment, part[0].day))
    if limit.age is not None:
        first = as_microseconds(now - limit.age) * 1000
        return [part for part, _ in oldest if int(part.segment.partition("-")[0]) < first]
    excess = sum(size for _, size in oldest) - (limit.size_bytes or 0)
    expired = []
    for part, size in oldest:
        if excess <= 0:
            break
        expired.append(part)
        excess -= size
    return expired


class RetentionThread:
    """Deletes expired parts of the log in `root`, now and then, in a thread of its own until it is closed.

    Only rows of closed segments are deleted, a part as a whole; labels, which are small, stay. Of several processes
    with one log, one deletes.
    """

    def __init__(
        self, root: Path, limit: RetentionLimit, *, clock: Callable[[], datetime], every_s: float = EVERY_S
    ) -> None:
        self._root = root
        self._limit = limit
        self._clock = clock
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic-retention", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def delete_expired(self) -> int:
        """Delete what has expired. A part that cannot be deleted is logged, and tried again in the next round."""
        sized = []
        for part in closed_parts(self._root):
            with suppress(FileNotFoundError):
                sized.append((part, part.path.stat().st_size))
        expired = expired_parts(sized, self._limit, self._clock())
        deleted = 0
        for part in expired:
            try:
                part.path.unlink(missing_ok=True)
            except OSError as error:
                _logger.warning("%s is older than the log is kept, and cannot be deleted: %s", part.path, error)
            else:
                deleted += 1
                with suppress(OSError):  # another part is in its folder
                    part.path.parent.rmdir()
        return deleted

    def _try_to_delete(self) -> None:
        """Delete what has expired; a folder that cannot be read is logged, and tried again in the next round."""
        try:
            deleted = self.delete_expired()
        except OSError as error:
            _logger.warning("Old parts of %s cannot be found, and stay for now: %s", self._root, error)
            return
        if deleted:
            _logger.warning("Deleted %d parts of %s that are no longer kept.", deleted, self._root)

    def _run(self) -> None:
        descriptor = os.open(self._root / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            while True:
                if lock_file(descriptor):
                    self._try_to_delete()
                if self._stop.wait(self._every_s):
                    return
        finally:
            os.close(descriptor)
