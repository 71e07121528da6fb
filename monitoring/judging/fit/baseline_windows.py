"""The baseline's rows window by window, out of their file: counts of all rows, and inputs of some."""

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

#: Windows whose samples are in memory at once.
AT_ONCE = 64


class BaselineSamples:
    """At most 512 rows of each window with some inputs, in order of windows; read anew each time it is gone through.

    `places` int64 are each window's rows. Memory: the samples of 64 windows; cost: a pass over the file for those.
    """

    def __init__(self, rows: ReferenceRows, places: Sequence[Whole], names: Sequence[str]) -> None:
        answers = rows.answers
        self._rows = rows
        self._names = names
        self._places = [each[sample_indices(answers.take(each), SAMPLE)] for each in places]

    def __iter__(self) -> Iterator[Predictions]:
        for first in range(0, len(self._places), AT_ONCE):
            some = self._places[first : first + AT_ONCE]
            taken = self._rows.take(np.concatenate(some), self._names)
            ends = np.cumsum([each.size for each in some]).tolist()
            for each, end in zip(some, ends, strict=True):
                yield taken.take(np.arange(end - each.size, end))


def window_profiles(
    rows: ReferenceRows, counter: ProfileBuilder, windows: Sequence[Whole]
) -> Iterator[tuple[int, Profile]]:
    """The profile of each window, by its number, as soon as its last row has been counted.

    `windows` are places of rows, no row in two of them. Memory: a batch, and the profiles of windows that have begun.
    """
    if not counter.columns:  # inputs that are seen by an embedding, or none: a table without columns has no rows
        for number, places in enumerate(windows):
            yield number, Profile(rows=places.size, features=())
        return
    owner = np.full(len(rows.answers), -1, dtype=np.int64)
    for number, places in enumerate(windows):
        owner[places] = number
    begun: dict[int, Profile] = {}
    left = {number: places.size for number, places in enumerate(windows)}
    first = 0
    for inputs in rows.batches():
        for number in [number for number, size in left.items() if not size]:
            del left[number]
            yield number, counter.count(inputs.slice(0, 0))
        mine = owner[first : first + inputs.num_rows]
        first += inputs.num_rows
        order = np.argsort(mine, kind="stable")
        for places in np.split(order, np.flatnonzero(np.diff(mine[order])) + 1):
            number = int(mine[places[0]]) if places.size else -1
            if number < 0:
                continue
            part = counter.count(_taken(inputs, places))
            begun[number] = begun[number] + part if number in begun else part
            left[number] -= places.size
            if not left[number]:
                del left[number]
                yield number, begun.pop(number)


def _taken(inputs: pa.Table, places: Whole) -> pa.Table:
    """Those rows, in order; where they follow each other, without a copy."""
    if places[-1] - places[0] == places.size - 1:
        return inputs.slice(int(places[0]), places.size)
    return inputs.take(pa.array(places))
