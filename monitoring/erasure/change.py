"""Looks for erased ids in what was to be without them: an erasure is complete only if none is there."""

from __future__ import annotations

import gzip
import hashlib
import mmap
import os
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from monitoring.atomic import replacing


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedRows:
    """What an erasure does to one file.

    Attributes:
        sha256_after: SHA-256 of the file afterwards; None where a running server writes it, or it is deleted.
    """

    kind: str
    file: str
    rows: int
    removed: int
    sha256_before: str
    sha256_after: str | None

    def document(self) -> dict[str, object]:
        """The record as JSON has it."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A file's erased rows, and `apply`, which puts the file without them in its place."""

    erased: ErasedRows
    apply: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreached:
    """What an erasure could not reach: what it is, why, and how to reach it."""

    what: str
    why: str
    fix: str


def replaced_file(path: Path, data: bytes | memoryview, *, kind: str, name: str, rows: int, removed: int) -> Change:
    """The change of a file on this machine to new contents, with the mode and the owner that it has.

    Returns:
        The change. A process that dies while it is applied leaves the file as it was, or as it is to be.
    """

    def apply() -> None:
        status = path.stat()
        with replacing(path) as file:
            os.fchmod(file.fileno(), status.st_mode & 0o7777)
            with suppress(PermissionError):  # a user who may write the folder need not be the file's owner
                os.fchown(file.fileno(), status.st_uid, status.st_gid)
            file.write(data)

    before = hashlib.sha256(path.read_bytes()).hexdigest()
    after = hashlib.sha256(data).hexdigest()
    erased = ErasedRows(kind=kind, file=name, rows=rows, removed=removed, sha256_before=before, sha256_after=after)
    return Change(erased=erased, apply=apply)


#: A message shows that many characters of an id at most.
SHOWN = 60
_SQLITE_ENDS = ("", "-wal", "-shm", "-journal")


def ids_in(data: bytes | mmap.mmap, ids: Collection[str]) -> int:
    """How many ids some bytes have, whole or cut to the length that messages show.

    An id that is a part of a longer one does not count. Cost: a search of the bytes for each id.

    >>> ids_in(b'[{"prediction_id":"a:1"},{"prediction_id":"a:20"}]', ["a:1", "a:2"])
    1

    Args:
        data: The bytes.
    """
    return sum(
        any(_has(data, word.encode()) for word in {prediction_id, prediction_id[:SHOWN]}) for prediction_id in ids
    )


def _has(data: bytes | mmap.mmap, word: bytes) -> bool:
    if data.find(word) < 0:
        return False
    return re.search(rb"(?<![\w:-])" + re.escape(word) + rb"(?![\w:-])", data) is not None


def ids_in_file(path: Path, ids: Collection[str]) -> int:
    """How many ids a file's bytes have, as `ids_in`; of a compressed text those that are in it; 0 without a file."""
    try:
        if path.suffix == ".gz":
            return ids_in(gzip.decompress(path.read_bytes()), ids)
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return ids_in(data, ids)
    except (FileNotFoundError, ValueError):  # gone, or empty, which cannot be mapped
        return 0


def store_remains(file: Path, ids: Collection[str]) -> tuple[Unreached, ...]:
    """What the files of an SQLite store still have of ids, free pages and the write-ahead log included."""
    files = (file.with_name(file.name + end) for end in _SQLITE_ENDS)
    return tuple(_remains(str(file), count) for file in files if (count := ids_in_file(file, ids)))


def file_remains(files: Sequence[ErasedRows], again: Iterable[Change], ids: Collection[str]) -> tuple[Unreached, ...]:
    """What the files of a receipt still have of the erased rows.

    Args:
        ids: The erased ids, which are looked for in the bytes of texts; files of Arrow and Parquet are compressed, or
            have one id after the other, and are read by `again`.
    """
    named = {(file.kind, file.file) for file in files}
    left = {
        change.erased.file: change.erased.removed
        for change in again
        if (change.erased.kind, change.erased.file) in named
    }
    for file in files:
        if file.kind == "table" and (count := ids_in_file(Path(file.file), ids)):
            left.setdefault(file.file, count)
    return tuple(_remains(name, count) for name, count in left.items())


def _remains(what: str, count: int) -> Unreached:
    return Unreached(
        what=what,
        why=f"its bytes still have {count} of the rows' ids",
        fix="Run the same command again when nothing else writes the file; if they stay, write the file anew.",
    )
