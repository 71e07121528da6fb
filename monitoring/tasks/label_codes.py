"""Arrays of label codes: one code a row, or several where a label has several parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from monitoring.tasks.task import NO_LABEL, Whole

#: Multiplies a digest before the next part is mixed in: that of the 64-bit FNV hash.
_PRIME = np.uint64(0x100000001B3)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)

#: Digests are whole numbers from 0 up to this.
_LARGEST = np.uint64((1 << 62) - 1)


def has_label(labels: Whole) -> NDArray[np.bool_]:
    """Which rows have a label.

    >>> has_label(np.array([3, NO_LABEL])).tolist(), has_label(np.array([[NO_LABEL, 4], [NO_LABEL, NO_LABEL]])).tolist()
    ([True, False], [True, False])

    Args:
        labels: Codes, [n] or [n, parts].

    Returns:
        bool [n].
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
