"""Numbers onto bins: to the same counts as a binary search, for a fifth of its price, or a fifteenth in C."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.moments import NO_MOMENTS, Moments

#: Missing, finite, infinite, zeros, mean, squares, least, greatest.
_Told: TypeAlias = tuple[int, int, int, int, float, float, float, float]

#: `count` of the module in C; none where nothing compiled it, and numpy does the same.
compiled: Callable[..., _Told] | None
try:
    from monitoring.baseline import _binning
except ImportError:
    compiled = None
else:
    compiled = _binning.count

#: Equal cells laid over the span of the edges. A bin's edges fall into few of them, and only those ask for a search.
CELLS = 2048

#: Rows that numpy counts at once: a column of so many numbers fits the processor's second cache.
BATCH = 1 << 15

#: Below so many values a search is cheaper than the cells.
FEW = 4096

#: Places that are counted in C, at most.
_MOST_PLACES = 256

#: Rows that are counted in C at once, fewer than this.
_MOST_ROWS = 1 << 31

#: Types of numbers that are counted as they lie in memory, by the letters that C calls them by.
_TYPES: dict[pa.DataType, str] = {
    pa.float32(): "f",
    pa.float64(): "d",
    pa.int8(): "b",
    pa.int16(): "h",
    pa.int32(): "i",
    pa.int64(): "q",
    pa.uint8(): "B",
    pa.uint16(): "H",
    pa.uint32(): "I",
}

_NO_CELLS = np.zeros(1, dtype=np.uint16)


class Binner:
    """Counts values between fixed `edges` (sorted, inner ones): a value on an edge falls to its right.

    Cells are a monotone function of the value, rounding included. So a value whose cell is below an edge's is below
    the edge, and the counts are those of the binary search exactly.
    """

    def __init__(self, edges: NDArray[np.float64]) -> None:
        self._edges = edges
        self._laid = False
        self._place = np.zeros(0, dtype=np.int64)
        self._crowded = np.zeros(0, dtype=np.bool_)
        self._alone = False
        with np.errstate(over="ignore"):
            span = float(edges[-1] - edges[0]) if edges.size else 0.0
        self._usable = edges.size > 0 and 1e-290 < span < 1e290
        self._scale = CELLS / span if self._usable else 0.0
        self._ended = np.append(np.asarray(edges, dtype=np.float64), np.nan)
        self._before = _NO_CELLS

    def add(self, column: pa.Array, counts: NDArray[np.int64], *, described: bool) -> Moments:
        """Count a column of numbers of any width, null or NaN for missing, into `counts` int64 [len(edges) + 1].

        Gives its moments, those of nothing unless `described`. Cost a value: some 2 ns in C, 9 by numpy.
        """
        if compiled is not None and column.type in _TYPES and counts.size <= _MOST_PLACES and len(column) < _MOST_ROWS:
            return self._in_one_pass(compiled, column, counts, described=described)
        told = NO_MOMENTS
        for first in range(0, len(column), BATCH):
            piece = column.slice(first, BATCH)
            present = np.asarray(piece.drop_null() if piece.null_count else piece, dtype=np.float64)
            with np.errstate(invalid="ignore"):
                if present.size and np.isnan(present.min()):
                    present = present[~np.isnan(present)]
            counts += self.counts(present)
            told += Moments.of(present) if described else NO_MOMENTS
        return told

    def _in_one_pass(
        self, count: Callable[..., _Told], column: pa.Array, counts: NDArray[np.int64], *, described: bool
    ) -> Moments:
        laid = self._usable and len(column) >= FEW
        if laid and not self._laid:
            self._lay()
        valid, data = column.buffers()
        _, finite, infinite, zeros, mean, squares, least, greatest = count(
            b"" if data is None else data,
            valid if column.null_count else None,
            _TYPES[column.type],
            column.offset,
            len(column),
            self._before if laid else _NO_CELLS,
            self._ended,
            float(self._ended[0]) if laid else 0.0,
            self._scale if laid else 0.0,
            CELLS + 2 if laid else 0,
            counts,
            described,
        )
        if not described:
            return NO_MOMENTS
        return Moments(
            finite=finite,
            infinite=infinite,
            zeros=zeros,
            mean=mean,
            squares=squares,
            least=least,
            greatest=greatest,
        )

    def counts(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """How many of float64 [n], no NaN among them, lie in each of the ``len(edges) + 1`` places."""
        places = self._edges.size + 1
        if not self._usable or values.size < FEW:
            return np.bincount(np.searchsorted(self._edges, values, side="right"), minlength=places)
        if not self._laid:
            self._lay()
        cells = self._cells(values)
        by_cell = np.bincount(cells, minlength=CELLS + 3)
        by_cell[self._crowded] = 0
        found = np.bincount(self._place, weights=by_cell, minlength=places).astype(np.int64)
        doubtful = np.flatnonzero(self._crowded[cells])
        if doubtful.size:
            found += self._searched(values[doubtful], cells[doubtful], places)
        return found

    def places(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        """The place of each of float64 [n], no NaN among them: those of a binary search to the right."""
        if not self._usable or values.size < FEW:
            return np.searchsorted(self._edges, values, side="right")
        if not self._laid:
            self._lay()
        cells = self._cells(values)
        found = self._place[cells]
        doubtful = np.flatnonzero(self._crowded[cells])
        if doubtful.size:
            found[doubtful] = np.searchsorted(self._edges, values[doubtful], side="right")
        return found

    def _lay(self) -> None:
        """What each cell says: how many edges lie in cells before it, and whether any lies in it."""
        inside = self._cells(self._edges)
        self._place = np.searchsorted(inside, np.arange(CELLS + 3), side="left")
        held = np.bincount(inside, minlength=CELLS + 3)
        self._crowded = held > 0
        self._alone = not (held > 1).any()
        self._before = self._place.astype(np.uint16)
        self._laid = True

    def _cells(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        """The first edge lies in cell 1, so that all below it by a cell's width or more share cell 0."""
        with np.errstate(over="ignore"):
            scaled = (values - self._edges[0]) * self._scale
        scaled += 1.0
        cells: NDArray[np.intp] = np.clip(scaled, 0.0, CELLS + 2.0, out=scaled).astype(np.intp)
        return cells

    def _searched(self, values: NDArray[np.float64], cells: NDArray[np.intp], places: int) -> NDArray[np.int64]:
        if self._alone:  # one edge in the cell: the value is left or right of it
            before = self._place[cells]
            return np.bincount(before + (values >= self._edges[before]), minlength=places)
        return np.bincount(np.searchsorted(self._edges, values, side="right"), minlength=places)
