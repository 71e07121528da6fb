"""Cells as numbers, text and class names, whatever their type. What cannot be read is missing, and counted."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*$"
_MISSING = ("nan", "na", "n/a", "null", "none", "")
_INFINITE = {"inf": np.inf, "+inf": np.inf, "-inf": -np.inf, "infinity": np.inf, "-infinity": -np.inf}

#: Whole numbers that span no more than this are encoded by their distance from the least.
_SMALL_RANGE = 64


#: Every whole number up to it is a double.
_WHOLE = 2**53

#: Digits of a decimal of 128 bits, and the largest power of ten that is a double.
_DECIMAL_128, _EXACT_POWER = 38, 22

Cells = TypeVar("Cells", pa.Array, pa.ChunkedArray)

#: More bytes of text do not fit into an array whose offsets have 32 bits.
_MOST_BYTES = (1 << 31) - 1


def is_text(kind: pa.DataType) -> bool:
    """Whether a type holds text or bytes."""
    checks = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(check(kind) for check in checks) or bool(pa.types.is_string_view(kind))


def is_number(kind: pa.DataType) -> bool:
    """Whether a type holds numbers, or booleans, which count as 0 and 1."""
    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    return any(check(kind) for check in checks)


def is_list(kind: pa.DataType) -> bool:
    """Whether a type holds lists."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def decoded(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """One array, dictionaries decoded; text and bytes of any size in all."""
    if isinstance(column, pa.ChunkedArray) and is_text(column.type) and column.nbytes > _MOST_BYTES:
        column = column.cast(pa.large_binary() if "binary" in str(column.type) else pa.large_string())
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(whole.type):
        whole = whole.dictionary_decode()
    return whole


def value_type(kind: pa.DataType) -> pa.DataType:
    """The type of the cells: of a dictionary's values, or the type itself."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def nan_as_null(column: Cells) -> Cells:
    """Numbers with null for NaN; anything else as it is.

    >>> nan_as_null(pa.array([1.5, float("nan"), None])).to_pylist()
    [1.5, None, None]
    """
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)


def non_blank(array: pa.Array) -> pa.BooleanArray:
    """Which cells hold something other than white space.

    >>> non_blank(pa.array(["soon", " ", None])).to_pylist()
    [True, False, False]
    """
    if not is_text(array.type):
        return array.is_valid()
    return pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(as_strings(array)), ""), fill_value=False)


