"""What a reader of another server's log gives: one side of a call at a time."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import pyarrow as pa

from monitoring.errors import BadInput

#: A request, its response, or what was right.
CallSide: TypeAlias = Literal["request", "response", "label"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedSide:
    """One side of a call.

    Attributes:
        id: joins the sides of a call.
        body: text as it was sent or answered.
        content_type: of the body: ``text/csv`` is read as CSV, anything else as JSON.
        at_us: when, in microseconds since 1970, UTC; None where the log does not say it.
    """

    id: str
    side: CallSide
    body: str
    content_type: str = "application/json"
    at_us: int | None = None


class LogReader(Protocol):
    """Reads a format. An entry point of the group ``pitfalls.readers`` names one."""

    def __call__(self, path: Path, /) -> Iterator[LoggedSide | None]:
        """Read one file, in its order.

        A file that has grown since it was read is read again, and what was given before is skipped: the same file has
        to give the same sides.

        Yields:
            Each side of a call; None for a record that is none, which is counted.

        Raises:
            BadInput: the file is not of this format at all.
        """


def microseconds(value: Any) -> int | None:
    """A time as another server wrote it, in microseconds since 1970; None for what is none.

    Numbers are seconds, milliseconds or microseconds since 1970, by their size; a text without a zone is UTC.

    >>> microseconds("2026-04-05T00:00:00.5Z"), microseconds(1775347200500), microseconds("soon")
    (1775347200500000, 1775347200500000, None)
    """
    if isinstance(value, datetime):
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value
        return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1 << 62:
        return int(value * (1_000_000 if value < 1e11 else 1_000 if value < 1e14 else 1))
    try:
        return microseconds(datetime.fromisoformat(value)) if isinstance(value, str) else None
    except ValueError:
        return None


@contextmanager
def whole_file(path: Path) -> Iterator[None]:
    """Raises BadInput for what libraries raise of a file that is damaged, cut off or of another format."""
    try:
        yield
    except (OSError, EOFError, zlib.error, ValueError, csv.Error, RecursionError, pa.ArrowException) as error:
        raise BadInput(
            "A file of the log cannot be read.",
            got=f"{path}: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
            expected="JSON Lines, JSON, CSV, Parquet or TFRecord, whole; compressed files end in .gz",
            fix="Fetch it again, or move it out of the folder.",
        ) from error
