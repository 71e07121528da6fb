"""Columns that folders name: files in `day=2026-10-01/region=EU` have a day and a region."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

import pyarrow as pa

from monitoring.traffic.tables.parquet_files import FileView

#: Where the metadata of a schema have the columns whose cells are text although the file has types.
_TEXT_COLUMNS = b"pitfalls.text_columns"

#: What stands for a missing value.
_MISSING = "__HIVE_DEFAULT_PARTITION__"


def folder_columns(name: str) -> dict[str, str | None]:
    """What the folders of a file say of all of its rows, by column; None for a missing value.

    >>> folder_columns("day=2026-10-01/shop=No%201/a=b.csv")
    {'day': '2026-10-01', 'shop': 'No 1'}

    Args:
        name: The file, as the table's path names it.
    """
    parts = (folder.partition("=") for folder in name.split("/")[:-1])
    named = {unquote(column): value for column, equals, value in parts if column and equals}
    return {column: None if value == _MISSING else unquote(value) for column, value in named.items()}


def folder_remark(columns: Mapping[str, str | None]) -> tuple[str, ...]:
    """What is to be said of them; nothing without any."""
    if not columns:
        return ()
    which = f"the column {next(iter(columns))} is" if len(columns) == 1 else f"the columns {', '.join(columns)} are"
    return (f"{which} read from the names of folders, as text",)


def with_folder_columns(view: FileView | None, schema: pa.Schema, columns: Mapping[str, str | None]) -> FileView | None:
    """How a Parquet file has the columns of its folders; a column of its own counts in place of one of them.

    Args:
        view: What a table of Delta Lake or Iceberg makes of the file, whose columns are all known.
        schema: The file's columns.
    """
    more = {name: value for name, value in columns.items() if name not in schema.names}
    if view is not None or not more:
        return view
    fields = {field.name: field for field in reversed([*schema])}
    names = dict.fromkeys(schema.names)
    return FileView(
        schema=pa.schema(
            [*(fields[name] for name in names), *(pa.field(name, pa.string()) for name in more)],
            {**(schema.metadata or {}), _TEXT_COLUMNS: "\0".join(more).encode()},
        ),
        stored={name: name for name in names},
        constants=more,
        of_lake=False,
    )


def text_columns(schema: pa.Schema) -> tuple[str, ...]:
    """The columns of a file with types that are text from the names of folders."""
    names = (schema.metadata or {}).get(_TEXT_COLUMNS)
    return tuple(names.decode().split("\0")) if names else ()


def with_text_columns(table: pa.Table, columns: Mapping[str, str | None]) -> pa.Table:
    """The rows of a text file, whose cells are bytes, with the columns of its folders."""
    for name, value in columns.items():
        if name not in table.column_names:
            cell = pa.scalar(None if value is None else value.encode(), pa.binary())
            table = table.append_column(name, pa.repeat(cell, table.num_rows))
    return table
