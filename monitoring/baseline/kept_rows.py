"""A baseline without some of its rows, which stay in their file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.baseline.reference import ReferenceRows


def kept_rows(baseline: Baseline, kept: NDArray[np.bool_]) -> Baseline:
    """A baseline of some rows of another, on the same bins.

    Args:
        kept: Which of its rows, [n].

    Returns:
        The baseline; the same where all are kept. Cost: a pass over the inputs, to count them.
    """
    if kept.all():
        return baseline
    rows = KeptRows(baseline.rows, np.flatnonzero(kept))
    counting = ProfileBuilder(baseline.bins).begin()
    for inputs in rows.batches():
        counting.add(inputs)
    profile = replace(counting.profile(), rows=int(kept.sum()))
    return replace(baseline, rows=rows, profile=profile)


class KeptRows:
    """Some rows of others, a `ReferenceRows`."""

    def __init__(self, rows: ReferenceRows, places: NDArray[np.int64]) -> None:
        """Rows at some places, in order."""
        self._rows = rows
        self._places = places

    @cached_property
    def answers(self) -> Predictions:
        """See `ReferenceRows`."""
        return self._rows.answers.take(self._places)

    def inputs(self, names: Sequence[str]) -> pa.Table:
        """See `ReferenceRows`."""
        inputs = self._rows.inputs(names)
        return inputs.take(pa.array(self._places)) if inputs.num_columns else inputs

    def batches(self) -> Iterator[pa.Table]:
        """See `ReferenceRows`."""
        first = 0
        for inputs in self._rows.batches():
            begin, end = np.searchsorted(self._places, [first, first + inputs.num_rows])
            yield inputs.take(pa.array(self._places[begin:end] - first))
            first += inputs.num_rows

    def take(self, places: NDArray[np.int64], names: Sequence[str]) -> Predictions:
        """See `ReferenceRows`."""
        return self._rows.take(self._places[places], names)

    def whole(self) -> Predictions:
        """See `ReferenceRows`."""
        return self._rows.whole().take(self._places)
