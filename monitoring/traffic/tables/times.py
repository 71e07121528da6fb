"""Cells of any type as times: microseconds since 1970, UTC. What is no time is marked, and never fatal."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.timestamps import as_datetime, as_microseconds, duration_microseconds
from monitoring.traffic.cells import as_strings, is_text
from monitoring.traffic.format.rows import FIRST_US, LAST_US
from monitoring.traffic.tables.table_format import as_iso, date_order, has_dates

_ISO = r"^\s*\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?\s*(Z|[+-]\d\d(:?\d\d)?)?)?\s*$"
_ZONED = r"(Z|[+-]\d\d(:?\d\d)?)\s*$"
_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}

#: UTC offsets change at quarters of an hour only, so one offset is looked up for each quarter.
QUARTER_US = 900_000_000


#: A date with the day or the month first, and a year of two or four digits.
_DAY_FIRST = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}")

#: What is wrong with a column of dates that may have the day or the month first.
ORDER_UNKNOWN = "dates whose day may be their month"


def _none_marked() -> NDArray[np.bool_]:
    return np.zeros(0, dtype=np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedTimes:
    """A column of n cells as times.

    Attributes:
        us: int64 [n], microseconds since 1970, UTC; 0 where the cell is no time.
        valid: bool [n], which cells are times.
        problem: what is wrong with the whole column, such as "absent" or "type changed to int64"; empty if nothing.
        without_zone: bool [n], which cells have no time zone; empty where none has that property.
        ambiguous: bool [n], local times in the hour that clocks repeat, read as its first passing; empty where none is.
    """

    us: NDArray[np.int64]
    valid: NDArray[np.bool_]
    naive: bool = False
    problem: str = ""
    without_zone: NDArray[np.bool_] = field(default_factory=_none_marked)
    ambiguous: NDArray[np.bool_] = field(default_factory=_none_marked)

    @classmethod
    def none(cls, rows: int, problem: str = "") -> ParsedTimes:
        """No cell of so many is a time."""
        return cls(us=np.zeros(rows, dtype=np.int64), valid=np.zeros(rows, dtype=np.bool_), problem=problem)


def parse_times(array: pa.Array, zone: str = "UTC", *, day_first: bool | None = None) -> ParsedTimes:
    """Timestamps of any unit, dates, and text in ISO 8601 or as 31/12/2025 17:30, as microseconds.

    >>> parse_times(pa.array(["1970-01-01T00:00:01Z", "soon"])).us.tolist()
    [1000000, 0]

    Args:
        day_first: whether 03/04/2025 is the third of April; None: as the other cells show it, and no time where
            they do not.
    """
    parsed = _as_utc(array, day_first=day_first)
    if zone == "UTC" or not parsed.without_zone.any():
        return parsed
    us, ambiguous = parsed.us.copy(), np.zeros(parsed.us.size, dtype=np.bool_)
    us[parsed.without_zone], ambiguous[parsed.without_zone] = local_to_utc(us[parsed.without_zone], zone)
    valid = parsed.valid & (us >= FIRST_US) & (us <= LAST_US)
    return replace(parsed, us=np.where(valid, us, 0), valid=valid, ambiguous=ambiguous)


def check_zone(name: str) -> None:
    """Check the value of --naive-timezone.

    >>> check_zone("Europe/Paris")
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(
            "Not a time zone.",
            got=name,
            expected='a name of the IANA time zone database, as "Europe/Paris"',
            fix="Check --naive-timezone.",
        ) from None


