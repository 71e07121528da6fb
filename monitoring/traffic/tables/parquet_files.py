"""Parquet files, here or at a URL, and what a table of many makes of the columns of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from monitoring.traffic.cells import is_text, value_type
from monitoring.traffic.remote.file_store import FileStore

#: No places.
NO_ROWS = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FileView:
    """How one file of a table has the table's columns: of a Delta Lake or Apache Iceberg table, or in named folders.

    Attributes:
        stored: The names that columns have in the file, by their names in the table.
        constants: What every row of the file has in a column that is not in it; null in any other column.
        deleted: The places in the file of rows that are no longer the table's, int64, sorted.
        of_lake: Whether a version of the table says which files it has.
    """

    schema: pa.Schema
    stored: Mapping[str, str]
    constants: Mapping[str, Any] = field(default_factory=dict)
    deleted: NDArray[np.int64] = field(default_factory=lambda: NO_ROWS)
    of_lake: bool = True

    def rows(self, table: pa.Table, names: Sequence[str], first: int) -> pa.Table:
        """Rows of the file as the table has them.

        Raises:
            ArrowInvalid: A cell does not fit its column's type.
        """
        columns = []
        for name in names:
            kind, stored = self.schema.field(name).type, self.stored.get(name)
            if stored in table.column_names:
                columns.append(_as(table[stored], kind))
            else:
                columns.append(pa.repeat(pa.scalar(self.constants.get(name), kind), table.num_rows))
        low, high = np.searchsorted(self.deleted, [first, first + table.num_rows])
        whole = pa.table(columns, names=list(names), metadata=self.schema.metadata) if names else table.select([])
        if low == high:
            return whole
        is_kept = np.ones(table.num_rows, dtype=np.bool_)
        is_kept[self.deleted[low:high] - first] = False
        return whole.filter(pa.array(is_kept))


def _as(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if column.type == kind or pa.types.is_nested(kind) or (is_text(value_type(column.type)) and is_text(kind)):
        return column
    return pc.cast(
        column, kind, safe=not pa.types.is_timestamp(kind)
    )  # nanoseconds of old files are whole microseconds


class TableFile(NamedTuple):
    """A file of a table."""

    name: str
    """As the table's path names it."""
    path: Path | str
    """Where it is opened; a URL where it is read in its place."""
    view: FileView | None = None
    """What the table makes of it; None: it is read as it is."""


def open_parquet(path: Path | str, **options: Any) -> pq.ParquetFile:
    """Open a Parquet file here, or at a URL where it is read in its place.

    Raises:
        OSError: It cannot be read.
        ArrowInvalid: It is no Parquet file.
    """
    if isinstance(path, Path):
        return pq.ParquetFile(path, **options)
    base, _, key = path.rpartition("/")
    return _store(base).parquet(key, **options)


def parquet_metadata(path: Path | str) -> pq.FileMetaData:
    """The footer of a Parquet file. Raises as `open_parquet` does."""
    with open_parquet(path) as file:
        return file.metadata


def file_stamp(path: Path | str) -> tuple[Any, ...]:
    """What changes when a file does: its size and time of change in nanoseconds; at a URL what the store says."""
    if isinstance(path, Path):
        status = path.stat()
        return status.st_size, status.st_mtime_ns
    base, _, key = path.rpartition("/")
    return (_store(base).stamp(key),)


@lru_cache(maxsize=64)
def _store(base: str) -> FileStore:
    return FileStore(base)
