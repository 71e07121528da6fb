r"""Rows as CSV: numbers in full, times in UTC, and no text that a spreadsheet takes for a formula.

>>> "".join(csv_lines(["a", "b"], [["=1+1", 0.125]]))
"a,b\r\n'=1+1,0.125\r\n"
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Final, TypeAlias

Value: TypeAlias = str | int | float | datetime | None

#: With these a spreadsheet begins a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

#: Characters of a part, about.
_PART: Final = 1 << 16


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[str]:
    """Rows as CSV with a header.

    Yields:
        Parts of the file, whose lines end with CR LF: times are in ISO 8601; a text that a spreadsheet would take for a
        formula begins with an apostrophe.
    """
    part = io.StringIO()
    writer = csv.writer(part)
    for row in chain([columns], rows):
        writer.writerow([_plain(value) for value in row])
        if part.tell() >= _PART:
            yield part.getvalue()
            part.seek(0)
            part.truncate()
    yield part.getvalue()


def _plain(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return repr(value)
