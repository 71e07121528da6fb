"""Numbers as label codes: the bits of a float64, of which those of `NO_LABEL` are no number."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.tasks.task import NO_LABEL, Floats, Whole

#: A number as people and programs write it.
_NUMBER = r"^-?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$"


def number_codes(words: pa.ChunkedArray) -> Whole:
    """Labels, as text, as codes.

    Args:
        words: Numbers as text, [n].

    Returns:
        Codes, int64 [n]; `NO_LABEL` for null, and for anything that is no finite number.

    >>> numbers(number_codes(pa.chunked_array([["1.5", " -2e3", "0", "dear", None]]))).tolist()
    [1.5, -2000.0, 0.0, nan, nan]
    """
    text = pc.utf8_trim_whitespace(words.cast(pa.string()))
    written = pc.if_else(pc.match_substring_regex(text, _NUMBER), text, pa.scalar(None, pa.string()))
    values = np.asarray(pc.fill_null(written.cast(pa.float64()), float("nan")), dtype=np.float64) + 0.0
    return np.where(np.isfinite(values), values.view(np.int64), NO_LABEL)


def numbers(codes: Whole) -> Floats:
    """The inverse of `number_codes`. Returns numbers, float64 [n]; NaN for `NO_LABEL`.

    Args:
        codes: Codes, [n].
    """
    return np.ascontiguousarray(codes).view(np.float64)


#: What may stand between the numbers, and around them.
_SEPARATORS = r"[\s,;|]+"
_BRACKETS = "[](){} \t\r\n"


def number_list_codes(words: pa.ChunkedArray, width: int) -> Whole:
    """Labels of several numbers, as text, as codes.

    Args:
        words: Text [n]: a JSON list, or numbers between commas, semicolons, bars or spaces.

    Returns:
        Codes, int64 [n, width]; `NO_LABEL` in the whole row for null, and unless it is so many finite numbers.

    >>> texts = pa.chunked_array([["[1.5, -2]", "3;4", "[1]", "[1, null]", None]])
    >>> numbers(number_list_codes(texts, 2)).tolist()
    [[1.5, -2.0], [3.0, 4.0], [nan, nan], [nan, nan], [nan, nan]]
    """
    parts = _parts(words)
    fitting = np.asarray(pc.equal(pc.list_value_length(parts), width), dtype=np.bool_)
    list_codes = np.full((len(words), width), NO_LABEL, dtype=np.int64)
    codes = number_codes(pa.chunked_array([pc.list_flatten(parts.filter(pa.array(fitting)))], pa.string()))
    codes = codes.reshape(-1, width)
    list_codes[fitting] = np.where((codes != NO_LABEL).all(axis=1)[:, None], codes, NO_LABEL)
    return list_codes


def list_lengths(words: pa.ChunkedArray) -> Whole:
    """How many numbers each text lists, [n], numbers or not. Returns int64 [n].

    >>> list_lengths(pa.chunked_array([["[1.5, -2, 3]", "4"]])).tolist()
    [3, 1]
    """
    return np.asarray(pc.list_value_length(_parts(words)), dtype=np.int64)


def list_items(words: pa.ChunkedArray) -> pa.Array:
    """All that the texts list, one after the other, as text."""
    return pc.list_flatten(_parts(words))


def _parts(words: pa.ChunkedArray) -> pa.ListArray:
    text = pc.utf8_trim(words.cast(pa.string()), _BRACKETS).combine_chunks()
    return pc.split_pattern_regex(pc.fill_null(text, ""), _SEPARATORS)


def number_lists(codes: Whole) -> Floats:
    """The inverse of `number_list_codes`, [n, width]; NaN for `NO_LABEL`."""
    return numbers(codes)


def number_list_texts(values: Floats) -> list[str | None]:
    """Numbers [n, width] as text that is read as the same numbers; null where one is not finite. Returns text, [n].

    >>> number_list_texts(np.array([[1.5, 2.0], [np.nan, 1.0]]))
    ['[1.5,2.0]', None]
    """
    are_whole = np.asarray(np.isfinite(values).all(axis=1), dtype=np.bool_)
    return [
        f"[{','.join(map(repr, row))}]" if whole else None
        for row, whole in zip(values.tolist(), are_whole.tolist(), strict=True)
    ]
