"""Cells as numbers, moments and words, whatever their type. What cannot be read is missing, and counted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import FIRST_US, LAST_US
from monitoring.traffic.tables.zones import from_wall

_NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*$"
_NO_NUMBER = ("nan", "na", "n/a", "null", "none", "")
_INFINITE = {"inf": np.inf, "+inf": np.inf, "-inf": -np.inf, "infinity": np.inf, "-infinity": -np.inf}
_ISO = r"^\s*\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?\s*(Z|[+-]\d\d(:?\d\d)?)?)?\s*$"
_ZONED = r"(Z|[+-]\d\d(:?\d\d)?)\s*$"
_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}

#: Whole numbers that span no more than this are coded by their distance from the least.
_CLOSE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Times as int64 microseconds since 1970, UTC [n], which of them are times, and what was wrong with the column.

    `naive` says that some (`unzoned` [n], where not empty) had no zone, and were taken as of the zone that was said;
    `twice` [n] (where not empty) are those in an hour that came twice there, taken as of its first passing.
    """

    us: NDArray[np.int64]
    valid: NDArray[np.bool_]
    naive: bool = False
    problem: str = ""
    unzoned: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    twice: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))


def is_text(kind: pa.DataType) -> bool:
    """Whether a type holds text or bytes."""
    checks = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(check(kind) for check in checks) or bool(pa.types.is_string_view(kind))


def is_number(kind: pa.DataType) -> bool:
    """Whether a type holds numbers, or booleans, which count as 0 and 1."""
    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    return any(check(kind) for check in checks)


