"""What the owner of a reference table should know of the baseline that it makes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.profile import MAX_CATEGORIES
from monitoring.baseline.undated import FEWEST_ROWS
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.tasks.outputs import by_output

Whole = NDArray[np.int64]

#: Fewer baseline windows than this detect only large changes.
FEW_WINDOWS = 20

#: A window of fewer rows is joined to the next, unless windows are cut smaller.
MIN_ROWS = 200

#: The share of windows that have as many rows as are tested by themselves, and the fewest rows that are.
USUAL_SHARE = 0.9
FEWEST_TESTED = 30


def min_rows(sizes: Whole, rows_per_window: int | None = None) -> int:
    """The `min_rows` of a new config: as many as nearly every window of the reference has, so each is tested alone.

    >>> day = np.array([150, 140, 160, 170, 20] * 8)
    >>> min_rows(np.full(90, 5_000)), min_rows(day[day > 20]), min_rows(np.full(90, 3)), min_rows(day, 25)
    (200, 140, 13, 25)

    Args:
        rows_per_window: Those of a window, where windows are cut by rows; else None.

    Returns:
        The rows that `USUAL_SHARE` of the windows with any have; at least `FEWEST_TESTED`, at most `MIN_ROWS`, and no
        more than give the reference `FEW_WINDOWS` windows, if that is no fewer than `FEWEST_ROWS`.
    """
    some = sizes[sizes > 0]
    usual = int(np.quantile(some, 1.0 - USUAL_SHARE)) if some.size else MIN_ROWS
    most = min(MIN_ROWS, rows_per_window or MIN_ROWS, max(int(sizes.sum()) // FEW_WINDOWS, FEWEST_ROWS))
    return min(max(usual, FEWEST_TESTED), most)


def min_rows_note(sizes: Whole, least: int) -> tuple[str, ...]:
    """What `min_rows` means for windows of few rows, and what another value would; nothing where windows have many.

    >>> min_rows_note(np.full(90, 150), 150)[0].partition(": ")[0]
    'Windows have 150 rows in the median, so min_rows is 150'
    """
    some = sizes[sizes > 0]
    usual = int(np.median(some)) if some.size else MIN_ROWS
    if usual >= MIN_ROWS:
        return ()
    if usual < least:
        message = (
            f"Windows have {usual} rows in the median, and min_rows is {least}: some {-(-least // max(usual, 1))} are "
            "tested together, and harm is told once they are full."
        )
    else:
        message = f"Windows have {usual} rows in the median, so min_rows is {least}: nearly each is tested by itself."
    return (message,)


def reference_notes(table: pa.Table, columns: TableColumns, windows: int) -> tuple[str, ...]:
    """Notes on categories of many values, on labels, and on few windows."""
    notes = [*_many_categories(table, columns)]
    if not columns.answer:
        return (*notes, "The table has no answers of a model: its inputs are watched alone.", *few_windows(windows))
    for output, rows, _ in by_output(table, columns):
        notes += [f"Output {output}: {note}" if output else note for note in _label_notes(rows)]
    return (*notes, *few_windows(windows))


def _label_notes(table: pa.Table) -> Iterator[str]:
    names = table["label"].drop_null().unique().to_pylist()
    if len(names) == 1:
        yield f"All labels of the reference are {names[0]}: they hardly show how wrong the model is."
    if not names:
        yield "The reference has no labels: inputs and answers are watched, errors are not."


def few_windows(windows: int) -> tuple[str, ...]:
    """The note that a baseline has few windows; none where it has `FEW_WINDOWS`.

    >>> few_windows(12)
    ('12 windows are few: only large harm is detected; 20 or more are better.',)
    """
    if windows >= FEW_WINDOWS:
        return ()
    return (f"{windows} windows are few: only large harm is detected; {FEW_WINDOWS} or more are better.",)


def _many_categories(table: pa.Table, columns: TableColumns) -> Iterator[str]:
    for name, column in zip(table.column_names, table.columns, strict=True):
        if columns.inputs.get(name) == "category" and (values := len(column.unique())) > MAX_CATEGORIES:
            yield (
                f"{name} has {values:,} values: the {MAX_CATEGORIES} commonest are counted one by one, and all "
                "others together."
            )
