"""Texts by their length, words, characters, script and language. No text is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.traffic.cells import as_strings, is_text
from monitoring.traffic.descriptors.descriptors import Descriptors
from monitoring.traffic.descriptors.language import languages_of
from monitoring.traffic.descriptors.vocabulary import HashedVocabulary, part_ends

#: Characters of a text that are looked at; its length is that of all.
LONGEST = 2_000

#: Texts that are split into words at once.
_ROWS = 1 << 14

#: Parts of a reference of fewer days than this.
FEWEST_PARTS = 20

_DAY_US = 86_400_000_000

#: Scripts that are told apart; any other is "other", and a text without letters is of "none".
_SCRIPTS = (
    "Latin", "Cyrillic", "Greek", "Arabic", "Hebrew", "Devanagari", "Bengali", "Tamil", "Thai", "Han", "Hiragana",
    "Katakana", "Hangul", "Georgian", "Armenian",
)  # fmt: skip

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextDescriptors(Descriptors):
    """The descriptors of a column of texts. A `Descriptors`.

    Without `language`, another language shows as words that the vocabulary does not have, and mostly as another script.
    Where words are not parted by spaces, a run of letters counts as one word.

    Attributes:
        ends: While the reference itself is read, the times at which its parts begin; empty for live rows.

    >>> texts = pa.array(["A red car!", "42", None])
    >>> fitted = TextDescriptors.fit("note", [(texts, np.arange(3))])
    >>> {name: column.to_pylist() for name, column in fitted.describe(texts, np.arange(3)).items()}["note.words"]
    [3.0, 1.0, nan]
    """

    source: str
    vocabulary: HashedVocabulary
    ends: Sequence[int] = ()
    language: bool = False

    kind = "text"

    @classmethod
    def fit(cls, source: str, pieces: Sequence[tuple[pa.Array, Whole]], *, language: bool = False) -> TextDescriptors:
        """Learn the vocabulary of a reference.

        Args:
            pieces: Its texts, [n], each with when its row happened, in microseconds, int64 [n].

        Returns:
            Descriptors that describe the reference's own rows; those that are read from their document describe others.
        """
        ends = part_ends(np.concatenate([us for _, us in pieces]), _DAY_US, fewest=FEWEST_PARTS)
        words = _words_with_parts(pieces, ends)
        vocabulary = HashedVocabulary.fit(words, parts=len(ends) + 1)
        return cls(source=source, vocabulary=vocabulary, ends=ends, language=language)

    @property
    @override
    def kinds(self) -> Mapping[str, Literal["number", "category"]]:
        named = ("characters", "words", "out_of_vocabulary", "digits", "special_characters")
        categories = ("script", "language") if self.language else ("script",)
        return {
            **{f"{self.source}.{name}": "number" for name in named},
            **{f"{self.source}.{name}": "category" for name in categories},
        }

    @override
    def reads(self, kind: pa.DataType) -> bool:
        return is_text(kind) or bool(pa.types.is_null(kind))

    @override
    def describe(self, cells: pa.Array, event_us: Whole) -> dict[str, pa.Array]:
        whole = _texts(cells)
        texts = pc.fill_null(pc.utf8_slice_codeunits(whole, 0, LONGEST), "")
        length = np.maximum(_count(texts, None), 1)
        counts = {
            "characters": _count(pc.fill_null(whole, ""), None),
            "words": _count(texts, r"[\pL\pN]+"),
            "out_of_vocabulary": self._unknown_share(texts, event_us),
            "digits": _count(texts, r"\pN") / length,
            "special_characters": _count(texts, r"[^\pL\pN\pM\pZ\s]") / length,
        }
        missing = np.asarray(whole.is_null(), dtype=np.bool_)
        numbers = {name: pa.array(np.where(missing, np.nan, values)) for name, values in counts.items()}
        columns = {"script": _scripts(texts), **({"language": languages_of(texts)} if self.language else {})}
        none = pa.scalar(None, pa.string())
        categories = {name: pc.if_else(pa.array(missing), none, column) for name, column in columns.items()}
        return {f"{self.source}.{name}": column for name, column in {**numbers, **categories}.items()}

    @override
    def document(self) -> dict[str, Any]:
        language = {"language": True} if self.language else {}
        return {"kind": self.kind, "source": self.source, "vocabulary": self.vocabulary.document(), **language}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> TextDescriptors:
        """The descriptors of a document that `document` gave."""
        vocabulary = HashedVocabulary.of(document["vocabulary"])
        return cls(source=document["source"], vocabulary=vocabulary, language=document.get("language", False))

    def _unknown_share(self, texts: pa.Array, event_us: Whole) -> Floats:
        parts = (
            np.searchsorted(self.ends, event_us, side="right") if len(self.ends) else self.vocabulary.parts_of(texts)
        )
        shares = [
            _means(self.vocabulary.unknown(words, part[rows]), rows, len(some))
            for some, part in _in_batches(texts, parts)
            for words, rows in (_words(some),)
        ]
        return np.concatenate(shares) if shares else np.zeros(0)


def _words_with_parts(
    pieces: Iterable[tuple[pa.Array, Whole]], ends: Sequence[int]
) -> Iterator[tuple[pa.Array, Whole]]:
    for cells, event_us in pieces:
        texts = pc.fill_null(pc.utf8_slice_codeunits(_texts(cells), 0, LONGEST), "")
        for some, part in _in_batches(texts, np.searchsorted(ends, event_us, side="right")):
            words, rows = _words(some)
            yield words, part[rows]


def _texts(cells: pa.Array) -> pa.Array:
    return as_strings(cells).cast(pa.large_string())


def _in_batches(texts: pa.Array, parts: Whole) -> Iterator[tuple[pa.Array, Whole]]:
    for first in range(0, len(texts), _ROWS):
        yield texts[first : first + _ROWS], parts[first : first + _ROWS]


def _words(texts: pa.Array) -> tuple[pa.Array, Whole]:
    """The words of texts in lower case, and the row of each."""
    lists = pc.split_pattern_regex(pc.utf8_lower(texts), r"[^\pL\pN]+")
    words, rows = pc.list_flatten(lists), np.asarray(pc.list_parent_indices(lists), dtype=np.int64)
    some = pc.not_equal(words, "")
    return words.filter(some), rows[np.asarray(some, dtype=np.bool_)]


def _means(values: NDArray[np.bool_], rows: Whole, size: int) -> Floats:
    """The mean of the values of each of `size` rows; 0 for a row without any."""
    counts = np.bincount(rows, minlength=size)
    return np.asarray(np.bincount(rows, weights=values, minlength=size) / np.maximum(counts, 1), dtype=np.float64)


def _count(texts: pa.Array, pattern: str | None) -> Floats:
    """How often a pattern occurs in each text, or how many characters it has."""
    counts = pc.utf8_length(texts) if pattern is None else pc.count_substring_regex(texts, pattern)
    return np.asarray(counts, dtype=np.float64)


def _scripts(texts: pa.Array) -> pa.Array:
    """The script of most letters of each text. Cost: a pass for each script, over texts that are not in Latin."""
    names = np.where(np.asarray(pc.match_substring_regex(texts, r"\pL")), "Latin", "none").astype(object)
    foreign = np.flatnonzero(~np.asarray(pc.string_is_ascii(texts), dtype=np.bool_) & (names == "Latin"))
    others = texts.take(pa.array(foreign))
    letters, latin = _letters(others, r"\PL+"), _letters(others, r"\P{Latin}+")
    mostly = np.flatnonzero(2 * latin < letters)
    if mostly.size:
        others = others.take(pa.array(mostly))
        counts = np.stack([latin[mostly], *(_letters(others, rf"\P{{{script}}}+") for script in _SCRIPTS[1:])])
        named = np.array(_SCRIPTS, dtype=object)[counts.argmax(axis=0)]
        names[foreign[mostly]] = np.where(2 * counts.sum(axis=0) < letters[mostly], "other", named)
    return pa.array(names, pa.string())


def _letters(texts: pa.Array, others: str) -> Floats:
    """How many characters each text has without all that match a pattern, which is faster than to count the letters."""
    return _count(pc.replace_substring_regex(texts, others, ""), None)
