"""Data frames in memory as files: pandas, pyarrow, or anything with the Arrow interface."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.errors import BadInput
from monitoring.sources.engine_sources import is_relation
from monitoring.traffic.cells import decoded
from monitoring.traffic.tables.raw_rows import RawRows
from monitoring.traffic.tables.times import parse_times


def stored(source: Any, place: Path, *, event_time: str, ids: str) -> Path:
    """The path of a table that is a path already, or a frame in memory.

    A frame without ids gets them from its event times, so that a row keeps its id in a frame that has grown, and has
    another one than a row of a later frame.

    Args:
        source: a path, a pandas frame, a pyarrow table, or anything with the Arrow interface.

    Returns:
        `source` if it is a path, else `place`.

    Raises:
        BadInput: `source` is no table.
    """
    if isinstance(source, (str, Path)):
        return Path(source)
    if is_relation(source):
        raise BadInput(
            "The rows of a frame of Spark, or of a relation of DuckDB, are not copied here.",
            got=f"a {type(source).__name__}",
            expected="a path, a pandas frame or a pyarrow table",
            fix="Judge it with `run`; here, give a file or a frame of the rows that are needed.",
        )
    table = RawRows.of(in_arrow(source)).table
    if ids not in table.column_names and event_time in table.column_names:
        table = table.append_column(ids, _ids(parse_times(decoded(table[event_time])).us))
    place.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, place)
    return place


def _ids(times: np.ndarray) -> pa.Array:
    """Microseconds and, among rows of one time, the place: ``1357000000000000:0``."""
    order = np.argsort(times, kind="stable")
    first = np.searchsorted(times[order], times[order])
    places = np.empty(len(times), dtype=np.int64)
    places[order] = np.arange(len(times)) - first
    return pa.array(
        [f"{time}:{place}" for time, place in zip(times.tolist(), places.tolist(), strict=True)], pa.string()
    )


def in_arrow(source: Any) -> pa.Table:
    """A frame in memory as an Arrow table.

    >>> in_arrow(pa.record_batch({"x": [1, 2]})).num_rows
    2

    Args:
        source: A pandas frame, a pyarrow table, or anything with the Arrow interface.

    Raises:
        BadInput: `source` is no table.
    """
    if isinstance(source, pa.Table):
        return source
    if isinstance(source, pa.RecordBatch):
        return pa.Table.from_batches([source])
    if type(source).__module__.partition(".")[0] == "pandas" and hasattr(source, "iloc"):
        names = [str(name) for name in source.columns]
        return pa.Table.from_arrays([_cells(source.iloc[:, place]) for place in range(len(names))], names=names)
    if hasattr(source, "__arrow_c_stream__"):
        return pa.table(source)
    raise BadInput(
        "Not a table.",
        got=f"a {type(source).__name__}",
        expected="a path, a pandas frame or a pyarrow table",
        fix="Make a frame of it: pandas.DataFrame(rows).",
    )


def _cells(series: Any) -> pa.Array:
    """One column of a frame; cells of several types become text."""
    try:
        cells = pa.array(series, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        missing = np.asarray(series.isna(), dtype=np.bool_)
        cells = pa.array([None if no else str(cell) for cell, no in zip(series, missing, strict=True)], pa.string())
    return cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
