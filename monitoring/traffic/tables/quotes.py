"""Lines of a CSV file that an unbalanced quote makes part of one field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from monitoring.records import Finding
from monitoring.records.finding_parts import LostLines

#: A malformed record that spans at least so many lines is lost rows, not text with line breaks.
MANY_LINES = 100

#: Where more than this share of a file's lines is lost, the finding is a fact, and pages.
MUCH = 0.01

#: Bytes of a record that locate it in its file.
_HEAD = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedRecord:
    """A record that contains lost lines: how many lines it spans, and its first bytes."""

    lines: int
    head: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UnbalancedQuotes:
    """How many records of a file contain lost lines, how many lines they span, and the longest of them.

    `first_line` is the line of the file on which that begins, counted from 1; 0 where it could not be found.
    """

    records: int
    lines: int
    longest: int
    first_line: int


def quoted_record(text: bytes, delimiter: bytes, fields: int, *, malformed: bool) -> QuotedRecord | None:
    """Decides whether a record, or a field of a well-formed record, contains rows because of an unbalanced quote.

    Args:
        fields: how many the header has; a line with as many is a row.

    Returns:
        The record; None for a single line, or for text that contains line breaks of its own.
    """
    lines = text.split(b"\n")
    if len(lines) < 3:
        return None
    rows = sum(line.count(delimiter) == fields - 1 for line in lines[1:])
    if (rows > 1 and 2 * rows >= len(lines) - 1) or (malformed and len(lines) >= MANY_LINES):
        return QuotedRecord(lines=len(lines), head=text[:_HEAD])
    return None


def quoted_records_in(table: pa.Table, delimiter: bytes) -> list[QuotedRecord]:
    """Fields of a table of bytes that contain lost lines. Cost: a pass over every cell."""
    records = []
    for column in table.columns:
        several = pc.greater(pc.count_substring(column, "\n"), 1)
        for cell in column.filter(several).to_pylist():
            record = quoted_record(cell, delimiter, table.num_columns, malformed=False)
            records += [record] if record is not None else []
    return records


def summarise_quotes(records: Sequence[QuotedRecord], content: bytes) -> UnbalancedQuotes:
    """Summarises the records of a file that contain lost lines; at least one."""
    longest = max(records, key=lambda record: record.lines)
    place = content.find(longest.head) if b"\n" in longest.head else -1
    return UnbalancedQuotes(
        records=len(records),
        lines=sum(record.lines for record in records),
        longest=longest.lines,
        first_line=content.count(b"\n", 0, place) + 1 if place >= 0 else 0,
    )


def quote_findings(quotes: Sequence[tuple[str, int, UnbalancedQuotes]]) -> tuple[Finding, ...]:
    """The finding about files with lost lines, each given as name, rows and quotes; it names the worst file."""
    if not quotes:
        return ()
    name, _, worst = max(quotes, key=lambda each: each[2].lines)
    parts = LostLines(
        file=name,
        lines=worst.lines,
        records=worst.records,
        longest=worst.longest,
        first_line=worst.first_line,
        other_files=len(quotes) - 1,
    )
    much = any(each.lines > MUCH * (rows + each.lines) for _, rows, each in quotes)
    return (Finding(kind="unbalanced quote", feature="", fact=much, parts=parts),)
