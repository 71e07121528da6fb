"""The segment in which alone an input moved: one value of another input, while all other rows are as before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.profile import Bins
from monitoring.records import InputShift
from monitoring.watches.scoring import slice_codes

Floats = NDArray[np.float64]

#: Rows that a segment and all others need, before and now.
LEAST_ROWS = 30

#: Inputs with more categories than this are no segments.
MAX_VALUES = 30

#: A segment moved if its rows did by so many standard errors; the others did not if they did by no more than so many,
#: or by no more than this part of what the segment did.
MOVED_ERRORS = 5.0
STILL_ERRORS = 2.5
STILL_PART = 0.1


def shifted_segment(
    shift: InputShift | None, name: str, bins: Sequence[Bins], before: Iterable[pa.Table], now: Iterable[pa.Table]
) -> str:
    """The value of another input in whose rows alone an input moved.

    Args:
        shift: How the input moved; None where it is missing more often.
        name: The input.
        before, now: Inputs of live rows before the onset and since.

    Returns:
        The segment as `column=value`, that with the largest movement; empty where no single value has it all.
    """
    by_name = {each.feature: each for each in bins}
    if name not in by_name or (shift is not None and shift.what == "constant"):
        return ""
    columns = [each for each in bins if each.feature != name and each.categories and len(each.categories) <= MAX_VALUES]
    if not columns:
        return ""
    sides = [_side(tables, by_name[name], columns, shift) for tables in (before, now)]
    if not all(scores.size for scores, _ in sides):
        return ""
    found = [
        (change, f"{column.feature}={value}")
        for place, column in enumerate(columns)
        for code, value in enumerate(column.categories or ())
        if (change := _change_inside_alone(sides, place, code)) > 0.0
    ]
    return max(found, default=(0.0, ""))[1]


def _side(
    tables: Iterable[pa.Table], bins: Bins, columns: Sequence[Bins], shift: InputShift | None
) -> tuple[Floats, NDArray[np.int64]]:
    """The score in [0, 1] of each row, [n], and its category in each column, [columns, n]."""
    parts = list(_parts(tables, bins, columns, shift))
    if not parts:
        return np.empty(0), np.empty((len(columns), 0), dtype=np.int64)
    scores = np.concatenate([scores for scores, _ in parts])
    codes = np.concatenate([codes for _, codes in parts], axis=1)
    kept = ~np.isnan(scores)
    return scores[kept], codes[:, kept]


def _parts(
    tables: Iterable[pa.Table], bins: Bins, columns: Sequence[Bins], shift: InputShift | None
) -> Iterator[tuple[Floats, NDArray[np.int64]]]:
    needed = {bins.feature, *(column.feature for column in columns)}
    for table in tables:
        if table.num_rows and needed <= {*table.column_names}:
            codes = [slice_codes(table[column.feature], column.categories or ()) for column in columns]
            yield _scores(table[bins.feature], bins, shift), np.array(codes, dtype=np.int64)


def _scores(column: pa.ChunkedArray, bins: Bins, shift: InputShift | None) -> Floats:
    """What of each row moved: the bin of a number, whether it has the category or an unknown one; NaN if missing."""
    values = column.combine_chunks()
    missing = np.asarray(values.is_null(nan_is_null=True), dtype=np.bool_)
    if shift is None:
        return missing.astype(np.float64)
    if bins.edges is not None:
        numbers = np.asarray(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
        scores = np.searchsorted(np.asarray(bins.edges), numbers, side="right") / max(len(bins.edges), 1)
    else:
        categories = bins.categories or ()
        codes = slice_codes(column, categories)
        wanted = categories.index(shift.category) if shift.category else len(categories)
        scores = (codes == wanted).astype(np.float64)
    return np.where(missing, np.nan, scores)


def _change_inside_alone(sides: Sequence[tuple[Floats, NDArray[np.int64]]], place: int, code: int) -> float:
    """How far the rows of one category moved, where they did and all others did not; else 0."""
    moved = []
    for inside in (True, False):
        before, now = (scores[(codes[place] == code) == inside] for scores, codes in sides)
        if min(before.size, now.size) < LEAST_ROWS:
            return 0.0
        error = float(np.sqrt(before.var() / before.size + now.var() / now.size))
        moved.append((abs(float(now.mean() - before.mean())), error))
    (change, error), (other, other_error) = moved
    is_still = other <= max(STILL_ERRORS * other_error, STILL_PART * change)
    return change if change > MOVED_ERRORS * error and is_still else 0.0
