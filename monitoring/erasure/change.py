"""One file of an erasure: its rows before, how many go, its digests, and the replacement that is to take its place."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from monitoring.atomic import replacing


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedRows:
    """What an erasure does to one file.

    Attributes:
        kind: part, archived part, open segment, label log, counted labels, kept sums, or table.
        file: Its name, below the log's folder if it is there.
        removed: How many of them go; of a label log, how many are emptied.
        sha256_before: SHA-256 of the file before, in hexadecimal.
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
