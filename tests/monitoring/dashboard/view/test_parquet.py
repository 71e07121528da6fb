from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

import pyarrow.parquet as pq

from monitoring.dashboard.view.parquet import parquet_bytes
from monitoring.dashboard.view.table import Cell, TableView, cell

AT = datetime(2024, 1, 2, tzinfo=UTC)


def test_a_table_is_a_parquet_file_with_types() -> None:
    rows = (
        (cell("2 Jan", AT), Cell(text=""), cell("=1"), cell("3", 3), cell("12 %", 0.125), cell("#1", 1)),
        (cell("3 Jan", AT), Cell(text=""), cell("b"), cell("4", 4), cell("1", 1), cell("none")),
        (Cell(text="none"), Cell(text=""), Cell(text="none"), Cell(text="none"), Cell(text="none"), cell("#2", AT)),
    )
    names = ("Window", "", "Cause", "Rows", "Share", "Open")
    table = pq.read_table(BytesIO(parquet_bytes(TableView(name="t", title="T", columns=names, rows=rows))))
    assert table.column_names == [name for name in names if name]
    assert [str(field.type) for field in table.schema] == [
        "timestamp[us, tz=UTC]",
        "string",
        "int64",
        "double",
        "string",
    ]
    assert table.to_pydict() == {
        "Window": [AT, AT, None],
        "Cause": ["=1", "b", None],
        "Rows": [3, 4, None],
        "Share": [0.125, 1.0, None],
        "Open": ["1", "none", AT.isoformat()],
    }


def test_a_table_without_rows_has_its_columns() -> None:
    empty = TableView(name="t", title="T", columns=("a", "b"), rows=())
    assert pq.read_table(BytesIO(parquet_bytes(empty))).column_names == ["a", "b"]
