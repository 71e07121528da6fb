"""Ids as whole numbers that a float64 holds exactly, and lists of ids, as text, as such numbers."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.tasks.task import NO_LABEL, Whole

#: The code of no id, and what stands in a place without one: Keras's lookup layers answer these, and vector indices -1.
NO_ID = 0
FILLERS = frozenset({"-1", "[UNK]"})

#: Codes are below 2 to this power: whole numbers up to there are exact in a float64.
BITS = 53

#: What stands between ids; in brackets a comma does as well.
_SEPARATORS = r"\s*[|;]\s*"
_BRACKETED = r"^\s*[\[(].*[\])]\s*$"
_QUOTES = " \t\r\n'\""


def id_codes(ids: pa.Array) -> Whole:
    """A hash of each id: equal ids have equal codes, and of a million ids two share one once in 18,000 catalogues.

    >>> codes = id_codes(pa.array(["a", "b", "a", None, "-1"]))
    >>> bool(codes[0] == codes[2] != codes[1]), codes[3:].tolist()
    (True, [0, 0])

    Args:
        ids: Text [n].

    Returns:
        Codes, int64 [n], from 1 on; `NO_ID` for null and for `FILLERS`.
    """
    coded = ids.cast(pa.string()).dictionary_encode()
    dictionary_codes = [_code(word) for word in coded.dictionary.to_pylist()]
    places = np.asarray(pc.fill_null(coded.indices, len(dictionary_codes)), dtype=np.int64)
    return np.array([*dictionary_codes, NO_ID], dtype=np.int64)[places]


def _code(word: str) -> int:
    if word in FILLERS:
        return NO_ID
    digest = int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little") >> (64 - BITS)
    return digest or 1


def split_ids(words: pa.ChunkedArray | pa.Array) -> pa.ListArray:
    """The ids that texts list: one alone, several between bars or semicolons, or a list in brackets as JSON has it.

    >>> split_ids(pa.array(["a", "a|b; c", '["a", "b"]', "[1, 2.0]", "[]", None])).to_pylist()
    [['a'], ['a', 'b', 'c'], ['a', 'b'], ['1', '2'], [None], [None]]

    Returns:
        Lists of text [n], null where there is no id.
    """
    texts = words.combine_chunks() if isinstance(words, pa.ChunkedArray) else words
    texts = pc.fill_null(texts.cast(pa.string()), "")
    inside = pc.replace_substring(pc.utf8_trim(texts, "[]() \t\r\n"), ",", "|")
    parts = pc.split_pattern_regex(pc.if_else(pc.match_substring_regex(texts, _BRACKETED), inside, texts), _SEPARATORS)
    words = pc.replace_substring_regex(pc.utf8_trim(pc.list_flatten(parts), _QUOTES), r"^(-?\d+)\.0+$", r"\1")
    words = pc.if_else(pc.equal(words, ""), pa.scalar(None, pa.string()), words)
    return pa.ListArray.from_arrays(parts.offsets, words)


def id_set_codes(words: pa.ChunkedArray, most: int) -> Whole:
    """Labels that are ids, as text, as codes: in what order they stand, and how often, means nothing.

    >>> found = id_set_codes(pa.chunked_array([["a|b", "b;a;a", "[]", "a|b|c", None]]), 2)
    >>> found.shape, bool((found[0] == found[1]).all()), (found[2:] == NO_LABEL).all(axis=1).tolist()
    ((5, 2), True, [True, True, True])

    Returns:
        Codes, int64 [n, most], those of a label first and in falling order, then `NO_LABEL`; only `NO_LABEL` for null,
        for no id, and for more than `most`.
    """
    parts = split_ids(words)
    lengths = np.asarray(pc.list_value_length(parts), dtype=np.int64)
    codes = id_codes(pc.list_flatten(parts))
    rows = np.repeat(np.arange(len(lengths)), lengths)
    rows, codes = rows[codes != NO_ID], codes[codes != NO_ID]
    pairs = np.unique(np.stack([rows, -codes], axis=1), axis=0) if len(rows) else np.zeros((0, 2), dtype=np.int64)
    counts = np.bincount(pairs[:, 0], minlength=len(lengths))
    places = np.arange(len(pairs)) - np.repeat(np.cumsum(counts) - counts, counts)
    fits = counts[pairs[:, 0]] <= most
    id_sets = np.full((len(lengths), most), NO_LABEL, dtype=np.int64)
    id_sets[pairs[fits, 0], places[fits]] = -pairs[fits, 1]
    return id_sets
