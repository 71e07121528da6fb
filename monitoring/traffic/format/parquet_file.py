"""Parquet files that are there whole, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.atomic import replacing

ROWS_PER_GROUP = 65_536


def write_parquet(path: Path, rows: pa.Table, *, durable: bool = True) -> None:
    """Write a Parquet file to a temporary name and rename it into place.

    Args:
        durable: Whether it survives a power cut from then on; see `monitoring.atomic`.
    """
    with replacing(path, durable=durable) as file:
        _write(rows, file)


def parquet_bytes(rows: pa.Table) -> bytes:
    """The bytes of the file that `write_parquet` writes, for a destination elsewhere."""
    sink = pa.BufferOutputStream()
    _write(rows, sink)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _write(rows: pa.Table, sink: BinaryIO | pa.NativeFile) -> None:
    pq.write_table(rows, sink, row_group_size=ROWS_PER_GROUP, compression="zstd")