def local_to_utc(us: NDArray[np.int64], zone: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Local times of a zone as UTC.

    A local time that occurs twice, as clocks go back, counts as its first occurrence; one that clocks skip counts as
    if they had not gone forward yet. Cost: some microseconds for each different quarter of an hour, and a sort.

    >>> utc, ambiguous = local_to_utc(np.array([1_383_442_200_000_000]), "America/New_York")  # 2013-11-03 01:30
    >>> (int(utc[0] - 1_383_442_200_000_000) // 3_600_000_000, ambiguous.tolist())
    (4, [True])

    Returns:
        Microseconds since 1970, UTC, int64 [n], and which of the local times are ambiguous, bool [n].
    """
    quarters, places = np.unique(us // QUARTER_US, return_inverse=True)
    where = ZoneInfo(zone)
    offsets = np.zeros((quarters.size, 2), dtype=np.int64)
    for place, quarter in enumerate(quarters.tolist()):
        local = as_datetime(quarter * QUARTER_US).replace(tzinfo=where)
        for fold in (0, 1):
            offsets[place, fold] = duration_microseconds(local.replace(fold=fold).utcoffset() or timedelta())
    return us - offsets[places, 0], (offsets[:, 0] > offsets[:, 1])[places]


def _as_utc(array: pa.Array, *, day_first: bool | None) -> ParsedTimes:
    """The same, with times of no zone taken as UTC."""
    kind = array.type
    if pa.types.is_timestamp(kind):
        return _timestamps(array)
    if pa.types.is_date(kind):
        return _timestamps(array.cast(pa.date32()).cast(pa.timestamp("s")))
    if pa.types.is_null(kind):
        return ParsedTimes.none(len(array))
    if is_text(kind):
        return _texts(as_strings(array), day_first=day_first)
    return ParsedTimes.none(len(array), f"type changed to {kind}")


def _timestamps(array: pa.Array) -> ParsedTimes:
    kind = array.type
    if kind.unit == "us" and not array.null_count:
        us = np.asarray(array.cast(pa.int64()), dtype=np.int64)
        if us.size and us.min() >= FIRST_US and us.max() <= LAST_US:
            valid = np.ones(us.size, dtype=np.bool_)
            return ParsedTimes(
                us=us, valid=valid, naive=kind.tz is None, without_zone=valid if kind.tz is None else _none_marked()
            )
    valid = np.asarray(array.is_valid(), dtype=np.bool_)
    raw = np.asarray(pc.fill_null(array.cast(pa.int64()), 0), dtype=np.int64)
    if kind.unit == "ns":
        us = raw // 1_000
    else:
        factor = _UNITS[kind.unit]
        valid &= (raw >= FIRST_US // factor) & (raw <= LAST_US // factor)
        us = np.where(valid, raw, 0) * factor
    valid &= (us >= FIRST_US) & (us <= LAST_US)
    without_zone = valid if kind.tz is None else _none_marked()
    return ParsedTimes(us=np.where(valid, us, 0), valid=valid, naive=kind.tz is None, without_zone=without_zone)


def _texts(cells: pa.Array, *, day_first: bool | None) -> ParsedTimes:
    """Text as times: each distinct one is parsed once."""
    coded = cells.dictionary_encode()
    texts, problem = coded.dictionary, "no times, but text"
    if has_dates(texts):
        order = date_order(texts) if day_first is None else day_first
        texts, problem = (texts, ORDER_UNKNOWN) if order is None else (as_iso(texts, day_first=order), problem)
    fits = np.asarray(pc.match_substring_regex(texts, _ISO), dtype=np.bool_)
    zoned = np.asarray(pc.match_substring_regex(texts, rf"[T ].*{_ZONED}"), dtype=np.bool_)
    us, valid = _parse_texts(texts, fits, zoned)
    places = np.asarray(pc.fill_null(coded.indices, -1), dtype=np.int64)
    present = places >= 0
    if not len(texts):
        return ParsedTimes.none(len(cells))
    return ParsedTimes(
        us=np.where(present, us[places], 0),
        valid=present & valid[places],
        without_zone=present & (valid & ~zoned)[places],
        naive=bool((valid & ~zoned).any()),
        problem="" if valid.any() else problem,
    )


def _parse_texts(
    texts: pa.Array, fits: NDArray[np.bool_], zoned: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Texts as microseconds, and which of them are times: all at once where they are alike, else one by one."""
    if len(texts) and fits.all() and (zoned.all() or not zoned.any()):
        try:
            as_us = texts.cast(pa.timestamp("us", tz="UTC" if zoned.all() else None)).cast(pa.int64())
        except pa.ArrowInvalid:
            pass  # a day that no calendar has, say: found one by one
        else:
            us = np.asarray(as_us, dtype=np.int64)
            return us, (us >= FIRST_US) & (us <= LAST_US)
    us, valid = np.zeros(len(texts), dtype=np.int64), np.zeros(len(texts), dtype=np.bool_)
    for place in np.flatnonzero(fits):
        try:
            moment = datetime.fromisoformat(texts[int(place)].as_py().strip().replace(",", "."))
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            us[place] = as_microseconds(aware)
            valid[place] = FIRST_US <= us[place] <= LAST_US
        except (ValueError, OverflowError):
            continue
    return us, valid


def conversion_of(cell: object) -> str:
    """How to make times of cells like one that is none, by pandas.

    >>> conversion_of("31/12/2025")
    'pandas.to_datetime(..., dayfirst=True, utc=True)'
    >>> print(conversion_of("Dec 31 2025"))
    pandas.to_datetime(..., format="mixed", utc=True)
    """
    if isinstance(cell, str) and _DAY_FIRST.match(cell.strip()):
        return "pandas.to_datetime(..., dayfirst=True, utc=True)"
    if isinstance(cell, int | float) or (isinstance(cell, str) and cell.strip().isdecimal()):
        return "pandas.to_datetime(..., unit='s', utc=True)"
    return 'pandas.to_datetime(..., format="mixed", utc=True)'
