"""Files and folders that appear whole or not at all.

Everything is written to a temporary, hidden name in the destination's own folder, and renamed into place. Readers see
the old contents or the new. A write that fails (a full disk, an exception, Ctrl-C) leaves the old contents and nothing
else. A process that is killed leaves the old contents or the new, and perhaps a temporary file or folder; the next
write to the same destination deletes it. Writers may compete: each has a temporary file of its own, and the last rename
wins.

The rule for power cuts. With `durable=True`, the default, contents are synced before the rename, and the folder that
holds the name after it: when the call returns, they survive. This is for whatever a later run reads back: the traffic
log and its archive, bundles, runs, journals, baselines, tables that were asked for. With `durable=False` nothing is
synced: after a power cut a file may be old, new or empty. This is for what only people look at and the next run writes
anew (reports, pages, pictures), and for files that do not outlive the process.

Every function raises OSError if the disk fails, and nothing else of its own: callers turn it into CannotRun, as they
know what was to be written and what to do about it. Should the last step alone fail, the sync after the rename, the new
contents are in place and may not survive a power cut.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, final

#: Names that end so are never read as part of a traffic log.
SUFFIX = ".tmp"
LOCK = "lock"
CONTENTS = "contents"
#: Characters of the destination's name in that of its temporary file: the longest names leave no room for more.
_NAME_CHARACTERS = 40
_CANNOT_SYNC = {errno.EINVAL, errno.ENOTSUP}


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    r"""Write a file in UTF-8, line ends as they are.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text(Path(folder) / "a.json", "{}\n", durable=False)
    ...     os.listdir(folder)
    ['a.json']
    """
    write_bytes(path, text.encode(), durable=durable)


def rewrite_text(path: Path, text: str) -> None:
    r"""Change the contents of a file that somebody else may have made, and others read.

    Its permissions stay, and its owner and group where this user may give them. A link stays a link: the file that it
    names is changed.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.toml"
    ...     write_text(path, "a = 1\n", durable=False)
    ...     path.chmod(0o640)
    ...     rewrite_text(path, "a = 2\n")
    ...     path.read_text(), oct(path.stat().st_mode & 0o777)
    ('a = 2\n', '0o640')

    Raises:
        OSError: the file is not there, or the disk fails; the old file is as it was.
    """
    path = path.resolve()
    before = path.stat()
    with replacing(path) as file:
        file.write(text.encode())
        with suppress(PermissionError):  # who may not give files away keeps them
            os.fchown(file.fileno(), before.st_uid, before.st_gid)
        os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))


def write_bytes(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file."""
    with replacing(path, durable=durable) as file:
        file.write(data)


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of `path` when the block ends well.

    Args:
        path: The destination. Its folder must exist.

    Yields:
        The temporary file, open for writing. If the block raises, it is deleted and `path` is as it was.
    """
    temporary = PendingFile(path, durable=durable)
    try:
        yield temporary.file
    except BaseException:
        temporary.discard()
        raise
    temporary.commit()


@final
class PendingFile:
    """A temporary file that replaces `path` when it is committed, for writers that are not one `with` block.

    Temporary files that killed writers of the same destination left behind are deleted first.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._path = path
        self._durable = durable
        _sweep_files(path)
        self._temporary, descriptor = _locked_file(path)
        self.file: BinaryIO = os.fdopen(descriptor, "wb")
        """Open for writing."""

    def commit(self) -> None:
        """Put the file in its place."""
        try:
            self.file.flush()
            if self._durable:
                os.fsync(self.file.fileno())
            self._temporary.rename(self._path)  # the lock is held until then: nobody takes it for a dead writer's
        except BaseException:
            self.discard()
            raise
        self.file.close()
        if self._durable:
            sync_folder(self._path.parent)

    def discard(self) -> None:
        """Delete the temporary file. Idempotent."""
        self._temporary.unlink(missing_ok=True)  # on a full disk, what is left over would keep it full
        with suppress(OSError):  # what is still buffered has no room either
            self.file.close()


