"""A sketch of text values without a bin of their own: the commonest, and the number of distinct ones, with bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

#: Values kept with their counts.
KEPT = 1_000

#: Smallest hashes kept, for the number of distinct values: a standard error of about 3 %.
HASHES = 1_024

#: Values kept as examples whatever their counts: those with the smallest hashes.
EXAMPLES = 20

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_MIXERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """A stream of `rows` text values in bounded memory; merges in any order within the same bounds.

    `word_counts` are the commonest values, with counts that are never too high and too low by at most `error`, itself
    at most rows / (KEPT + 1); a value that is not there occurred at most `error` times. Up to KEPT distinct values all
    is exact.
    `hashes` are the smallest hashes of all values, sorted, and `examples` the values of the first of those, both the
    same in any order. Sources: Misra & Gries, *Finding repeated elements* (1982); Agarwal et al., *Mergeable summaries*
    (2012); Bar-Yossef et al., *Counting distinct elements in a data stream* (2002).
    """

    rows: int = 0
    word_counts: tuple[tuple[str, int], ...] = ()
    error: int = 0
    hashes: tuple[int, ...] = ()
    examples: tuple[str, ...] = ()

    @classmethod
    def of(cls, words: pa.Array, counts: NDArray[np.int64]) -> Sketch:
        """A sketch of distinct values (string [d]) and their counts (at least 1). Cost: some 100 ns a value."""
        if not len(words):
            return cls()
        cut = 0
        places = np.arange(len(words))
        if len(words) > KEPT:
            cut = int(np.partition(counts, len(words) - KEPT - 1)[len(words) - KEPT - 1])
            places = np.flatnonzero(counts > cut)
        hashes = hashed(words)
        lowest = np.argsort(hashes, kind="stable")[:HASHES]
        return cls(
            rows=int(counts.sum()),
            word_counts=_ordered(
                dict(zip(words.take(pa.array(places)).to_pylist(), counts[places] - cut, strict=True))
            ),
            error=cut,
            hashes=tuple(np.unique(hashes[lowest]).tolist()),
            examples=tuple(words.take(pa.array(lowest[:EXAMPLES])).to_pylist()),
        )

    def __add__(self, other: Sketch) -> Sketch:
        if not other.rows:
            return self
        if not self.rows:
            return other
        counts = dict(self.word_counts)
        for word, count in other.word_counts:
            counts[word] = counts.get(word, 0) + count
        cut = sorted(counts.values(), reverse=True)[KEPT] if len(counts) > KEPT else 0
        examples, hashes = self.examples, self.hashes
        if examples != other.examples:  # mostly the same within one traffic
            named = pa.array(sorted({*self.examples, *other.examples}), pa.string())
            first = np.argsort(hashed(named), kind="stable")[:EXAMPLES]
            examples = tuple(named.take(pa.array(first)).to_pylist())
        if hashes != other.hashes:
            hashes = tuple(sorted({*self.hashes, *other.hashes})[:HASHES])
        return Sketch(
            rows=self.rows + other.rows,
            word_counts=_ordered({word: count - cut for word, count in counts.items() if count > cut}),
            error=self.error + other.error + cut,
            hashes=hashes,
            examples=examples,
        )

    @property
    def distinct(self) -> int:
        """An estimate of the number of distinct values, exact below HASHES (apart from 64-bit hash collisions)."""
        if len(self.hashes) < HASHES:
            return len(self.hashes)
        return round((HASHES - 1) / (self.hashes[-1] / 2.0**64))


def hashed(words: pa.Array) -> NDArray[np.uint64]:
    """A 64-bit hash of each value's UTF-8: a mixed polynomial, without a secret, the same on every machine.

    >>> len(set(hashed(pa.array(["a", "b", "ab", "ba", ""])).tolist()))
    5
    """
    raw = words.cast(pa.large_binary())
    if isinstance(raw, pa.ChunkedArray):
        raw = raw.combine_chunks()
    _, offsets, data = raw.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[raw.offset : raw.offset + len(raw) + 1]
    lengths = np.diff(ends)
    hashes = np.zeros(len(raw), dtype=np.uint64)
    held = np.flatnonzero(lengths)
    if held.size:
        text = np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[-1]].astype(np.uint64) + np.uint64(1)
        places = np.arange(text.size) - np.repeat(ends[:-1] - ends[0], lengths)
        powers = np.cumprod(np.full(int(lengths.max()), _FACTOR, dtype=np.uint64))
        hashes[held] = np.add.reduceat(text * powers[places], ends[:-1][held] - ends[0])
    for mixer, shift in zip(_MIXERS, (30, 27), strict=True):
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * mixer
    mixed: NDArray[np.uint64] = hashes ^ (hashes >> np.uint64(31))
    return mixed


def _ordered(counts: dict[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(((word, int(count)) for word, count in counts.items()), key=lambda pair: (-pair[1], pair[0])))
