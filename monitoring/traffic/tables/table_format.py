"""How a table's files are written where the files themselves do not say it: separators, decimal commas, dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from monitoring.config.table_section import Separator, TableFormat
from monitoring.traffic.cells import as_strings, names_no_number

SEPARATORS: tuple[Separator, ...] = (",", ";", "\t", "|")
SEPARATOR_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars (|)"}

#: A number whose decimals follow a comma; dots, if any, are between thousands.
_COMMA_NUMBER = r"^\s*[+-]?([1-9]\d{0,2}(\.\d{3})+|\d+)(,\d+)?([eE][+-]?\d+)?\s*$"

#: A date with the day or the month first, and a time of day if there is one.
_DATE = (
    r"^\s*(?P<first>\d{1,2})(?P<mark>[/.-])(?P<second>\d{1,2})[/.-](?P<year>\d{4})"
    r"(?:[T ,]\s*(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<seconds>\d\d(?:[.,]\d{1,9})?))?)?\s*$"
)


AS_FILES_SHOW = TableFormat()


#: The column of a batch's place in time, which no table of a user has.
BATCH_TIME = "pitfalls_batch_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchKey:
    """What a batch is: a file, or the rows of one value of a column."""

    column: str | None = None


def guess_separator(lines: Sequence[str], default: Separator, *, is_known: bool = False) -> Separator:
    """The separator of a CSV file by its first lines.

    >>> guess_separator(["id;amount, eur;y", "1;2,5;0"], ",")
    ';'
    >>> guess_separator(["id,note", "1,a;b;c"], ",")
    ','

    Args:
        is_known: Whether its owner says it: another separator is only for a header without that one.

    Returns:
        The separator that is in the header most often, if the next line has as many; else `default`.
    """
    counts = {mark: _unquoted(lines[0]).count(mark) for mark in SEPARATORS} if lines else {}
    best = max(SEPARATORS, key=lambda mark: (counts.get(mark, 0), mark == default))
    if not counts or counts[best] <= counts[default] or (is_known and counts[default]):
        return default
    if len(lines) > 1 and _unquoted(lines[1]).count(best) != counts[best]:
        return default
    return best


def with_points(table: pa.Table, *, numbers_only: bool) -> tuple[pa.Table, tuple[str, ...]]:
    """Columns of numbers with decimal commas, with decimal points; thousands lose their dots.

    A column without a comma stays as it is: 1.234 may be a fraction.

    >>> found, changed = with_points(pa.table({"p": [b"0,5", b"1.234,5"], "word": [b"a,b", b"c"]}), numbers_only=True)
    >>> found["p"].to_pylist(), changed
    ([b'0.5', b'1234.5'], ('p',))
    """
    changed = []
    for place, name in enumerate(table.column_names):
        column = table.column(place)
        fits = pc.match_substring_regex(column, _COMMA_NUMBER)
        commas = pc.and_(fits, pc.match_substring(column, ","))
        if not pc.any(commas).as_py() or (numbers_only and not pc.all(pc.or_(fits, _no_numbers(column))).as_py()):
            continue
        plain = pc.replace_substring(pc.replace_substring(column, ".", ""), ",", ".")
        table = table.set_column(place, name, pc.if_else(pc.coalesce(fits, pa.scalar(value=False)), plain, column))
        changed.append(name)
    return table, tuple(changed)


def _no_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return names_no_number(pa.chunked_array([as_strings(chunk) for chunk in column.chunks], pa.string()))


def date_order(texts: pa.Array) -> bool | None:
    """Whether dates have the day first, by those whose day or month can be told from the other.

    Dates with points, as 1.2.2025, have the day first.

    >>> date_order(pa.array(["01/02/2025", "31/12/2025"])), date_order(pa.array(["01/02/2025"]))
    (True, None)

    Returns:
        None where the dates do not show it, or contradict each other.
    """
    parts = pc.extract_regex(texts, _DATE).drop_null()
    if not len(parts):
        return None
    first, second = (pc.struct_field(parts, name).cast(pa.int64()) for name in ("first", "second"))
    day_first, month_first = (pc.any(pc.greater(part, 12)).as_py() for part in (first, second))
    if day_first == month_first:
        points = pc.all(pc.equal(pc.struct_field(parts, "mark"), ".")).as_py()
        return True if points and not day_first else None
    return bool(day_first)


def has_dates(texts: pa.Array) -> bool:
    """Whether some cell is a date with the day or the month first."""
    return bool(pc.any(pc.match_substring_regex(texts, _DATE)).as_py())


def as_iso(texts: pa.Array, *, day_first: bool) -> pa.Array:
    """Dates with the day or the month first as ISO 8601; other texts as they are.

    >>> as_iso(pa.array(["31.12.2025 7:05", "2025-01-01"]), day_first=True).to_pylist()
    ['2025-12-31T07:05:00', '2025-01-01']
    """
    parts = pc.extract_regex(texts, _DATE)
    cells = {name: pc.struct_field(parts, name) for name in ("first", "second", "year", "hour", "minute", "seconds")}
    day, month = ("first", "second") if day_first else ("second", "first")
    two = {name: pc.utf8_lpad(cells[name], 2, "0") for name in (day, month, "hour")}
    date = pc.binary_join_element_wise(cells["year"], two[month], two[day], "-")
    seconds = pc.if_else(pc.equal(cells["seconds"], ""), "00", cells["seconds"])
    time = pc.binary_join_element_wise(two["hour"], cells["minute"], seconds, ":")
    moment = pc.if_else(pc.equal(cells["minute"], ""), date, pc.binary_join_element_wise(date, time, "T"))
    return pc.coalesce(moment, texts)


def _unquoted(line: str) -> str:
    """A line without what stands between quotes."""
    return "".join(line.split('"')[::2])