def without_blanks(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Text or bytes with null for what is empty; anything else as it is.

    >>> without_blanks(pa.chunked_array([["soon", "", " ", None]])).to_pylist()
    ['soon', None, ' ', None]
    """
    if not is_text(column.type) or pc.min(pc.binary_length(column)).as_py() != 0:
        return column
    return pc.if_else(pc.equal(pc.binary_length(column), 0), pa.scalar(None, column.type), column)


def valid_utf8(array: pa.Array) -> pa.Array:
    r"""Text, plain or as a dictionary, with U+FFFD for what is not UTF-8: a file may call any bytes text.

    >>> odd = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff!"]).buffers())
    >>> valid_utf8(odd).to_pylist() == ["\ufffd!"]
    True
    """
    if pa.types.is_dictionary(array.type):
        dictionary = valid_utf8(array.dictionary)
        return array if dictionary is array.dictionary else pa.DictionaryArray.from_arrays(array.indices, dictionary)
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return _replaced(array.cast(pa.large_binary())).cast(array.type)
    return array


def _replaced(array: pa.Array) -> pa.Array:
    cells = [None if cell is None else cell.decode("utf-8", "replace") for cell in array.to_pylist()]
    return pa.array(cells, pa.large_string())


def as_strings(array: pa.Array) -> pa.Array:
    """Text, numbers or booleans as strings, each cell by itself; bytes that are not UTF-8 are replaced.

    Whole numbers have no decimals, and NaN is missing.

    >>> as_strings(pa.array([1.0, 1.5, None])).to_pylist(), as_strings(pa.array([Decimal("2.50")])).to_pylist()
    (['1', '1.5', None], ['2.5'])
    """
    kind = array.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        try:
            return array.cast(pa.string())
        except pa.ArrowInvalid:
            return _replaced(array).cast(pa.string())
    if is_text(kind):
        return valid_utf8(array).cast(pa.string())
    if pa.types.is_floating(kind):
        return _float_strings(array)
    if pa.types.is_decimal(kind) and kind.scale > 0:
        distinct = _distinct(array)
        texts = [None if value is None else _plain(value) for value in distinct.dictionary.to_pylist()]
        return pa.DictionaryArray.from_arrays(distinct.indices, pa.array(texts, pa.string())).dictionary_decode()
    return array.cast(pa.string())


def _float_strings(array: pa.Array) -> pa.Array:
    values = np.asarray(pc.fill_null(array.cast(pa.float64()), np.nan))
    whole = (values == np.rint(values)) & (np.abs(values) < _WHOLE)
    missing = np.isnan(values)
    texts = pa.array(np.where(whole, values, 0.0).astype(np.int64), mask=missing).cast(pa.string())
    if (whole | missing).all():
        return texts
    shown = array.cast(pa.float32()) if pa.types.is_float16(array.type) else array
    return pc.if_else(pa.array(whole | missing), texts, shown.cast(pa.string()))


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if value else "0"


#: Arrow's names of the types of numbers and booleans.
_NUMBER_TYPE = r"u?int\d+|halffloat|float|double|decimal\d+\(.*\)|bool"


def as_written(array: pa.Array, kind: str) -> pa.Array:
    """Text as cells of another type would be shown as, by `as_strings`: text files do not say their cells' types.

    >>> as_written(pa.array(["1.0", "007", "1.50", "NA", "a"]), "double").to_pylist()
    ['1', '7', '1.5', None, 'a']
    >>> as_written(pa.array(["True", "FALSE", "1"]), "bool").to_pylist()
    ['true', 'false', '1']

    Args:
        kind: Arrow's name of the type; text stays as it is unless it is one of numbers or booleans.
    """
    if not re.fullmatch(_NUMBER_TYPE, kind):
        return array
    distinct = array.dictionary_encode()
    shown = [_shown(text, kind) for text in distinct.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(distinct.indices, pa.array(shown, pa.string())).dictionary_decode()


def _shown(text: str, kind: str) -> str | None:
    word = text.strip().lower()
    if word in _MISSING:
        return None
    if kind == "bool":
        return word if word in ("true", "false") else text
    if not re.fullmatch(_NUMBER, word):
        return text
    if not word.lstrip("+-").isdecimal():
        return str(as_strings(pa.array([float(word)]))[0])
    digits = word.lstrip("+-").lstrip("0") or "0"
    return f"-{digits}" if word[0] == "-" and digits != "0" else digits


def as_doubles(array: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Numbers or booleans as float64, each the nearest to what is written; null for null.

    Arrow's own cast of a decimal is not: of some in seven with two places it gives the double beside.

    >>> as_doubles(pa.array([Decimal("0.35"), None])).to_pylist(), as_doubles(pa.array([True])).to_pylist()
    ([0.35, None], [1.0])
    """
    if isinstance(array, pa.ChunkedArray):
        return pa.chunked_array([as_doubles(chunk) for chunk in array.chunks], pa.float64())
    kind = array.type
    if pa.types.is_boolean(kind):
        return array.cast(pa.int8()).cast(pa.float64())
    if not pa.types.is_decimal(kind):
        return array.cast(pa.float64(), safe=False)
    if kind.precision > _DECIMAL_128 or not 0 <= kind.scale <= _EXACT_POWER:
        return _by_text(array)
    whole = array.cast(pa.decimal128(kind.precision, kind.scale))
    halves = np.frombuffer(whole.buffers()[1], dtype=np.int64).reshape(-1, 2)[whole.offset : whole.offset + len(whole)]
    low, high = halves[:, 0], halves[:, 1]
    missing = np.asarray(whole.is_null(), dtype=np.bool_)
    exact = missing | ((high == low >> 63) & (np.abs(low) <= _WHOLE) & (low != np.iinfo(np.int64).min))
    if not exact.all():
        return _by_text(array)
    return pa.array(np.where(missing, 0, low) / 10.0**kind.scale, mask=missing)


def _by_text(decimals: pa.Array) -> pa.Array:
    return decimals.cast(pa.string()).cast(pa.float64())


def class_names(array: pa.Array) -> pa.Array:
    """Class names as text: 1.0 is 1, True is true; blanks are null.

    >>> class_names(pa.array(["True", "1.0", " late"])).to_pylist()
    ['true', '1', 'late']
    """
    return coded_class_names(array).dictionary_decode()


def coded_class_names(array: pa.Array) -> pa.DictionaryArray:
    """`class_names` as a dictionary, some of whose values may be null or equal.

    >>> coded_class_names(pa.array([True, False, True])).dictionary.to_pylist()
    ['true', 'false']

    Returns:
        A dictionary array [n] of strings.
    """
    coded = array if pa.types.is_dictionary(array.type) else _coded(array)
    distinct = nan_as_null(coded.dictionary)  # NaN is no label, whatever others there are
    return pa.DictionaryArray.from_arrays(coded.indices, _class_names(distinct))


def _coded(array: pa.Array) -> pa.DictionaryArray:
    """As a dictionary; whole numbers close to each other, as class indices are, without hashing each."""
    if pa.types.is_integer(array.type):
        ends = pc.min_max(array).as_py()
        if ends["min"] is not None and ends["max"] - ends["min"] < _SMALL_RANGE:
            values = pa.array(range(ends["min"], ends["max"] + 1), array.type)
            return pa.DictionaryArray.from_arrays(pc.subtract(array, values[0]).cast(pa.int32()), values)
    return _distinct(array)


def _distinct(array: pa.Array) -> pa.DictionaryArray:
    """As a dictionary, those of short numbers too, of which Arrow makes none."""
    kind = array.type
    if pa.types.is_float16(kind):
        array = array.cast(pa.float64())
    elif pa.types.is_decimal(kind) and kind.bit_width < pa.decimal128(1).bit_width:
        array = array.cast(pa.decimal128(kind.precision, kind.scale))
    return array.dictionary_encode()


def _class_names(array: pa.Array) -> pa.Array:
    """Of distinct values."""
    text = pc.utf8_trim_whitespace(as_strings(array))
    text = pc.replace_substring_regex(text, r"^(-?\d+)\.0+$", r"\1")
    text = pc.replace_substring_regex(text, "^True$", "true")
    text = pc.replace_substring_regex(text, "^False$", "false")
    return pc.if_else(pc.fill_null(pc.equal(text, ""), fill_value=True), pa.scalar(None, pa.string()), text)


def parse_numbers(array: pa.Array, *, text: bool) -> tuple[pa.Array, int, str]:
    """A column as numbers.

    >>> parse_numbers(pa.array(["1.5", "NA", "x"]), text=True)[0].to_pylist()
    [1.5, nan, nan]
    >>> parse_numbers(pa.array(["1.5"]), text=False)[2]
    'type changed to string'

    Returns:
        The numbers, float64 with NaN for missing; how many cells held something that is no number; and what is wrong
        with the whole column, empty if nothing.
    """
    kind = array.type
    if pa.types.is_null(kind):
        return pa.array(np.full(len(array), np.nan)), 0, ""
    if is_number(kind):
        values = as_doubles(array)
        return (pc.fill_null(values, float("nan")) if values.null_count else values), 0, ""
    if not (text and is_text(kind)):
        return pa.array(np.full(len(array), np.nan)), 0, f"type changed to {kind}"
    cells = as_strings(array)
    fits = np.asarray(pc.fill_null(pc.match_substring_regex(cells, _NUMBER), fill_value=False), dtype=np.bool_)
    values = np.full(len(array), np.nan)
    values[fits] = np.asarray(pc.utf8_trim_whitespace(cells.filter(pa.array(fits))).cast(pa.float64()))
    rest = np.flatnonzero(~fits & np.asarray(cells.is_valid(), dtype=np.bool_))
    bad = 0
    for place, cell in zip(rest, cells.take(pa.array(rest)).to_pylist(), strict=True):
        word = cell.strip().lower()
        values[place] = _INFINITE.get(word, np.nan)
        bad += word not in _INFINITE and word not in _MISSING
    problem = "type changed to text" if bad and not np.isfinite(values).any() else ""
    return pa.array(values), bad, problem


def names_no_number(array: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Which cells of text are a word for a missing number, or for an infinite one; null for null.

    >>> names_no_number(pa.array(["NA", "-Inf", "1.5", None])).to_pylist()
    [True, True, False, None]
    """
    words = pc.utf8_lower(pc.utf8_trim_whitespace(array))
    return pc.if_else(words.is_valid(), pc.is_in(words, pa.array([*_INFINITE, *_MISSING], words.type)), None)


def unreadable_numbers(array: pa.Array) -> NDArray[np.bool_]:
    """Which cells of text hold something that is no number, and no word for a missing one, bool [n].

    >>> unreadable_numbers(pa.array(["1.5", "NA", "x", None])).tolist()
    [False, False, True, False]
    """
    cells = as_strings(array)
    readable = pc.or_(pc.match_substring_regex(cells, _NUMBER), names_no_number(cells))
    return ~np.asarray(pc.fill_null(readable, fill_value=True), dtype=np.bool_)
