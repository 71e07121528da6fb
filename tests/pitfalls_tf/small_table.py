"""A small table of one's own, which a network learns in a second: two sites, a hundred days, two classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pitfalls_tf.sources.table import TableFile
from pitfalls_tf.training.setup import HeldOut, Setup

if TYPE_CHECKING:
    from pathlib import Path


def write_rows(path: Path, *, rows: int = 600, **columns: Any) -> TableFile:
    """Write rows in order of time and say which columns are what; `columns` replace those made here."""
    random = np.random.default_rng(11)
    size, kind = random.normal(size=rows).astype(np.float32), random.integers(0, 3, rows)
    late = size + (kind == 1) + random.normal(0, 0.5, rows) > 0.4
    made = {
        "when": pa.array(np.arange(rows) * (100 * 86_400_000_000 // rows)).cast(pa.timestamp("us", tz="UTC")),
        "site": pa.array(np.where(np.arange(rows) % 2, "north", "south")),
        "size": pa.array(size),
        "kind": pa.array(np.array(["a", "b", "c"])[kind]),
        "outcome": pa.array(np.where(late, "late", "on time")),
    }
    pq.write_table(pa.table(made | columns), path)
    return TableFile(path=path, label="outcome", time="when", domain="site")


def small_setup(path: Path, **settings: Any) -> Setup:
    """A setup of such a table, two epochs of the plain perceptron."""
    given = {"epochs": 2, "batch": 32, "held_out": HeldOut(), **settings}
    return Setup(source="table", table=write_rows(path), **given)
