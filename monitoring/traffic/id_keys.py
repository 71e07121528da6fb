"""Ids as numbers of 64 bits, which take less room than words."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_MIXERS = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
_LAST = np.uint64(31)
_BYTES = 8

#: By how many bytes of a word of eight belong to an id: those bytes.
_MASKS = np.array([(1 << (8 * count)) - 1 for count in range(_BYTES + 1)], dtype=np.uint64)


def keys(ids: pa.Array) -> NDArray[np.int64]:
    r"""A number for each id, int64 [n]: of equal ids the same, of any two others the same once in 2^64 pairs.

    Eight bytes at a time, each mixed as in SplitMix64 (Steele, Lea & Flood, 2014); there is no secret in it. Cost: some
    100 ns for an id of 32 bytes.

    >>> len(set(keys(pa.array(["a", "b", "ab", "ba", "", "a\0"])).tolist()))
    6
    """
    raw = ids.cast(pa.large_binary())
    _, offsets, data = raw.buffers()
    ends = np.zeros(1, dtype=np.int64)
    if len(raw):
        ends = np.frombuffer(offsets, dtype=np.int64)[raw.offset : raw.offset + len(raw) + 1]
    text = np.zeros(int(ends[-1] - ends[0]) + _BYTES, dtype=np.uint8)
    if text.size > _BYTES:
        text[:-_BYTES] = np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[-1]]
    eight: NDArray[np.uint64] = np.ndarray((text.size - _BYTES + 1,), dtype="<u8", buffer=text.data, strides=(1,))
    starts, lengths = ends[:-1] - ends[0], np.diff(ends)
    found = lengths.astype(np.uint64) * _FACTOR
    inside = np.arange(lengths.size)
    for done in range(0, int(lengths.max(initial=0)), _BYTES):
        left = lengths[inside] - done
        if int(left.min()) <= 0:  # the longest word alone is gone through to its end
            inside, left = inside[left > 0], left[left > 0]
        some = eight[starts[inside] + done] & _MASKS[np.minimum(left, _BYTES)]
        found[inside] = _mixed(found[inside] ^ some) + _FACTOR
    return _mixed(found).view(np.int64)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    for shift, factor in _MIXERS:
        values = (values ^ (values >> shift)) * factor
    mixed: NDArray[np.uint64] = values ^ (values >> _LAST)
    return mixed


class Wanted:
    """Ids that somebody looks for."""

    def __init__(self, ids: pa.Array) -> None:
        self._ids = ids

    def among(self, ids: pa.Array) -> NDArray[np.bool_]:
        """Which of some ids are looked for, [n]; once in 2^64 pairs one that is not.

        >>> Wanted(pa.array(["a", "b"])).among(pa.array(["x", "b"])).tolist()
        [False, True]
        """
        return member(keys(ids), self._sorted)

    @cached_property
    def _sorted(self) -> NDArray[np.int64]:
        return np.unique(keys(self._ids))


def member(values: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which values are among the known ones, which are sorted.

    >>> member(np.array([3, 4]), np.array([1, 3])).tolist()
    [True, False]
    """
    if not known.size:
        return np.zeros(values.size, dtype=np.bool_)
    found: NDArray[np.bool_] = known[np.minimum(np.searchsorted(known, values), known.size - 1)] == values
    return found
