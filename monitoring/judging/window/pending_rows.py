"""The rows of one window that wait for their label."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions
from monitoring.tasks.label_codes import label_digests
from monitoring.tasks.task import NO_LABEL

Whole = NDArray[np.int64]


class PendingRows:
    """The rows of one window that wait for their label. Of rows that have one, ids and labels' digests alone are kept.

    Positions are those in `ids`, which change when rows are dropped.

    Args:
        rows: The window's rows, some of which may have labels, or the digests of labels.
        start: When the window began, in microseconds.
        newest: The last event time of all rows of the window, in microseconds.
    """

    def __init__(self, rows: Predictions, *, start: int, newest: int) -> None:
        self.start = start
        self.newest = newest
        self.ids = rows.ids
        self._labels: Whole = label_digests(rows.labels)
        self._rows = rows
        self._dropped = 0  # the first so many of `ids` and `_labels` are of rows no longer kept
        self._drop_labelled()

    def __len__(self) -> int:
        return len(self.ids)

    def conflicts(self, positions: Whole, labels: Whole) -> int:
        """How many labels differ from the one that their row already has.

        Args:
            positions: The positions of the rows, [n].
            labels: Codes, [n] or [n, parts].

        Returns:
            Their number.
        """
        before = self._labels[positions]
        return int(((before != NO_LABEL) & (before != label_digests(labels))).sum())

    def consume(self, positions: Whole, labels: Whole, times: Whole) -> Predictions:
        """Give rows their label; rows that have one keep it, and of several for one row the last counts.

        Args:
            positions: The positions of the rows, [n].
            labels: Codes, [n] or [n, parts].
            times: Label times in microseconds, [n].

        Returns:
            The rows that got a label, with it; each once.
        """
        fresh = self._labels[positions] == NO_LABEL
        positions, labels, times = positions[fresh], labels[fresh], times[fresh]
        after, after_times = self._labels.copy(), np.zeros_like(self._labels)
        after[positions], after_times[positions] = label_digests(labels), times
        codes = np.full((len(after), *labels.shape[1:]), NO_LABEL, dtype=np.int64)
        codes[positions] = labels
        labelled = np.zeros(len(after), dtype=np.bool_)
        labelled[positions] = True
        self._labels = after
        kept = slice(self._dropped, None)
        found = self._rows.labelled(codes[kept], after_times[kept]).take(np.flatnonzero(labelled[kept]))
        self._drop_labelled()
        return found

    def _drop_labelled(self) -> None:
        """Drop the rows that have their label, once they are half of those kept."""
        labelled = self._labels[self._dropped :] != NO_LABEL
        if 2 * int(labelled.sum()) < max(labelled.size, 1):
            return
        order = np.concatenate([np.flatnonzero(labelled), np.flatnonzero(~labelled)])
        positions = np.concatenate([np.arange(self._dropped), self._dropped + order])
        self._rows = self._rows.take(~labelled)
        self._dropped += int(labelled.sum())
        self.ids, self._labels = self.ids.take(pa.array(positions)), self._labels[positions]
