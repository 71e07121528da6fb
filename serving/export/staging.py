"""A version folder is written aside and renamed into place, so that a server never sees half of one.

    MODELS/NAME/.export-XXXX/lock      held (flock) by the process that writes
    MODELS/NAME/.export-XXXX/bundle/   becomes MODELS/NAME/N in one rename

The folder's name is no number, so no server looks into it. A staging folder whose lock is free was left behind by a
process that died, and the next export deletes it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, final

from monitoring.errors import CannotRun
from serving.models.version_folders import LARGEST_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = ".export-"
LOCK = "lock"
BUNDLE = "bundle"
# What renaming onto a folder with something in it, or onto a file, fails with.
TAKEN = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}


@final
class Staging:
    """A folder to write a version in, which `publish` moves to the next free number."""

    def __init__(self, model: Path, folder: Path) -> None:
        self._model = model
        self.folder = folder

    def publish(self) -> Path:
        """Make everything written durable, take the next free number, and rename; the version's folder.

        Two that publish at once get two numbers: renaming onto a version that has just appeared fails.
        """
        for path in [*self.folder.rglob("*"), self.folder]:
            _sync(path)
        while True:
            target = self._model / str(_next_version(self._model))
            try:
                self.folder.rename(target)
            except OSError as error:
                if error.errno not in TAKEN:
                    raise
                continue
            _sync(self._model)
            _sync(self._model.parent)
            return target


@contextmanager
def staged(model: Path) -> Iterator[Staging]:
    """An empty folder aside in MODELS/NAME, deleted at the end with whatever was not published.

    What dead exports left there is deleted first.

    Raises:
        CannotRun: nothing can be written there.
    """
    try:
        model.mkdir(parents=True, exist_ok=True)
        sweep(model)
        aside, lock = _take(model)
    except OSError as error:
        raise CannotRun(
            "The models folder cannot be written.",
            got=f"{model}: {error.strerror}",
            expected="a folder of yours",
            fix="Name another with --models, or change its permissions.",
        ) from error
    try:
        folder = aside / BUNDLE
        folder.mkdir()
        yield Staging(model, folder)
    finally:
        _delete(aside)
        os.close(lock)


def sweep(model: Path) -> int:
    """Delete the staging folders whose process is gone; how many there were. Those being written are left alone."""
    swept = 0
    for aside in sorted(model.glob(f"{PREFIX}*")):
        try:
            lock = os.open(aside / LOCK, os.O_RDWR)
        except FileNotFoundError:
            # Being made or being deleted just now, or died in between: gone if it is empty, and otherwise not ours.
            swept += _remove_empty(aside)
            continue
        try:
            if _lock(lock):
                _delete(aside)
                swept += 1
        finally:
            os.close(lock)
    return swept


def _take(model: Path) -> tuple[Path, int]:
    """A new staging folder and the descriptor that holds its lock; again, should a sweep be quicker."""
    while True:
        aside = Path(tempfile.mkdtemp(prefix=PREFIX, dir=model))
        try:
            lock = os.open(aside / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            continue
        if _lock(lock) and os.fstat(lock).st_nlink:
            return aside, lock
        os.close(lock)


def _lock(descriptor: int) -> bool:
    """Take the lock, unless somebody holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _delete(aside: Path) -> None:
    """Delete a staging folder whose lock is ours; the lock last but one, so that a kill in between leaves no doubt."""
    shutil.rmtree(aside / BUNDLE, ignore_errors=True)
    (aside / LOCK).unlink(missing_ok=True)
    _remove_empty(aside)


def _remove_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


def _next_version(model: Path) -> int:
    """One more than the largest number in the folder, whether or not it is a version."""
    names = [path.name for path in model.iterdir()]
    numbers = [int(name) for name in names if name.isascii() and name.isdecimal()]
    version = max((number for number in numbers if number <= LARGEST_VERSION), default=0) + 1
    if version > LARGEST_VERSION:
        raise CannotRun(
            "There is no number left for a new version.",
            got=f"version {LARGEST_VERSION} in {model}",
            expected="a smaller one",
            fix="Rename that version, or export under another name.",
        )
    return version


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
