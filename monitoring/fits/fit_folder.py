"""A folder of kept fits: read where one is whole, written aside and renamed, and bounded."""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import time
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from monitoring.atomic import write_bytes
from monitoring.baseline.folder import DESCRIPTION, REFERENCE
from monitoring.config import MonitorConfig
from monitoring.distribution import installed_version
from monitoring.fits.packing import pack, unpack

FOLDER = "fits"
SUFFIX = ".fit"

#: Bytes of fits in one folder; those that were not used for the longest are deleted.
MOST_BYTES = 1 << 30

#: Seconds after which a fit that nobody has read is deleted: 60 days.
MOST_SECONDS = 60 * 86_400

#: What others than the owner may do with a fit that is read: read it.
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH

_MAGIC = b"pitfalls fit 1\n"
_SQLITE = "sqlite:///"

_logger = logging.getLogger(__name__)


def fit_folder(config: MonitorConfig) -> FitFolder:
    """The folder of a config's fits: beside an SQLite store, otherwise among this user's caches."""
    url = config.store.url
    if url.startswith(_SQLITE):
        return FitFolder(Path(url.removeprefix(_SQLITE).partition("?")[0]).parent / FOLDER)
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return FitFolder(Path(caches, "pitfalls", FOLDER))


class FitFolder:
    """Values by the digest of all that they depend on, one file each. Whatever is in it may be deleted at any time.

    A file holds the SHA-256 of its contents; one that is damaged, or that another user may have written, is not read.
    """

    def __init__(self, path: Path) -> None:
        """A folder, which is made, for its owner only, when a fit is written."""
        self.path = path

    def read(self, digest: str) -> Any | None:
        """The value of a digest, and its file counts as used now.

        Returns:
            The value; None where there is none that can be read. If one is there, a line says why it is not.
        """
        path = self._file(digest)
        try:
            data = _read_own(path)
            fit = unpack(_checked(data))
        except FileNotFoundError:
            _logger.info("No fit of the baseline is kept in %s: it is made anew.", self.path)
            return None
        except (OSError, ValueError) as error:
            _logger.warning("The kept fit %s is not used, and is made anew: %s", path, error)
            return None
        with suppress(OSError):  # a folder that is only read
            os.utime(path)
        return fit

    def write(self, digest: str, value: object) -> None:
        """Keep a value, and delete what is old, or beyond the bound. Where that fails, a line says so."""
        try:
            contents = pack(value)
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            head = _MAGIC + hashlib.sha256(contents).hexdigest().encode() + b"\n"
            write_bytes(self._file(digest), head + contents, durable=False)
            self._file(digest).chmod(0o600)
            self._delete_old(time.time())
        except (OSError, TypeError) as error:
            _logger.warning("The fit of the baseline is not kept in %s: %s", self.path, error)

    def _file(self, digest: str) -> Path:
        return self.path / f"{digest}{SUFFIX}"

    def _delete_old(self, now: float) -> None:
        """Delete the fits that nobody uses any more; another process may do the same."""
        room = MOST_BYTES
        files = []
        for path in self.path.glob(f"*{SUFFIX}"):
            with suppress(FileNotFoundError):
                files.append((path.stat().st_mtime, path.stat().st_size, path))
        for used, size, path in sorted(files, reverse=True):
            room -= size
            if room < 0 or now - used > MOST_SECONDS:
                path.unlink(missing_ok=True)


def _read_own(path: Path) -> bytes:
    """The bytes of a file of this user that nobody else can write."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
        for status in (os.fstat(file.fileno()), path.parent.stat()):
            if status.st_uid not in (os.geteuid(), 0) or status.st_mode & _WRITABLE_BY_OTHERS:
                raise ValueError("other users can write it")
        return file.read()


def _checked(data: bytes) -> bytes:
    """The contents of a fit's file."""
    head, digest, contents = data[: len(_MAGIC)], data[len(_MAGIC) : len(_MAGIC) + 64], data[len(_MAGIC) + 65 :]
    if head != _MAGIC or hashlib.sha256(contents).hexdigest().encode() != digest:
        raise ValueError("its contents are damaged")
    return contents


_CODE = Path(__file__).parents[1]

#: Libraries whose releases may change the last digits of a fit, or the days of holidays.
LIBRARIES = ("numpy", "scipy", "pyarrow", "holidays", "icalendar", "recurring-ical-events")


def fit_digest(config: MonitorConfig, evidence: str, baseline: Path) -> str:
    """The digest of a config's fit: settings, method, expected events, contents of the baseline, this package's code.

    No place counts: a baseline that is copied or moved has the same fit. Cost: that of reading the baseline, about a
    second for two gigabytes, and once in a process some hundredths of a second for the code.
    """
    traffic = config.traffic
    ordered = (traffic.slices, traffic.class_slices, traffic.selection_groups, config.model.threshold)
    digest = hashlib.sha256(f"{_program()}\0{evidence}\0{ordered}".encode())
    for section in config.expected:
        digest.update(section.model_dump_json(exclude={"ics"}).encode())
        digest.update(b"" if section.ics is None else _digest(section.ics))
    for name in (DESCRIPTION, REFERENCE):
        digest.update(_digest(baseline / name))
    return digest.hexdigest()


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


@cache
def _program() -> str:
    """The digest of the code and libraries that make a fit."""
    digest = hashlib.sha256(" ".join((installed_version(), *map(version, LIBRARIES))).encode())
    for path in code_files():
        digest.update(f"\0{path.relative_to(_CODE)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def code_files() -> list[Path]:
    """The files of this package's code, in order."""
    return sorted(path for kind in ("py", "so") for path in _CODE.rglob(f"*.{kind}"))
