"""Which rows are to be erased: those of some predictions, or with a value in a column."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.traffic.erased_ids import ErasedIds
from monitoring.traffic.format.rows import ANSWER_ID, INPUT, OUTPUT, answer_ids, prediction_ids

REQUEST_ID, ROW = "request_id", "row"
ID_COLUMNS = (REQUEST_ID, ROW, ANSWER_ID)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnValue:
    """A column and a value in it."""

    column: str
    value: str

    @classmethod
    def of(cls, text: str) -> ColumnValue:
        """Read COLUMN=VALUE.

        >>> ColumnValue.of("email=ada@example.org").column
        'email'
        """
        column, mark, value = text.partition("=")
        if not (mark and column and value):
            raise BadInput(
                "--where is not a column and a value.",
                got=f"{len(text)} characters",
                expected="COLUMN=VALUE, such as customer_id=4711",
                fix="Correct --where; quote it if the value has spaces.",
            )
        return cls(column=column, value=value)

    def column_in(self, names: Sequence[str]) -> str | None:
        """The column of a file that is meant: of this name, or the input or output of this name; None without."""
        spellings = (self.column, f"{INPUT}{self.column}", f"{OUTPUT}{self.column}")
        return next((name for name in spellings if name in names), None)

    def matches(self, column: pa.ChunkedArray) -> NDArray[np.bool_]:
        """Which cells have the value: as text, as bytes, or as a number; of lists those with it among their elements.

        >>> ColumnValue(column="n", value="7").matches(pa.chunked_array([[[7.0], [8.0, 7.0], []]])).tolist()
        [True, True, False]

        Args:
            column: cells [n].

        Returns:
            bool [n]; null cells do not have it.
        """
        cells = column.combine_chunks()
        if pa.types.is_dictionary(cells.type):
            cells = cells.dictionary_decode()
        if not (pa.types.is_list(cells.type) or pa.types.is_large_list(cells.type)):
            return self._equal(cells)
        mask = np.zeros(len(cells), dtype=np.bool_)
        mask[np.asarray(pc.list_parent_indices(cells))[self._equal(pc.list_flatten(cells))]] = True
        return mask

    def _equal(self, cells: pa.Array) -> NDArray[np.bool_]:
        kind = cells.type
        try:
            if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
                wanted = pa.scalar(self.value.encode(), kind)
            elif pa.types.is_floating(kind):
                wanted = pa.scalar(float(self.value), pa.float64()).cast(kind)
            elif pa.types.is_integer(kind):
                wanted = pa.scalar(int(self.value), kind)
            else:
                wanted, cells = pa.scalar(self.value), cells.cast(pa.string())
        except (ValueError, OverflowError, pa.ArrowException):  # no cell of this type has such a value
            return np.zeros(len(cells), dtype=np.bool_)
        return np.asarray(pc.fill_null(pc.equal(cells, wanted), fill_value=False), dtype=np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRows:
    """The rows to erase. `ids`: the ids of their predictions, sorted, each once."""

    ids: tuple[str, ...]
    pending: ErasedIds | None = None
    where: ColumnValue | None = None
    _known: pa.Array = field(init=False, repr=False, compare=False)
    _requests: list[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_known", pa.array(self.ids, pa.string()))
        object.__setattr__(self, "_requests", sorted({prediction_id.rpartition(":")[0] for prediction_id in self.ids}))

    def of_ids(self, ids: pa.Array) -> NDArray[np.bool_]:
        """Which of some ids are wanted, bool [n]; null ids are not."""
        mask = np.asarray(pc.is_in(ids, self._known), dtype=np.bool_)
        if self.pending is not None and self.pending.hashes:
            mask |= self.pending.contains(pc.fill_null(ids, ""))
        return mask

    def of_rows(self, table: pa.Table) -> NDArray[np.bool_]:
        """Which rows of the log, with the columns of `ID_COLUMNS` that it has, are wanted by either id, bool [n]."""
        mask = self.of_ids(prediction_ids(table))
        return mask | self.of_ids(answer_ids(table)) if ANSWER_ID in table.column_names else mask

    def count(self, file: pq.ParquetFile) -> int:
        """How many rows of a part are wanted.

        Cost: the footer; and three columns of the row groups between whose least and greatest id a wanted one is, or of
        all where ids are known by their hashes alone.
        """
        groups = [group for group in range(file.metadata.num_row_groups) if self._may_be_in(file, group)]
        if not groups:
            return 0
        return int(self.of_rows(file.read_row_groups(groups, columns=id_columns(file))).sum())

    def _may_be_in(self, file: pq.ParquetFile, group: int) -> bool:
        if self.pending is not None and self.pending.hashes:
            return True
        return any(self._may_be_between(group_bounds(file, group, name)) for name in id_columns(file) if name != ROW)

    def _may_be_between(self, bounds: tuple[object, object] | None) -> bool:
        if bounds is None:
            return bool(self.ids)
        low, high = map(str, bounds)
        place = bisect_left(self._requests, low)
        return place < len(self._requests) and self._requests[place] <= high


def id_columns(file: pq.ParquetFile) -> list[str]:
    """The columns of a part that make its rows' ids; parts of earlier versions have no answer ids."""
    return [name for name in ID_COLUMNS if name in file.schema_arrow.names]


def group_bounds(file: pq.ParquetFile, group: int, column: str) -> tuple[object, object] | None:
    """The least and the greatest value of a column in a row group, of lists of their elements; None if not known."""
    metadata = file.metadata.row_group(group)
    for place in range(metadata.num_columns):
        chunk = metadata.column(place)
        if chunk.path_in_schema == column or chunk.path_in_schema.startswith(f"{column}."):
            statistics = chunk.statistics
            has_bounds = chunk.is_stats_set and statistics is not None and statistics.has_min_max
            return (statistics.min, statistics.max) if has_bounds else None
    return None
