"""Repeated ids: which rows have the id of an earlier row, and other inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.traffic.format.rows import INPUT, prediction_ids
from monitoring.traffic.log.conversion import POSITION
from monitoring.traffic.log.scans import Scan


def conflicting_rows(scans: Sequence[Scan]) -> list[tuple[Scan, NDArray[np.int64]]]:
    """Find the rows whose id an earlier row has, with other inputs. Versions may have inputs of other names and types.

    Cost: some microseconds a row and input; meant for the rows of repeated ids alone.

    Args:
        scans: All rows of some ids, of one model, with all columns; scans without a key are ignored.

    Returns:
        Each scan with the indices of such rows in it.
    """
    scans = [scan for scan in scans if scan.key is not None]
    written = sorted(
        (scan.segment, position, number, index)
        for number, scan in enumerate(scans)
        for index, position in enumerate(scan.table[POSITION].to_pylist())
    )
    ids = [prediction_ids(scan.table).to_pylist() for scan in scans]
    contents = [_contents(scan.table) for scan in scans]
    first: dict[str, str] = {}
    found: list[list[int]] = [[] for _ in scans]
    for _, _, number, index in written:
        content = contents[number][index]
        if first.setdefault(ids[number][index], content) != content:
            found[number].append(index)
    return [(scan, np.array(sorted(rows), np.int64)) for scan, rows in zip(scans, found, strict=True)]


def _contents(table: pa.Table) -> list[str]:
    """The inputs of each row, as a text; equal NaNs are equal."""
    names = sorted(name for name in table.column_names if name.startswith(INPUT))
    columns = [table[name].to_pylist() for name in names]
    return [repr((names, values)) for values in zip(*columns, strict=True)] or [""] * table.num_rows
