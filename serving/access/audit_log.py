"""The audit log: who reloaded, sent labels or was refused.

Lines are appended only. Each is a JSON object with ``time``, ``event``, ``who`` and what else belongs to it, and
``chain``: SHA-256 of the chain of the line before (64 zeros at the beginning) and of the line without its own. A line
that is changed, removed or put in breaks the chain of those after it. Lines cut off at the end leave no trace: keep the
last chain elsewhere.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import final

from monitoring.errors import BadInput, CannotRun

BEGIN = "0" * 64
#: No line is longer.
LINE_BYTES = 64 << 10
#: Refusals are written once in so many seconds, with how many there were: a client must not fill the disk with them.
REFUSALS_EVERY_S = 1.0


@final
class AuditLog:
    """Appends to a file that several processes may share. A disk that fails is reported, and stops nothing.

    Args:
        file: It is made where there is none.
        clock_s: Seconds since 1970.
    """

    def __init__(self, file: Path, *, report: Callable[[str], None], clock_s: Callable[[], float] = time.time) -> None:
        self._file = file
        self._report = report
        self._clock_s = clock_s
        self._refusals = 0
        self._refusals_at_s = 0.0
        try:
            os.close(self._open())
        except OSError as error:
            raise CannotRun(
                "The audit log cannot be written.",
                got=f"{file}: {error.strerror}",
                expected="a file that this user may append to",
                fix="Give another --audit-log FILE.",
            ) from error

    def write(self, event: str, who: str, **details: str | int) -> None:
        """Append a line. `who`: the name of the token's holder, or empty."""
        moment = datetime.fromtimestamp(self._clock_s(), UTC).isoformat()
        try:
            self._append({"time": moment, "event": event, "who": who, **details})
        except OSError as error:
            self._report(f"The audit log {self._file} cannot be written: {error.strerror}.")

    def refused(self, scope: str, who: str) -> None:
        """Append that a request was refused, with the refusals since the last such line."""
        self._refusals += 1
        now = self._clock_s()
        if now - self._refusals_at_s >= REFUSALS_EVERY_S:
            self.write("refused", who, scope=scope, count=self._refusals)
            self._refusals, self._refusals_at_s = 0, now

    def _append(self, entry: dict[str, str | int]) -> None:
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = os.fstat(descriptor).st_size
            tail = os.pread(descriptor, LINE_BYTES, max(0, size - LINE_BYTES))
            lines = tail.splitlines(keepends=True)
            before = json.loads(lines[-1])["chain"] if lines and lines[-1].endswith(b"\n") else BEGIN
            text = json.dumps(entry)
            torn = b"\n" if lines and not lines[-1].endswith(b"\n") else b""
            os.write(descriptor, torn + json.dumps({**entry, "chain": chain_of(before, text)}).encode() + b"\n")
        except ValueError as error:
            raise OSError(0, "its last line is not one of its own") from error
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        return os.open(self._file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)


def chain_of(before: str, text: str) -> str:
    """The chain of a line: the digest of the chain before it and its own text."""
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()


def check_audit_log(file: Path) -> int:
    """Check the chain of an audit log."""
    before, count = BEGIN, 0
    for count, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
        try:
            entry = json.loads(line)
            chain = entry.pop("chain")
        except (ValueError, KeyError, TypeError, AttributeError):
            chain, entry = "", {}
        if chain != chain_of(before, json.dumps(entry)):
            raise BadInput(
                "The audit log was changed.",
                got=f"{file}, line {count}",
                expected="the chain of the line before it",
                fix="Compare it with a copy; the lines before it are as they were written.",
            )
        before = chain
    return count
