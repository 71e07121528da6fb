"""The rows of one window that wait for their label."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions
from monitoring.tasks.label_codes import has_label, label_digests
from monitoring.tasks.task import NO_LABEL
from monitoring.traffic.id_keys import id_keys

Whole = NDArray[np.int64]

#: Labels of more parts count once: it is not tried which of them were known before.
MOST_PARTS = 8


class PendingRows:
    """The rows of one window that wait for their label. Of rows that have one, keys, times and digests are kept.

    A label in parts may come with some of them, and again with these and further ones; rows wait for all of them.
    Positions are those in `keys` and event `times` (microseconds), which change when rows are dropped.

    Args:
        newest: The last event time of all rows of the window, in microseconds.
    """

    def __init__(self, rows: Predictions, *, start: int, newest: int, in_parts: bool = False) -> None:
        self.start = start
        self.newest = newest
        self.keys = id_keys(rows.ids)
        self.times = rows.event_times
        self._labels: Whole = label_digests(rows.labels).copy()
        self._in_parts = in_parts
        self._whole = self._are_whole(rows.labels)
        self._rows = rows
        self._dropped = 0  # the first so many of `keys` and `_labels` are of rows no longer kept
        self._drop_labelled()

    def __len__(self) -> int:
        return self.keys.size

    def conflicts(self, positions: Whole, labels: Whole) -> int:
        """How many labels differ from the one that their row already has, or else from the last of these for it.

        Labels in parts are compared with what their row has alone, as several of them may complete one another.

        Args:
            positions: The positions of the rows, [n].
            labels: Codes, [n] or [n, parts].
        """
        before, digests = self._labels[positions], label_digests(labels)
        if not self._in_parts:
            known, fresh = self._labels.copy(), before == NO_LABEL
            known[positions[fresh]] = digests[fresh]
            return int((known[positions] != digests).sum())
        differs = (before != NO_LABEL) & (before != digests)
        if differs.any():
            differs[differs] = ~has_label(further_parts(before[differs], labels[differs]))
        return int(differs.sum())

    def without_label(self, positions: Whole, labelled: Whole) -> int:
        """How many rows have no label. `positions`: the positions of the rows, [n]."""
        rows = np.setdiff1d(positions, labelled)
        return int((self._labels[rows] == NO_LABEL).sum())

    def consume(self, positions: Whole, labels: Whole, times: Whole) -> Predictions:
        """Give rows their label; rows that have one keep it, and of several for one row the last counts.

        Args:
            positions: The positions of the rows, [n].
            labels: Codes, [n] or [n, parts].
        """
        fresh = np.flatnonzero(self._labels[positions] == NO_LABEL)
        predictions = self._labelled_rows(positions[fresh], labels[fresh], times[fresh])
        self._keep(positions[fresh], labels[fresh])
        self._drop_labelled()
        return predictions

    def extend(self, positions: Whole, labels: Whole, times: Whole) -> Predictions:
        """Give rows that have some parts of their label further ones; before `consume`, with the same arguments.

        Args:
            positions: The positions of the rows, [n].
            labels: Codes, [n, parts].
        """
        before = self._labels[positions]
        indices = np.flatnonzero(before != NO_LABEL)
        parts = further_parts(before[indices], labels[indices])
        more = indices[has_label(parts)]
        predictions = self._labelled_rows(positions[more], parts[has_label(parts)], times[more])
        self._keep(positions[more], labels[more])
        return predictions

    def _keep(self, positions: Whole, labels: Whole) -> None:
        """Know the labels of rows from now on."""
        self._labels[positions] = label_digests(labels)
        self._whole[positions] = self._are_whole(labels)

    def _labelled_rows(self, positions: Whole, labels: Whole, times: Whole) -> Predictions:
        """The rows at some positions with labels, each once; of several for one row the last counts."""
        size = len(self._labels)
        codes, given_at = np.full((size, *labels.shape[1:]), NO_LABEL, dtype=np.int64), np.zeros(size, dtype=np.int64)
        codes[positions], given_at[positions] = labels, times
        labelled = np.zeros(size, dtype=np.bool_)
        labelled[positions] = True
        span = slice(self._dropped, None)
        return self._rows.labelled(codes[span], given_at[span]).take(np.flatnonzero(labelled[span]))

    def _are_whole(self, labels: Whole) -> NDArray[np.bool_]:
        """Which labels, as codes or digests, have no part that may still come."""
        if not self._in_parts:
            return has_label(labels)
        return np.zeros(len(labels), dtype=np.bool_) if labels.ndim == 1 else (labels != NO_LABEL).all(axis=1)

    def _drop_labelled(self) -> None:
        """Drop the rows that have their whole label, once they are half of those kept."""
        labelled = self._whole[self._dropped :]
        if 2 * int(labelled.sum()) < max(labelled.size, 1):
            return
        order = np.concatenate([np.flatnonzero(labelled), np.flatnonzero(~labelled)])
        positions = np.concatenate([np.arange(self._dropped), self._dropped + order])
        self._rows = self._rows.take(~labelled)
        self._dropped += int(labelled.sum())
        self.keys, self.times = self.keys[positions], self.times[positions]
        self._labels = self._labels[positions]
        self._whole = self._whole[positions]


def further_parts(digests: Whole, labels: Whole) -> Whole:
    """The parts of labels that are new where the others are those that are known.

    >>> digests = label_digests(np.array([[3, NO_LABEL], [3, NO_LABEL], [3, 4]]))
    >>> further_parts(digests, np.array([[3, 4], [5, 4], [3, 4]])).tolist()
    [[-1, 4], [-1, -1], [-1, -1]]

    Args:
        digests: Digests of the labels so far, [n].
        labels: Codes of the new labels, [n, parts].

    Returns:
        Codes, [n, parts]; `NO_LABEL` for known parts, and for all parts of a label that differs from the known one.
    """
    further = np.full_like(labels, NO_LABEL)
    parts = labels.shape[1]
    for number in range(1, (1 << parts) - 1 if parts <= MOST_PARTS else 1):
        some = np.array([bool(number >> place & 1) for place in range(parts)])
        same = label_digests(np.where(some, labels, NO_LABEL)) == digests
        same &= (labels[:, some] != NO_LABEL).all(axis=1)
        further[same] = np.where(some, NO_LABEL, labels[same])
    return further
