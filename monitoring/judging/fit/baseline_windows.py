"""The baseline's rows by window, read from their file: profiles of all rows, and samples of some."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import Profile
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.baseline.reference import ReferenceRows
from monitoring.watches.joint import SAMPLE
from monitoring.watches.sampling import sample_indices

Whole = NDArray[np.int64]

#: Windows whose samples are in memory at a time.
WINDOWS_IN_MEMORY = 64


class BaselineSamples:
    """Samples of each window's rows, in order of windows; iterated any number of times, and read each time.

    Memory: the samples of `WINDOWS_IN_MEMORY` windows. Cost: a pass over the file for each so many.
    """

    def __init__(self, rows: ReferenceRows, windows: Sequence[Whole], names: Sequence[str]) -> None:
        answers = rows.answers
        self._rows = rows
        self._names = names
        self._samples = [positions[sample_indices(answers.take(positions), SAMPLE)] for positions in windows]

    def __iter__(self) -> Iterator[Predictions]:
        for first in range(0, len(self._samples), WINDOWS_IN_MEMORY):
            samples = self._samples[first : first + WINDOWS_IN_MEMORY]
            rows = self._rows.take(np.concatenate(samples), self._names)
            ends = np.cumsum([positions.size for positions in samples]).tolist()
            for positions, end in zip(samples, ends, strict=True):
                yield rows.take(np.arange(end - positions.size, end))


def window_profiles(
    rows: ReferenceRows, builder: ProfileBuilder, windows: Sequence[Whole]
) -> Iterator[tuple[int, Profile]]:
    """The profile of each window, in one pass over the baseline's inputs.

    Memory: a batch, and the profiles of windows with some rows read and some not.

    Args:
        windows: The positions of each window's rows; no row is in two windows.

    Yields:
        The index of a window and its profile, as soon as its last row was read.
    """
    if not builder.columns:  # a table without columns has no rows
        for window, positions in enumerate(windows):
            yield window, Profile(rows=positions.size, features=())
        return
    window_of = np.full(len(rows.answers), -1, dtype=np.int64)
    for window, positions in enumerate(windows):
        window_of[positions] = window
    partial: dict[int, Profile] = {}
    unread = {window: positions.size for window, positions in enumerate(windows)}
    first = 0
    for inputs in rows.batches():
        for window in [window for window, size in unread.items() if not size]:
            del unread[window]
            yield window, builder.count(inputs.slice(0, 0))
        here = window_of[first : first + inputs.num_rows]
        first += inputs.num_rows
        order = np.argsort(here, kind="stable")
        for positions in np.split(order, np.flatnonzero(np.diff(here[order])) + 1):
            window = int(here[positions[0]]) if positions.size else -1
            if window < 0:
                continue
            part = builder.count(_take(inputs, positions))
            partial[window] = partial[window] + part if window in partial else part
            unread[window] -= positions.size
            if not unread[window]:
                del unread[window]
                yield window, partial.pop(window)


def _take(inputs: pa.Table, positions: Whole) -> pa.Table:
    """Some rows, in order; a range of them is not copied."""
    if positions[-1] - positions[0] == positions.size - 1:
        return inputs.slice(int(positions[0]), positions.size)
    return inputs.take(pa.array(positions))
