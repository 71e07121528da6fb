"""The columns of a reference that are described instead of read, with what describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from monitoring.traffic.cells import decoded
from monitoring.traffic.descriptors.descriptors import Descriptors
from monitoring.traffic.descriptors.text import TextDescriptors
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.reference import LoadedPiece, types_of
from monitoring.traffic.tables.rows import event_times


def with_described(
    pieces: Sequence[LoadedPiece], columns: TableColumns, kinds: Mapping[str, str]
) -> tuple[TableColumns, dict[str, str]]:
    """Learn what describes some columns, and take that for inputs.

    Args:
        pieces: The reference.
        columns: What its other columns mean.
        kinds: The columns to describe, each with its kind.

    Returns:
        The columns with those inputs and what describes them as rows of the reference; and the reason by the name of
        each column that cannot be described.
    """
    there, times = types_of(pieces), _times(pieces, columns)
    described: list[Descriptors] = []
    left_out = {}
    for name in kinds:
        cells = [
            (decoded(piece.raw.table[name]), us)
            for piece, us in zip(pieces, times, strict=True)
            if name in piece.raw.table.column_names
        ]
        found = TextDescriptors.fit(name, cells)
        taken = [one for one in found.kinds if one in there]
        if taken:
            left_out[name] = f"{kinds[name]}, and {taken[0]} is a column itself"
        else:
            described.append(found)
    inputs = {name: kind for each in described for name, kind in each.kinds.items()}
    return replace(columns, inputs={**columns.inputs, **inputs}, described=tuple(described)), left_out


def _times(pieces: Sequence[LoadedPiece], columns: TableColumns) -> list[NDArray[np.int64]]:
    """When each row happened, or where none says so its place."""
    found, first = [], 0
    for piece in pieces:
        rows = piece.raw.table.num_rows
        dated = columns.event_time in piece.raw.table.column_names
        found.append(event_times(piece.raw, columns).us if dated else np.arange(first, first + rows))
        first += rows
    return found
