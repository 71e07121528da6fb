"""Ids as 64-bit keys, which take less room than text."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_MIXERS = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
_LAST_SHIFT = np.uint64(31)
_BYTES = 8

#: By how many bytes of a word of eight belong to an id: a mask of those bytes.
_MASKS = np.array([(1 << (8 * count)) - 1 for count in range(_BYTES + 1)], dtype=np.uint64)

#: Ids that are hashed at once: what is in between fits a processor's cache.
AT_ONCE = 1 << 14


def id_keys(ids: pa.Array) -> NDArray[np.int64]:
    r"""A 64-bit hash of each id: equal ids have equal keys, and two others have equal keys once in 2^64 pairs.

    Eight bytes at a time are mixed as in SplitMix64 (Steele, Lea & Flood, 2014). The hash is not cryptographic. Cost:
    some 100 ns for an id of 32 bytes.

    >>> len(set(id_keys(pa.array(["a", "b", "ab", "ba", "", "a\0"])).tolist()))
    6
    """
    if len(ids) > AT_ONCE:
        return np.concatenate([id_keys(ids[first : first + AT_ONCE]) for first in range(0, len(ids), AT_ONCE)])
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
    keys = lengths.astype(np.uint64) * _FACTOR
    longer = np.arange(lengths.size)  # the ids that have bytes left
    for done in range(0, int(lengths.max(initial=0)), _BYTES):
        left = lengths[longer] - done
        if int(left.min()) <= 0:
            longer, left = longer[left > 0], left[left > 0]
        word = eight[starts[longer] + done] & _MASKS[np.minimum(left, _BYTES)]
        keys[longer] = mixed(keys[longer] ^ word) + _FACTOR
    return mixed(keys).view(np.int64)


def mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A hash of each integer: the finaliser of SplitMix64 (Steele, Lea & Flood, 2014), uint64 [n].

    >>> mixed(np.array([0, 1], dtype=np.uint64)).tolist()
    [0, 6238072747940578789]
    """
    for shift, factor in _MIXERS:
        values = (values ^ (values >> shift)) * factor
    hashes: NDArray[np.uint64] = values ^ (values >> _LAST_SHIFT)
    return hashes


class IdSet:
    """A set of ids, held as 64-bit keys once it is asked for one."""

    def __init__(self, ids: pa.Array) -> None:
        """Makes the set."""
        self._ids = ids

    @classmethod
    def of_keys(cls, keys: NDArray[np.int64]) -> IdSet:
        """The set of the ids with some keys, which `keys` gave."""
        id_set = cls(pa.nulls(0, pa.string()))
        id_set.__dict__["keys"] = keys
        return id_set

    def __len__(self) -> int:
        return len(self._ids)

    def contains(self, ids: pa.Array) -> NDArray[np.bool_]:
        """Which of some ids are in the set, bool [n]; wrong once in 2^64 pairs.

        >>> IdSet(pa.array(["a", "b"])).contains(pa.array(["x", "b"])).tolist()
        [False, True]
        """
        return is_member(id_keys(ids), self.keys)

    @cached_property
    def keys(self) -> NDArray[np.int64]:
        """The keys of the ids, each once, sorted, int64."""
        return np.unique(id_keys(self._ids))


def is_member(values: NDArray[np.int64], members: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which values are among known ones.

    >>> is_member(np.array([3, 4]), np.array([1, 3])).tolist()
    [True, False]
    """
    if not members.size:
        return np.zeros(values.size, dtype=np.bool_)
    is_in: NDArray[np.bool_] = members[np.minimum(np.searchsorted(members, values), members.size - 1)] == values
    return is_in
