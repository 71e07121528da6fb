"""A vocabulary without words: in which parts of the reference the hash of a word or a value occurred."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.traffic.id_keys import id_keys

#: Hashes that are told apart, a power of two. Words that share one count as one word.
BUCKETS = 1 << 16

#: Parts that the reference is cut into, at most: a bucket's state is one byte.
MOST_PARTS = 250

_NEVER, _SEVERAL = 0, 255


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HashedVocabulary:
    """Which hashes of words the reference has, and of which of its parts each is.

    A word is unknown to a part where no other part has it. So a word of the reference is judged as one of the live
    rows: by rows of other times. Words cannot be read from it; whether a given word may have occurred can be asked.

    Attributes:
        states: uint8 [hashes]: 0 for a hash that no part has, 1 + its number where one part has it, 255 for several.

    >>> rows = [["red", "car"], ["red", "van"]]
    >>> known = HashedVocabulary.fit([(pa.array(row), np.full(2, part)) for part, row in enumerate(rows)], parts=2)
    >>> known.unknown(pa.array(["red", "car", "bus"]), np.array([0, 0, 1])).tolist()
    [False, True, True]
    """

    states: NDArray[np.uint8]
    parts: int

    @classmethod
    def fit(
        cls, words: Iterable[tuple[pa.Array, NDArray[np.int64]]], *, parts: int, hashes: int = BUCKETS
    ) -> HashedVocabulary:
        """The vocabulary of a reference.

        Args:
            words: Words (text [n], none null), each with the part that it is of (int64 [n]); in any number of pieces.
            parts: How many parts there are, at most `MOST_PARTS`.

        Returns:
            The vocabulary. Cost: a hash for each different word of a piece, and a few operations for each word.
        """
        first = np.full(hashes, parts, dtype=np.int64)
        last = np.full(hashes, -1, dtype=np.int64)
        for some, of_part in words:
            buckets = _buckets(some, hashes)
            np.minimum.at(first, buckets, of_part)
            np.maximum.at(last, buckets, of_part)
        states = np.where(last < 0, _NEVER, np.where(first == last, last + 1, _SEVERAL))
        return cls(states=states.astype(np.uint8), parts=parts)

    def unknown(self, words: pa.Array, parts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which words no part has, apart from their own. `words`: text [n], none null."""
        states = self.states[_buckets(words, self.states.size)]
        unknown: NDArray[np.bool_] = (states == _NEVER) | (states == parts + 1)
        return unknown

    def parts_of(self, texts: pa.Array) -> NDArray[np.int64]:
        """A part for each live text or value, by its hash: it is judged by the others, as those of that part were."""
        return np.asarray(id_keys(texts).view(np.uint64) % np.uint64(self.parts), dtype=np.int64)

    def document(self) -> dict[str, Any]:
        """The vocabulary as JSON has it."""
        return {"parts": self.parts, "states": base64.b64encode(zlib.compress(self.states.tobytes(), 9)).decode()}

    @classmethod
    def of(cls, document: dict[str, Any]) -> HashedVocabulary:
        """The vocabulary of a document that `document` gave. Raises ValueError for one of another size."""
        states = np.frombuffer(zlib.decompress(base64.b64decode(document["states"])), dtype=np.uint8)
        if states.size != BUCKETS:
            raise ValueError(f"a vocabulary of {states.size} hashes")
        return cls(states=states, parts=document["parts"])


def _buckets(words: pa.Array, hashes: int) -> NDArray[np.int64]:
    """The hash of each word; each different word is hashed once."""
    coded = words.dictionary_encode()
    keys = id_keys(coded.dictionary) & (hashes - 1)
    return np.asarray(keys[np.asarray(coded.indices, dtype=np.int64)], dtype=np.int64)


def part_ends(event_us: NDArray[np.int64], every_us: int, *, fewest: int) -> Sequence[int]:
    """Times that cut a reference into parts: days, or where these are few, parts of equal numbers of rows.

    Args:
        event_us: When each row happened, in microseconds, [n].
    """
    days = np.unique(event_us // every_us)
    if days.size >= fewest:
        first_days = days[
            np.unique(np.linspace(0, days.size, min(days.size, MOST_PARTS), endpoint=False).astype(np.int64))
        ]
        return tuple(int(day * every_us) for day in first_days[1:])
    ordered = np.sort(event_us)
    places = np.linspace(0, ordered.size, fewest, endpoint=False).astype(np.int64)
    return tuple(int(us) for us in np.unique(ordered[places])[1:]) if ordered.size else ()
