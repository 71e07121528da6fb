"""Parquet files that are there whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ASIDE_SUFFIX = ".tmp"
ROWS_PER_GROUP = 65_536


def write_parquet(path: Path, rows: pa.Table) -> None:
    """Writes a Parquet file aside, syncs it and renames it: there is never a half one at `path`. Raises OSError."""
    aside = path.with_name(path.name + ASIDE_SUFFIX)
    try:
        with aside.open("wb") as file:
            pq.write_table(rows, file, row_group_size=ROWS_PER_GROUP, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        aside.rename(path)
    except OSError:
        aside.unlink(missing_ok=True)  # on a full disk, what is left over would keep it full
        raise