def plain(column: pa.ChunkedArray) -> pa.Array:
    """One array, dictionaries decoded."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(whole.type):
        whole = whole.dictionary_decode()
    return whole


def filled(array: pa.Array) -> pa.BooleanArray:
    """Which cells hold something, blanks not counted.

    >>> filled(pa.array(["soon", " ", None])).to_pylist()
    [True, False, False]
    """
    if not is_text(array.type):
        return array.is_valid()
    return pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(words(array)), ""), fill_value=False)


def readable(array: pa.Array) -> pa.Array:
    r"""Text, plain or as a dictionary, with U+FFFD for what is no UTF-8: a file may call any bytes text.

    >>> odd = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff!"]).buffers())
    >>> readable(odd).to_pylist() == ["\ufffd!"]
    True
    """
    if pa.types.is_dictionary(array.type):
        found = readable(array.dictionary)
        return array if found is array.dictionary else pa.DictionaryArray.from_arrays(array.indices, found)
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return _replaced(array.cast(pa.large_binary())).cast(array.type)
    return array


def _replaced(array: pa.Array) -> pa.Array:
    cells = [None if cell is None else cell.decode("utf-8", "replace") for cell in array.to_pylist()]
    return pa.array(cells, pa.large_string())


def words(array: pa.Array) -> pa.Array:
    """Text, whole numbers or booleans as strings; bytes that are no UTF-8 are replaced."""
    kind = array.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        try:
            return array.cast(pa.string())
        except pa.ArrowInvalid:
            return _replaced(array).cast(pa.string())
    if is_text(kind):
        return readable(array).cast(pa.string())
    if pa.types.is_floating(kind):
        values = np.asarray(pc.fill_null(array.cast(pa.float64()), np.nan))
        if np.all(np.isnan(values) | ((values == np.rint(values)) & (np.abs(values) < 2**53))):
            whole = pa.array(np.nan_to_num(values).astype(np.int64), mask=np.isnan(values))
            return whole.cast(pa.string())
    return array.cast(pa.string())


def class_words(array: pa.Array) -> pa.Array:
    """Class names as text: 1.0 is 1, True is true.

    >>> class_words(pa.array(["True", "1.0", " late"])).to_pylist()
    ['true', '1', 'late']
    """
    return coded_words(array).dictionary_decode()


def coded_words(array: pa.Array) -> pa.DictionaryArray:
    """`class_words` as a dictionary, some of whose words may be null or the same.

    >>> coded_words(pa.array([True, False, True])).dictionary.to_pylist()
    ['true', 'false']
    """
    array = array.cast(pa.float64()) if pa.types.is_float16(array.type) else array  # of which Arrow makes no dictionary
    coded = array if pa.types.is_dictionary(array.type) else _coded(array)
    distinct = coded.dictionary
    if pa.types.is_floating(distinct.type):  # a label that is no number is none, whatever others there are
        distinct = pc.if_else(pc.is_nan(distinct), pa.scalar(None, distinct.type), distinct)
    return pa.DictionaryArray.from_arrays(coded.indices, _class_words(distinct))


def _coded(array: pa.Array) -> pa.DictionaryArray:
    """As a dictionary; of whole numbers close to each other, as class indices are, without a hash of each."""
    if pa.types.is_integer(array.type):
        ends = pc.min_max(array).as_py()
        if ends["min"] is not None and ends["max"] - ends["min"] < _CLOSE:
            words = pa.array(range(ends["min"], ends["max"] + 1), array.type)
            return pa.DictionaryArray.from_arrays(pc.subtract(array, words[0]).cast(pa.int32()), words)
    return array.dictionary_encode()


def _class_words(array: pa.Array) -> pa.Array:
    """Of different words."""
    text = pc.utf8_trim_whitespace(words(array))
    text = pc.replace_substring_regex(text, r"^(-?\d+)\.0+$", r"\1")
    text = pc.replace_substring_regex(text, "^True$", "true")
    text = pc.replace_substring_regex(text, "^False$", "false")
    return pc.if_else(pc.fill_null(pc.equal(text, ""), fill_value=True), pa.scalar(None, pa.string()), text)


def numbers(array: pa.Array, *, text: bool) -> tuple[pa.Array, int, str]:
    """Float64 with NaN for missing, how many cells held something that is no number, and what is wrong with all of it.

    Text is only read as numbers where every cell is text (`text`).

    >>> numbers(pa.array(["1.5", "NA", "x"]), text=True)[0].to_pylist()
    [1.5, nan, nan]
    >>> numbers(pa.array(["1.5"]), text=False)[2]
    'type changed to string'
    """
    kind = array.type
    if pa.types.is_null(kind):
        return pa.array(np.full(len(array), np.nan)), 0, ""
    if is_number(kind):
        whole = array.cast(pa.int8()) if pa.types.is_boolean(kind) else array
        values = whole.cast(pa.float64(), safe=False)
        return (pc.fill_null(values, float("nan")) if values.null_count else values), 0, ""
    if not (text and is_text(kind)):
        return pa.array(np.full(len(array), np.nan)), 0, f"type changed to {kind}"
    cells = words(array)
    fits = np.asarray(pc.fill_null(pc.match_substring_regex(cells, _NUMBER), fill_value=False), dtype=np.bool_)
    values = np.full(len(array), np.nan)
    values[fits] = np.asarray(pc.utf8_trim_whitespace(cells.filter(pa.array(fits))).cast(pa.float64()))
    rest = np.flatnonzero(~fits & np.asarray(cells.is_valid(), dtype=np.bool_))
    bad = 0
    for place, cell in zip(rest, cells.take(pa.array(rest)).to_pylist(), strict=True):
        word = cell.strip().lower()
        values[place] = _INFINITE.get(word, np.nan)
        bad += word not in _INFINITE and word not in _NO_NUMBER
    problem = "type changed to text" if bad and not np.isfinite(values).any() else ""
    return pa.array(values), bad, problem


def moments(array: pa.Array, zone: str = "UTC") -> Moments:
    """Timestamps of any unit, dates, and text in ISO 8601, as microseconds; what has no zone is of `zone`."""
    found = _utc(array)
    if zone == "UTC" or not found.unzoned.any():
        return found
    us, twice = found.us.copy(), np.zeros(found.us.size, dtype=np.bool_)
    us[found.unzoned], twice[found.unzoned] = from_wall(us[found.unzoned], zone)
    valid = found.valid & (us >= FIRST_US) & (us <= LAST_US)
    return replace(found, us=np.where(valid, us, 0), valid=valid, twice=twice)


def _utc(array: pa.Array) -> Moments:
    kind = array.type
    if pa.types.is_timestamp(kind):
        if kind.unit == "us" and not array.null_count:
            us = np.asarray(array.cast(pa.int64()), dtype=np.int64)
            if us.size and us.min() >= FIRST_US and us.max() <= LAST_US:
                valid = np.ones(us.size, dtype=np.bool_)
                unzoned = valid if kind.tz is None else np.zeros(0, dtype=np.bool_)
                return Moments(us=us, valid=valid, naive=kind.tz is None, unzoned=unzoned)
        valid = np.asarray(array.is_valid(), dtype=np.bool_)
        raw = np.asarray(pc.fill_null(array.cast(pa.int64()), 0), dtype=np.int64)
        if kind.unit == "ns":
            us = raw // 1_000
        else:
            factor = _UNITS[kind.unit]
            valid &= (raw >= FIRST_US // factor) & (raw <= LAST_US // factor)
            us = np.where(valid, raw, 0) * factor
        valid &= (us >= FIRST_US) & (us <= LAST_US)
        unzoned = valid if kind.tz is None else np.zeros(0, dtype=np.bool_)
        return Moments(us=np.where(valid, us, 0), valid=valid, naive=kind.tz is None, unzoned=unzoned)
    if pa.types.is_date(kind):
        return _utc(array.cast(pa.date32()).cast(pa.timestamp("s")))
    if pa.types.is_null(kind):
        return _no_moments(len(array), "")
    if is_text(kind):
        return _iso(words(array))
    return _no_moments(len(array), f"type changed to {kind}")


def _no_moments(rows: int, problem: str) -> Moments:
    return Moments(us=np.zeros(rows, dtype=np.int64), valid=np.zeros(rows, dtype=np.bool_), problem=problem)


def _iso(cells: pa.Array) -> Moments:
    """Text as moments: each distinct one is read once."""
    coded = cells.dictionary_encode()
    texts = coded.dictionary
    fits = np.asarray(pc.match_substring_regex(texts, _ISO), dtype=np.bool_)
    zoned = np.asarray(pc.match_substring_regex(texts, rf"[T ].*{_ZONED}"), dtype=np.bool_)
    us, valid = _parsed(texts, fits, zoned)
    places = np.asarray(pc.fill_null(coded.indices, -1), dtype=np.int64)
    there = places >= 0
    if not len(texts):
        return _no_moments(len(cells), "")
    return Moments(
        us=np.where(there, us[places], 0),
        valid=there & valid[places],
        unzoned=there & (valid & ~zoned)[places],
        naive=bool((valid & ~zoned).any()),
        problem="" if valid.any() else "no times, but text",
    )


def _parsed(
    texts: pa.Array, fits: NDArray[np.bool_], zoned: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Texts as microseconds, and which of them are moments: all at once where they are of one kind, else one by one."""
    if len(texts) and fits.all() and (zoned.all() or not zoned.any()):
        try:
            found = texts.cast(pa.timestamp("us", tz="UTC" if zoned.all() else None)).cast(pa.int64())
        except pa.ArrowInvalid:
            pass  # a day that no calendar has, say: found one by one
        else:
            us = np.asarray(found, dtype=np.int64)
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
