"""Reads a table from a Parquet or CSV file."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from monitoring.errors import BadInput


def read_table(path: Path) -> pa.Table:
    """Read a table; the suffix of the file's name decides the format."""
    readers = {".parquet": pq.read_table, ".csv": pyarrow.csv.read_csv, ".gz": pyarrow.csv.read_csv}
    reader = readers.get(path.suffix)
    if reader is None:
        _refuse(path, f"a file whose name ends in {path.suffix or 'nothing'}")
    try:
        table: pa.Table = reader(path)
    except (OSError, pa.ArrowException) as error:
        _refuse(path, str(error))
    return table


def _refuse(path: Path, reason: str) -> NoReturn:
    raise BadInput(
        "The table cannot be read.",
        got=f"{path}: {reason}",
        expected="a .parquet, .csv or .csv.gz file",
        fix="Check the path, or convert the table.",
    )
