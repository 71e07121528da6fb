"""Arrays of label codes: one code a row, or several where a label has several parts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.tasks.task import NO_LABEL, UNKNOWN_CLASS, Whole

#: Multiplies a digest before the next part is mixed in: that of the 64-bit FNV hash.
_PRIME = np.uint64(0x100000001B3)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)

#: Digests are whole numbers from 0 up to this.
_LARGEST = np.uint64((1 << 62) - 1)


def has_label(labels: Whole) -> NDArray[np.bool_]:
    """Which rows have a label. Returns bool [n].

    >>> has_label(np.array([3, NO_LABEL])).tolist(), has_label(np.array([[NO_LABEL, 4], [NO_LABEL, NO_LABEL]])).tolist()
    ([True, False], [True, False])

    Args:
        labels: Codes, [n] or [n, parts].
    """
    first = np.asarray((labels if labels.ndim == 1 else labels[:, 0]) != NO_LABEL, dtype=np.bool_)
    return first if labels.ndim == 1 or first.all() else np.asarray((labels != NO_LABEL).any(axis=1), dtype=np.bool_)


def only_where(rows: NDArray[np.bool_], labels: Whole) -> Whole:
    """Labels of some rows, and none of the others.

    >>> only_where(np.array([True, False]), np.array([[3, 4], [5, 6]])).tolist()
    [[3, 4], [-1, -1]]

    Args:
        rows: Which rows keep theirs, [n].
        labels: Codes, [n] or [n, parts].
    """
    return np.where(rows if labels.ndim == 1 else rows[:, None], labels, NO_LABEL)


def label_digests(labels: Whole) -> Whole:
    """One whole number for each label, the same for equal labels: what is kept to tell whether a label changed.

    >>> label_digests(np.array([3, NO_LABEL])).tolist()
    [3, -1]
    >>> first, second, none = label_digests(np.array([[3, 4], [4, 3], [NO_LABEL, NO_LABEL]])).tolist()
    >>> first == second, min(first, second) >= 0, none
    (False, True, -1)

    Args:
        labels: Codes, [n] or [n, parts].
    """
    if labels.ndim == 1:
        return labels
    digests = np.full(len(labels), _SPREAD, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for column in np.ascontiguousarray(labels).view(np.uint64).T:
            digests = (digests ^ column) * _PRIME
            digests ^= (digests >> np.uint64(29)) * _SPREAD
    return np.where(has_label(labels), (digests & _LARGEST).astype(np.int64), NO_LABEL)


#: How booleans are written that stand for the classes 0 and 1.
_BOOLEANS = {"0": "false", "1": "true"}


def class_indices(text: pa.Array | pa.ChunkedArray, classes: tuple[str, ...]) -> pa.Array | pa.ChunkedArray:
    """The index among the classes of each name, or number written as text; null for anything else.

    >>> class_indices(pa.array(["late", "1", "true"]), ("on_time", "late")).to_pylist()
    [1, 1, None]

    Args:
        text: Strings [n].
        classes: The names of the classes. Of the classes 0 and 1, ``false`` and ``true`` are other names.

    Returns:
        int32 [n]. A name counts before a number: of the classes "1" and "0", the text "1" is index 0.
    """
    by_name = pc.index_in(text, pa.array(classes, pa.string()))
    by_number = pc.index_in(text, pa.array([str(i) for i in range(len(classes))], pa.string()))
    indices = pc.coalesce(by_name, by_number)
    if set(classes) == {"0", "1"}:
        indices = pc.coalesce(indices, pc.index_in(text, pa.array([_BOOLEANS[name] for name in classes], pa.string())))
    return indices


def class_codes(words: pa.ChunkedArray, classes: tuple[str, ...]) -> Whole:
    """Labels as class indices.

    Args:
        words: Class names, or class indices as text, [n]; case and spaces around a name do not matter, unless two
            classes differ by them alone.

    Returns:
        Indices, int64 [n]; `NO_LABEL` for null and blank, and `UNKNOWN_CLASS` for any other name.

    >>> class_codes(pa.chunked_array([["1", "true", "yes", " TRUE", None]]), ("0", "1"))
    array([ 1,  1, -3,  1, -1])
    """
    text = words.cast(pa.string())
    indices = pc.coalesce(class_indices(text, classes), _folded_indices(text, classes))
    blank = np.asarray(pc.equal(pc.fill_null(pc.utf8_trim_whitespace(text), ""), ""), dtype=np.bool_)
    codes = np.asarray(pc.fill_null(indices, UNKNOWN_CLASS), dtype=np.int64)
    return np.where(blank, NO_LABEL, codes)


def respelled(words: pa.ChunkedArray, classes: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which labels are classes but for case or spaces.

    >>> respelled(pa.chunked_array([["late", "Late ", "later"]]), ("on_time", "late")).tolist()
    [False, True, False]
    """
    text = words.cast(pa.string())
    other = pc.and_(class_indices(text, classes).is_null(), _folded_indices(text, classes).is_valid())
    return np.asarray(other, dtype=np.bool_)


def _folded_indices(text: pa.ChunkedArray, classes: tuple[str, ...]) -> pa.ChunkedArray:
    """As `class_indices`, of names in small letters without spaces around them."""
    folded = pc.utf8_lower(pc.utf8_trim_whitespace(text))
    small = tuple(name.strip().lower() for name in classes)
    if len(set(small)) < len(small):
        return pa.chunked_array([pa.nulls(len(text), pa.int32())])
    return class_indices(folded, small)