@contextmanager
def staging_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """An empty, temporary, hidden folder in `parent` to write in; `publish` renames what is in it, or itself.

    PARENT/PREFIXxxxxxxxx/lock       locked (flock) by the process that writes
    PARENT/PREFIXxxxxxxxx/contents   the folder that is yielded

    Folders of this prefix that killed processes left behind are deleted first.

    Args:
        prefix: How the hidden folder's name begins: a dot, and nothing that another use of `parent` begins with.

    Yields:
        The folder. At the end it is deleted, with whatever was not published.
    """
    sweep_folders(parent, prefix)
    temporary, lock = _locked_folder(parent, prefix)
    try:
        contents = temporary / CONTENTS
        contents.mkdir()
        yield contents
    finally:
        _delete_folder(temporary)
        os.close(lock)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty folder among the machine's temporary files, for this user only, deleted at the end.

    What killed processes of this user left behind is deleted first.
    """
    with staging_folder(Path(tempfile.gettempdir()), f".pitfalls-{os.geteuid()}-") as folder:
        yield folder


def publish(source: Path, target: Path, *, durable: bool = True) -> None:
    """Rename a file or folder of a `staging_folder` to its destination.

    A file takes the place of a file that is there, a folder that of an empty folder.

    Raises:
        OSError: the disk fails, or `target` is a folder with something in it; both are as they were.
    """
    if durable:
        for path in [*source.rglob("*"), source]:
            sync(path)
    source.rename(target)
    if durable:
        sync_folder(target.parent)


def sweep_folders(parent: Path, prefix: str) -> int:
    """Delete the temporary folders of this user's killed processes; those that are being written are left alone."""
    swept = 0
    for temporary in sorted(parent.glob(f"{prefix}*")):
        try:
            if temporary.lstat().st_uid != os.geteuid():
                continue
            lock = os.open(temporary / LOCK, os.O_RDWR)
        except (FileNotFoundError, NotADirectoryError):
            # Being made or being deleted just now, or its process died in between: gone if empty, otherwise not ours.
            swept += _remove_empty(temporary)
            continue
        try:
            if _is_abandoned(lock):
                _delete_folder(temporary)
                swept += 1
        finally:
            os.close(lock)
    return swept


def lock_file(descriptor: int) -> bool:
    """Lock an open file against other processes and other descriptors, until this descriptor is closed.

    Returns:
        Whether that succeeded: False while another holds the lock.

    Raises:
        OSError: the file system has no locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sync(path: Path) -> None:
    """Make the contents of a file, or the names in a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut, where the file system can be asked to."""
    try:
        sync(folder)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise


def _hidden(path: Path, middle: str) -> str:
    return f".{path.name[:_NAME_CHARACTERS]}.{middle}{SUFFIX}"


def _locked_file(path: Path) -> tuple[Path, int]:
    """A new temporary file for `path`, and its descriptor, which holds its lock."""
    while True:
        temporary = path.with_name(_hidden(path, secrets.token_hex(4)))
        try:
            descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        except FileExistsError:
            continue
        if _is_ours(descriptor):
            return temporary, descriptor
        os.close(descriptor)


def _sweep_files(path: Path) -> None:
    """Delete the temporary files of killed writers of this destination."""
    before, after = _hidden(path, "\0").split("\0")
    with os.scandir(path.parent) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(before) and entry.name.endswith(after)]
    for name in names:
        with suppress(OSError):  # another sweep was quicker, or it is another user's
            descriptor = os.open(path.with_name(name), os.O_RDWR)
            try:
                if _is_abandoned(descriptor):
                    path.with_name(name).unlink()
            finally:
                os.close(descriptor)


def _is_ours(descriptor: int) -> bool:
    """Whether a file just made could be locked before a sweep took it for abandoned."""
    try:
        return lock_file(descriptor) and os.fstat(descriptor).st_nlink > 0
    except OSError:  # a file system without locks, where nothing is swept
        return True


def _is_abandoned(descriptor: int) -> bool:
    """Whether the process that made a file is gone."""
    try:
        return lock_file(descriptor)
    except OSError:
        return False


def _locked_folder(parent: Path, prefix: str) -> tuple[Path, int]:
    """A new temporary folder, and the descriptor that holds its lock."""
    while True:
        temporary = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            lock = os.open(temporary / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            continue
        if _is_ours(lock):
            return temporary, lock
        os.close(lock)


def _delete_folder(temporary: Path) -> None:
    """Delete a temporary folder whose lock is ours, the lock last but one: a kill in between leaves no doubt."""
    for path in list(temporary.glob("*")):
        if path.name != LOCK:
            shutil.rmtree(path, ignore_errors=True)
    (temporary / LOCK).unlink(missing_ok=True)
    _remove_empty(temporary)


def _remove_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True
