"""Sets of classes as label codes: a bit for each class that a row has."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.tasks.task import CLASS_SEPARATOR, NO_LABEL, UNKNOWN_CLASS, Whole


def set_codes(words: pa.ChunkedArray, classes: tuple[str, ...]) -> Whole:
    """Labels as codes.

    Args:
        words: Text [n]: names between `CLASS_SEPARATOR`, a JSON list of names, or one of a 0 or 1 for each class.
        classes: The classes, at most `MAX_CLASSES_OF_SET`.

    Returns:
        Codes, int64 [n]: bit k is class k. `NO_LABEL` for null and blank; where a name is of no class, `UNKNOWN_CLASS`
        less the bits of the others.

    >>> set_codes(
    ...     pa.chunked_array([["a|c", '["b"]', "[0, 1, 1]", "[]", "", "a|z", "[0, 1]"]]), ("a", "b", "c")
    ... ).tolist()
    [5, 2, 6, 0, -1, -4, -3]
    """
    sets = words.cast(pa.string()).combine_chunks().dictionary_encode()
    dictionary_codes = [_code(_names(text, classes), classes) for text in sets.dictionary.to_pylist()]
    places = np.asarray(sets.indices.fill_null(len(dictionary_codes)), dtype=np.int64)
    return np.array([*dictionary_codes, NO_LABEL], dtype=np.int64)[places]


def respelled_sets(words: pa.ChunkedArray, classes: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which labels have a name that is a class but for case or spaces; arguments as of `set_codes`.

    Returns:
        bool [n].

    >>> respelled_sets(pa.chunked_array([["a|B", "a|b", "z"]]), ("a", "b")).tolist()
    [True, False, False]
    """
    sets = words.cast(pa.string()).combine_chunks().dictionary_encode()
    others = [_is_respelled(_names(text, classes), classes) for text in sets.dictionary.to_pylist()]
    places = np.asarray(sets.indices.fill_null(len(others)), dtype=np.int64)
    return np.array([*others, False], dtype=np.bool_)[places]


def _names(text: str, classes: tuple[str, ...]) -> Sequence[str] | None:
    """The names of a set; None for blank text. Anything else than names is a name of no class."""
    text = text.strip()
    if not text:
        return None
    if not text.startswith("["):
        return [name.strip() for name in text.split(CLASS_SEPARATOR)]
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        return [text]
    if all(isinstance(name, str) for name in entries):
        return list(entries)
    if len(entries) == len(classes) and all(isinstance(entry, int | float) and entry in (0, 1) for entry in entries):
        return [name for name, entry in zip(classes, entries, strict=True) if entry]
    return [text]


def _code(names: Sequence[str] | None, classes: tuple[str, ...]) -> int:
    if names is None:
        return NO_LABEL
    places, folded = _places(classes), _folded(classes)
    indices = [places.get(name, folded.get(name.strip().lower())) for name in names]
    bits = sum(1 << place for place in {place for place in indices if place is not None})
    return UNKNOWN_CLASS - bits if None in indices else bits


def _is_respelled(names: Sequence[str] | None, classes: tuple[str, ...]) -> bool:
    places, folded = _places(classes), _folded(classes)
    return any(name not in places and name.strip().lower() in folded for name in names or ())


def _places(classes: tuple[str, ...]) -> dict[str, int]:
    return {name: place for place, name in enumerate(classes)}


def _folded(classes: tuple[str, ...]) -> dict[str, int]:
    """As `_places`, of names in small letters without spaces around them; none where two are the same then."""
    small = _places(tuple(name.strip().lower() for name in classes))
    return small if len(small) == len(classes) else {}
