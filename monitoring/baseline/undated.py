"""Reference rows without dates: put into a drawn order, and cut into windows of so many rows.

Windows are drawn without replacement. Drawn with it, they would vary as live windows do but would share the error of
the reference's own mean, and the test would trust that mean as if it came from as many rows as the windows have.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: Windows that a reference without dates is cut into where it has the rows; the fewest and the most there should be.
WINDOWS = 30
FEWEST_WINDOWS = 20
MOST_WINDOWS = 365

#: Rows that a window should have, and the fewest that it has.
ROWS = 200
FEWEST_ROWS = 10

#: The order is the same at every reading.
SEED = 0

_TIMESTAMP = pa.timestamp("us", tz="UTC")


def rows_per_window(rows: int, live: int | None = None) -> int:
    """How many rows each window of a reference without dates has.

    Live windows of fewer rows are given the variance of as few. Of more rows they vary less than assumed, which costs
    power; but windows of as many would be too few where the reference is small, and the error of its mean would show.

    Returns:
        `live`, or a part of `rows`, between `FEWEST_WINDOWS` and `MOST_WINDOWS` windows; at least `FEWEST_ROWS` rows.

    >>> [rows_per_window(rows) for rows in (300, 3_000, 100_000)], rows_per_window(100_000, live=500)
    ([15, 150, 3333], 500)
    """
    wanted = max(rows // WINDOWS, ROWS) if live is None else max(live, -(-rows // MOST_WINDOWS))
    return max(min(wanted, rows // FEWEST_WINDOWS), FEWEST_ROWS)


def in_drawn_order(table: pa.Table, groups: pa.Array | None = None) -> pa.Table:
    """Rows in an order drawn by `SEED`, with event times a microsecond apart, and labels known at once.

    Args:
        groups: The group of each row, text [n]: its rows stay together, as they are no independent ones.
    """
    rng = np.random.default_rng(SEED)
    order = rng.permutation(table.num_rows)
    if groups is not None:
        codes = np.asarray(pc.fill_null(groups.dictionary_encode().indices, -1), dtype=np.int64)
        alone = codes < 0
        codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
        order = np.argsort(rng.permutation(int(codes.max(initial=-1)) + 1)[codes], kind="stable")
    drawn = table.take(pa.array(order))
    times = pa.array(np.arange(table.num_rows), pa.int64()).cast(_TIMESTAMP)
    label_times = pc.if_else(drawn["label"].is_valid(), times, pa.scalar(None, _TIMESTAMP))
    for name, column in (("event_time", times), ("label_time", label_times)):
        drawn = drawn.set_column(drawn.column_names.index(name), name, column)
    return drawn
