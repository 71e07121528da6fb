"""The traffic log of a server process: opened before anything slow is loaded, closed when all requests are answered."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import pyarrow as pa

from monitoring.errors import CannotRun, PitfallsError
from monitoring.traffic.format.layout import OPEN, check_root
from monitoring.traffic.format.segments import segments_in
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.archive import Archiver
from monitoring.traffic.log.conversion import recover
from monitoring.traffic.log.gaps import GapFile
from monitoring.traffic.log.redaction import Redaction
from monitoring.traffic.log.retention import RetentionLimit, RetentionThread
from monitoring.traffic.log.writer import SEGMENT_BYTES, SegmentPolicy, Sync, TrafficWriter
from serving.capture.capture import Capture, LoggedCallers
from serving.capture.log_sink import LogSink


class LogArchiver(Protocol):
    """See `monitoring.traffic.log.archive.Archiver`."""

    def start(self) -> None:
        """Begin to move closed parts."""

    def close(self) -> None:
        """Move what is left, and end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficSettings:
    """Where answers are logged, and how."""

    folder: Path | None
    """The server's own log; None logs only models that have a folder of their own."""
    policy: SegmentPolicy = field(default_factory=SegmentPolicy)
    segment_bytes: int = SEGMENT_BYTES
    refuses: bool = False
    """Whether an answer that cannot be logged is refused."""
    redaction: Redaction | None = None
    sampling_key: bytes = field(default_factory=lambda: os.urandom(16), repr=False, compare=False)
    """Decides which requests are in a sample. Drawn before workers are forked, so that all of them agree."""
    logs_principal: bool = True
    """Whether rows have the name that their caller has shown."""
    logs_peer: bool = True
    """Whether rows have the address of their caller."""
    archive: str | None = None
    """URL to which closed parts of the log are moved; those of logs in other folders are moved below it."""
    archiver: Callable[[Path, str], LogArchiver] = Archiver
    """Makes what moves the parts of the log in a folder to a URL."""
    retention: RetentionLimit | None = None
    """How long, or up to which size, each log keeps its rows; None for ever. Not with an archive."""

    def archive_of(self, folder: Path) -> str | None:
        """The URL to which the closed parts of the log in a folder are moved: each log has an archive of its own.

        >>> settings = TrafficSettings(folder=Path("/own"), archive="s3://bucket/t")
        >>> settings.archive_of(Path("/own")), settings.archive_of(Path("/logs/m"))
        ('s3://bucket/t', 's3://bucket/t/elsewhere/logs%2Fm')

        Returns:
            The URL; None if parts are not moved.
        """
        if self.archive is None or folder == self.folder:
            return self.archive
        return f"{self.archive.rstrip('/')}/elsewhere/{quote(str(folder).strip('/'), safe='')}"


@contextmanager
def open_traffic_log(
    settings: TrafficSettings | None, *, report: Callable[[str], None]
) -> Iterator[tuple[Capture, LabelWriter | None]]:
    """Open the traffic log for a server process; segments that a killed server left open are converted meanwhile.

    Args:
        settings: Where and how; None logs nothing.

    Yields:
        What logs answered batches, and the writer of labels (None without a folder). Both are closed at the end.
    """
    if settings is None:
        yield Capture(None), None
        return
    with ExitStack() as stack:

        def open_sink(folder: Path) -> LogSink:
            url = settings.archive_of(folder)
            if url is not None:
                _archive(folder, url, settings, stack)
            sink = _open_sink(folder, settings, report, stack)
            if settings.retention is not None:
                retention = RetentionThread(folder, settings.retention, clock=_now)
                retention.start()
                stack.callback(retention.close)
            return sink

        sink = None if settings.folder is None else open_sink(settings.folder)
        labels = None if settings.folder is None else LabelWriter(settings.folder, clock=_now)
        if labels is not None:
            stack.callback(labels.close)
        waits = settings.policy.sync is Sync.ALWAYS
        capture = Capture(
            sink,
            redaction=settings.redaction,
            open_sink=open_sink,
            waits_for_disk=waits,
            sampling_key=settings.sampling_key,
            callers=LoggedCallers(
                principal=settings.logs_principal, peer=settings.logs_peer, redaction=settings.redaction
            ),
        )
        yield capture, labels


def convert_leftovers(settings: TrafficSettings, folders: Iterable[Path], report: Callable[[str], None]) -> None:
    """Convert segments that killed processes left open, when no process writes the logs any more.

    Args:
        report: Called with each log that cannot be converted; it stays as it is for the next start.
    """
    for folder in (*([] if settings.folder is None else [settings.folder]), *folders):
        try:
            if not segments_in(folder / OPEN):
                continue
            recover(folder)
            url = settings.archive_of(folder)
            if url is not None:
                Archiver(folder, url).move_parts()
        except OSError as error:
            report(f"Open segments in {folder} could not be converted: {error.strerror}.")


def _open_sink(folder: Path, settings: TrafficSettings, report: Callable[[str], None], stack: ExitStack) -> LogSink:
    rows = TrafficWriter(folder, clock=_now, segment_bytes=settings.segment_bytes, policy=settings.policy)
    stack.callback(rows.close)
    try:
        check_root(folder)
        gaps = GapFile(folder, _now())
    except OSError as error:
        raise _unwritable(folder, error) from error
    stack.callback(gaps.close)
    # Beside the server's start: until it is done readers find the rows where they are.
    converting = threading.Thread(target=_convert_left, args=(folder, report), name="traffic-recovery")
    converting.start()
    stack.callback(converting.join)
    return LogSink(rows, gaps, refuses=settings.refuses)


def _convert_left(folder: Path, report: Callable[[str], None]) -> None:
    """Convert what killed servers left open, and say so; what cannot be converted stays for the next start."""
    try:
        left = recover(folder)
    except (OSError, PitfallsError, pa.ArrowException) as error:
        report(f"Open segments in {folder} could not be converted, and stay as they are: {error}.")
        return
    if left.rows:
        report(f"Converted {left.rows} rows that an earlier server left in {left.segments} open segments.")


def _archive(folder: Path, url: str, settings: TrafficSettings, stack: ExitStack) -> None:
    """Move closed parts from now on; ended after the log is closed, so that its last segments are moved, too."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        archiver = settings.archiver(folder, url)
    except OSError as error:
        raise _unwritable(folder, error) from error
    archiver.start()
    stack.callback(archiver.close)


def _unwritable(folder: Path, error: OSError) -> CannotRun:
    return CannotRun(
        "The traffic log cannot be written.",
        got=f"{folder}: {error.strerror}",
        expected="a folder this user may write, on a disk with room",
        fix="Make room, or give another folder.",
    )


def _now() -> datetime:
    return datetime.now(UTC)
