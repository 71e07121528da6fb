"""Rows as a file has them, each cell decoded once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Self

import pyarrow as pa

from monitoring.config.table_section import TableFormat
from monitoring.traffic.cells import decoded
from monitoring.traffic.tables.folder_columns import text_columns
from monitoring.traffic.tables.quotes import UnbalancedQuotes
from monitoring.traffic.tables.table_format import AS_FILES_SHOW


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRows:
    """Rows as a file has them: each column name once (`duplicates` occurred again, and were left out).

    `text`: every cell is text, as in CSV; `malformed` counts lines that had another number of fields, and
    `unbalanced` describes lines that an unbalanced quote made part of a field. `remarks` say how the file was read, and
    `guessed` is what of that was guessed.
    """

    table: pa.Table
    duplicates: tuple[str, ...] = ()
    text: bool = False
    malformed: int = 0
    unbalanced: UnbalancedQuotes | None = None
    remarks: tuple[str, ...] = ()
    guessed: TableFormat = AS_FILES_SHOW

    @classmethod
    def of(
        cls, table: pa.Table, names: Collection[str] | None = None, *, coded: Collection[str] = (), **read: Any
    ) -> Self:
        """The first column of each name, of those that are asked for, each as one array.

        Args:
            names: The columns; None for all.
            coded: Columns that stay dictionaries where they are; others are decoded.
            read: The other fields.
        """
        places: dict[str, int] = {}
        duplicates: dict[str, None] = {}
        for place, name in enumerate(table.column_names):
            if name in places:
                duplicates[name] = None
            elif names is None or name in names:
                places[name] = place
        chosen = table.select([*places.values()])
        if any(column.num_chunks != 1 or pa.types.is_dictionary(column.type) for column in chosen.columns):
            cells = [
                _combined(column) if name in coded else decoded(column)
                for name, column in zip(chosen.column_names, chosen.columns, strict=True)
            ]
            fields = [field.with_type(array.type) for field, array in zip(chosen.schema, cells, strict=True)]
            chosen = pa.Table.from_arrays(cells, schema=pa.schema(fields, chosen.schema.metadata))
        return cls(table=chosen, duplicates=(*duplicates,), **read)

    def text_cells(self) -> frozenset[str]:
        """The columns whose cells are text whatever they hold: all of a text file, and those that folders name."""
        return frozenset(self.table.column_names if self.text else text_columns(self.table.schema))

    def has_text_cells(self, name: str) -> bool:
        """Whether the cells of a column are text whatever they hold."""
        return self.text or name in text_columns(self.table.schema)

    def __contains__(self, name: str) -> bool:
        return name in self.table.column_names

    def cells(self, name: str) -> pa.Array:
        """A column."""
        return _combined(self.table[name])

    def columns(self) -> dict[str, pa.Array]:
        """Every column by its name. To find one in a table of thousands takes milliseconds, here nothing."""
        return dict(zip(self.table.column_names, map(_combined, self.table.columns), strict=True))


def _combined(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
