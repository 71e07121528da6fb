"""A table of a page as a Parquet file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.dashboard.view.table import TableView
from monitoring.reports.csv_rows import Value


def parquet_bytes(table: TableView) -> bytes:
    """A table as a Parquet file: whole numbers, numbers, times in UTC, and else text; no column of drawings alone."""
    heads = [(place, head) for place, head in enumerate(table.columns) if head]
    columns = [_column([row[place].value for row in table.rows]) for place, _ in heads]
    file = BytesIO()
    pq.write_table(pa.table(columns, names=[head for _, head in heads]), file)
    return file.getvalue()


def _column(values: Sequence[Value]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int}:
        return pa.array(values, pa.int64())
    if kinds and kinds <= {int, float}:
        return pa.array([None if value is None else float(str(value)) for value in values], pa.float64())
    if kinds == {datetime}:
        return pa.array(values, pa.timestamp("us", tz="UTC"))
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Value) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
