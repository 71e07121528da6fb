"""The samples of one window: of its answered rows, of the usable ones, and of those whose labels arrived."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch
from monitoring.baseline.predictions import Predictions
from monitoring.judging.window.bottom_k_sample import BottomKSample
from monitoring.watches.sampling import splitmix64

#: Which rows of a batch, [n]; None for all.
Mask = NDArray[np.bool_] | None


class WindowSamples:
    """Three samples, which are one while they have the same rows: in sound windows rows are sampled once.

    Rows are usable if their answer is finite. Masks say which rows of a batch; None stands for all.
    """

    def __init__(self) -> None:
        self._answered = self._usable = self._labelled = BottomKSample()

    def add_answered(self, batch: Batch, usable: Mask) -> None:
        """Add answered rows whose labels have not arrived."""
        self._separate_labelled()
        self._add(batch, splitmix64(batch.event_times), usable)

    def add_with_labels(self, batch: Batch, usable: Mask, labelled: Mask) -> None:
        """Add answered rows; the labels of those in `labelled`, all of them usable, arrived in the same window."""
        hashes = splitmix64(batch.event_times)
        if labelled is not None:
            self._separate_labelled()
        self._add(batch, hashes, usable)
        if self._labelled is not self._answered:
            self._labelled.add(batch, hashes, labelled)

    def add_labelled(self, batch: Batch, usable: Mask) -> None:
        """Add rows whose labels arrived in the window, answered in any."""
        self._separate_labelled()
        self._labelled.add(batch, splitmix64(batch.event_times), usable)

    def answered(self, empty: Predictions) -> Predictions:
        """The sample of answered rows; `empty` where there are none."""
        return self._answered.rows(empty)

    def usable(self, empty: Predictions) -> Predictions:
        """The sample of usable answered rows; `empty` where there are none."""
        return self._usable.rows(empty)

    def labelled(self, empty: Predictions) -> Predictions:
        """The sample of usable rows whose labels arrived; `empty` where there are none."""
        return self._labelled.rows(empty)

    def _add(self, batch: Batch, hashes: NDArray[np.uint64], usable: Mask) -> None:
        if usable is not None and self._usable is self._answered:
            self._usable = self._answered.copy()
        self._answered.add(batch, hashes, None)
        if self._usable is not self._answered:
            self._usable.add(batch, hashes, usable)

    def _separate_labelled(self) -> None:
        if self._labelled is self._answered:
            self._labelled = self._answered.copy()
