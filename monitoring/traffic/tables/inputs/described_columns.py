"""The columns of a reference that are described instead of read, with what describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.traffic.cells import is_list, is_number, is_text
from monitoring.traffic.descriptors.descriptors import Descriptors
from monitoring.traffic.descriptors.encoded_image import EncodedImageDescriptors
from monitoring.traffic.descriptors.language import can_tell_languages
from monitoring.traffic.descriptors.moment import MomentDescriptors
from monitoring.traffic.descriptors.sequence import SequenceDescriptors
from monitoring.traffic.descriptors.text import TextDescriptors
from monitoring.traffic.descriptors.vector import VectorDescriptors, is_vector
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.reference import LoadedPiece, types_of
from monitoring.traffic.tables.rows import event_times


def with_described(
    pieces: Sequence[LoadedPiece], columns: TableColumns, kinds: Mapping[str, str]
) -> tuple[TableColumns, dict[str, str]]:
    """Learn what describes some columns, and take that for inputs.

    Returns:
        The columns with those inputs and what describes them as rows of the reference; and the reason by the name of
        each column that cannot be described.
    """
    there, times = types_of(pieces), _times(pieces, columns)
    described: list[Descriptors] = []
    left_out = {}
    for name, kind in kinds.items():
        cells = [
            (piece.raw.cells(name), us)
            for piece, us in zip(pieces, times, strict=True)
            if name in piece.raw.table.column_names
        ]
        descriptors = _fitted(name, kind, cells)
        clashes = [descriptor_name for descriptor_name in descriptors.kinds if descriptor_name in there]
        if clashes:
            left_out[name] = f"{kind}, and {clashes[0]} is a column itself"
        elif columns.event_time not in there and f"{name}.days_before" in descriptors.kinds:
            left_out[name] = "a date, and no row has an event time"
        else:
            described.append(descriptors)
    inputs = {name: kind for each in described for name, kind in each.kinds.items()}
    return columns.replaced(inputs={**columns.inputs, **inputs}, described=tuple(described)), left_out


def _fitted(name: str, kind: str, cells: Sequence[tuple[pa.Array, NDArray[np.int64]]]) -> Descriptors:
    """What describes a column of a kind. Raises BadInput for cells of another."""
    types = list(dict.fromkeys(column.type for column, _ in cells if not pa.types.is_null(column.type)))
    descriptors: Descriptors | None = None
    if kind == "text":
        descriptors = (
            TextDescriptors.fit(name, cells, language=can_tell_languages()) if all(map(is_text, types)) else None
        )
    elif kind == "moment":
        descriptors = next(filter(None, (MomentDescriptors.of_type(name, each) for each in types)), None)
    elif kind == "image":
        descriptors = EncodedImageDescriptors(source=name)
    elif kind == "sequence":
        numbers = all(is_list(each) and is_number(each.value_type) for each in types)
        descriptors = SequenceDescriptors(source=name, numbers=numbers)
    elif is_vector([column for column, _ in cells]):
        descriptors = VectorDescriptors.fit(name, [column for column, _ in cells])
    if descriptors is None or not all(map(descriptors.reads, types)):
        raise BadInput(
            "An input is of another kind than it was declared.",
            got=f"{name}, a {kind}: {', '.join(map(str, types)) or 'no cell'}",
            expected="text; bytes for an image; dates, times or durations for a moment; lists for a sequence, of one "
            "length for a vector",
            fix="Declare the other kind, --features NAME:KIND, or convert the column.",
        )
    return descriptors


def _times(pieces: Sequence[LoadedPiece], columns: TableColumns) -> list[NDArray[np.int64]]:
    """When each row happened, or where none says so its place."""
    times, first = [], 0
    for piece in pieces:
        rows = piece.raw.table.num_rows
        dated = columns.event_time in piece.raw.table.column_names
        times.append(event_times(piece.raw, columns).us if dated else np.arange(first, first + rows))
        first += rows
    return times
