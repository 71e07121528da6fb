"""Ids as whole numbers that a float64 holds exactly, and lists of ids, as text, as such numbers."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

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


#: Codes that are told apart: ids whose codes are equal in their last bits count as one.
BUCKETS = 1 << 18

#: Parts of the baseline: a bucket has a bit for each.
PARTS = 8

#: The commonest ids that have this share of all answered ones are common.
COMMON_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredIds:
    """What is known of the ids of a baseline's answers.

    A row's own ids make none of them known or common to itself: rows are drawn into `PARTS` parts by their ids, and a
    row is judged by the rows of the other parts, in the baseline and live alike. So rows that are independent have
    scores of one distribution in both, however long the tail of rare ids.

    Attributes:
        present: uint8 [BUCKETS] as bytes: bit p is set where a row of part p has such an id.
        common: uint8 [BUCKETS] as bytes: bit p is set where such an id is common among the rows of the other parts.

    >>> codes = np.arange(1, 801).reshape(-1, 2)
    >>> known = AnsweredIds.fit(np.concatenate([codes, codes[:, ::-1] * [1, 0] + [[0, 7]] * len(codes)]))
    >>> known.new(np.array([[7, 900_001]])).tolist(), known.is_common(np.array([[7, 900_001]])).tolist()
    ([[False, True]], [[True, False]])
    """

    present: bytes
    common: bytes

    @classmethod
    def fit(cls, codes: Whole) -> AnsweredIds:
        """From the ids of a baseline's answers, [n, places], 0 for none. Cost: eight counts for each bucket."""
        parts = _parts(codes)
        counts = np.zeros((PARTS, BUCKETS), dtype=np.int64)
        for part in range(PARTS):
            inside = codes[parts == part].ravel()
            counts[part] = np.bincount(inside[inside > 0] % BUCKETS, minlength=BUCKETS)
        bits = (1 << np.arange(PARTS)).astype(np.uint8)
        present = ((counts > 0) * bits[:, None]).sum(axis=0, dtype=np.uint8)
        common = np.zeros(BUCKETS, dtype=np.uint8)
        for part in range(PARTS):
            others = counts.sum(axis=0) - counts[part]
            order = np.argsort(-others, kind="stable")
            enough = int(np.searchsorted(np.cumsum(others[order]), COMMON_SHARE * others.sum())) + 1
            common[order[:enough]] |= bits[part]
        return cls(present=present.tobytes(), common=common.tobytes())

    def new(self, codes: Whole) -> NDArray[np.bool_]:
        """Which ids, [n, places], no row of another part of the baseline has; false where there is none."""
        others = ~(np.uint8(1) << _parts(codes).astype(np.uint8))
        present_elsewhere = self._of(self.present, codes) & others[:, None]
        return np.asarray((codes > 0) & (present_elsewhere == 0), dtype=np.bool_)

    def is_common(self, codes: Whole) -> NDArray[np.bool_]:
        """Which ids, [n, places], are common among the rows of the other parts; false where there is none."""
        part_bit = np.uint8(1) << _parts(codes).astype(np.uint8)
        return np.asarray((codes > 0) & ((self._of(self.common, codes) & part_bit[:, None]) != 0), dtype=np.bool_)

    def document(self) -> dict[str, str]:
        """The ids as JSON has them, which `of` reads."""
        return {
            name: base64.b64encode(zlib.compress(states, 9)).decode()
            for name, states in (("present", self.present), ("common", self.common))
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> AnsweredIds:
        """The inverse of `document`. Raises ValueError for another number of buckets, LookupError without them."""
        present, common = (zlib.decompress(base64.b64decode(document[name])) for name in ("present", "common"))
        if len(present) != BUCKETS or len(common) != BUCKETS:
            raise ValueError(f"{len(present)} and {len(common)} buckets of ids")
        return cls(present=present, common=common)

    @staticmethod
    def _of(states: bytes, codes: Whole) -> NDArray[np.uint8]:
        bits: NDArray[np.uint8] = np.frombuffer(states, dtype=np.uint8)[codes % BUCKETS]
        return bits


def _parts(codes: Whole) -> Whole:
    """The part of each row, [n], by its ids, whatever their order."""
    mixed = codes.astype(np.uint64).sum(axis=1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    parts: Whole = (mixed >> np.uint64(61)).astype(np.int64)
    return parts
