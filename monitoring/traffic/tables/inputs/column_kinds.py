"""What each column of a reference holds: inputs by their kinds, and why a column is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

import numpy as np
import pyarrow as pa

from monitoring.errors import BadInput
from monitoring.traffic.cells import as_strings, is_list, is_number, is_text, parse_numbers
from monitoring.traffic.descriptors.encoded_image import TRIED, EncodedImageDescriptors
from monitoring.traffic.descriptors.moment import MomentDescriptors, holds_moments
from monitoring.traffic.descriptors.vector import is_vector
from monitoring.traffic.tables.columns import ROW_NAMES, TableColumns, index_columns
from monitoring.traffic.tables.reference import LoadedPiece, types_of
from monitoring.traffic.value_kinds import is_id_name, why_no_input

#: A column of text whose cells are numbers in this share of the rows that have one is a number.
MOSTLY = 0.99

#: Kinds of an input, and of a column that inputs describe.
ColumnKind: TypeAlias = Literal["number", "category", "text", "moment", "sequence", "vector", "image"]
COLUMN_KINDS: Mapping[str, ColumnKind] = {kind: kind for kind in get_args(ColumnKind)}

NOTHING_IGNORED: Mapping[str, str] = MappingProxyType({})


def kinds_of(
    pieces: Sequence[LoadedPiece],
    columns: TableColumns,
    wanted: Sequence[str],
    requested: Mapping[str, str],
    ignored: Mapping[str, str] = NOTHING_IGNORED,
) -> tuple[dict[str, ColumnKind], dict[str, str]]:
    """The inputs and their kinds; "text" is described instead of read.

    Args:
        wanted: names, or NAME:KIND; empty: every named column without another role that is no id and no index.
        requested: inputs with the kind that their owner gives them otherwise; empty: as recognised, but an input.
    """
    there = types_of(pieces)
    declared = dict(_split(word) for word in wanted)
    named = (*declared, *requested)
    absent = [name for name in named if name not in there]
    unusable = [name for name in named if name == "" or name in ignored]
    unusable += [name for name in declared if name in columns.mapped or name in ROW_NAMES]
    if absent or unusable:
        raise BadInput(
            "Not an input." if unusable else "There is no such column.",
            got=", ".join(name or "a column without a name" for name in absent or unusable),
            expected=f"some of {', '.join(n for n in there if n not in columns.mapped)[:300]}",
            fix=f"Check the spelling; kinds of NAME:KIND are {', '.join(COLUMN_KINDS)}."
            if absent
            else f"Give the column a name, another than {', '.join(ROW_NAMES)}, which have a meaning, and one role.",
        )
    names = [*declared, *(name for name in requested if name not in declared)] if declared else list(there)
    kinds: dict[str, ColumnKind] = {}
    left_out = {name: why for name, why in ignored.items() if name in there}
    cells = [(piece, piece.raw.columns()) for piece in pieces]
    indexes = frozenset().union(*(index_columns(piece.raw.table.schema) for piece in pieces))
    for name in names:
        if name in columns.mapped or name in left_out:
            continue
        kind: str
        if not name or (name in indexes and name not in named):
            kind = "an index of pandas" if name else "no name"
        elif name in ROW_NAMES:
            kind = "a name with a meaning"
        else:
            kind = declared.get(name) or requested.get(name) or (_kind if name in named else _recognised)(cells, name)
        if kind in COLUMN_KINDS:
            kinds[name] = COLUMN_KINDS[kind]
        else:
            left_out[name] = kind
    return kinds, left_out


def _recognised(pieces: Sequence[tuple[LoadedPiece, dict[str, pa.Array]]], name: str) -> str:
    """The kind of a column of which its owner says nothing: of an input, or why it is none."""
    kind = _kind(pieces, name)
    cells = [columns[name] for _, columns in pieces if name in columns]
    if kind == "category" and all(holds_moments(column) for column in cells):
        return "moment"
    if any(is_list(column.type) for column in cells):
        return "vector" if is_vector(cells) else "sequence"
    whole = all(pa.types.is_integer(column.type) for column in cells)
    if kind != "category" and not (kind == "number" and whole and is_id_name(name)):
        return kind
    texts = pa.concat_arrays([as_strings(column).cast(pa.large_string()) for column in cells])
    why = why_no_input(texts)
    return "text" if why.startswith("free text") else why or "category"


def _split(word: str) -> tuple[str, str]:
    name, colon, kind = word.rpartition(":")
    return (name, kind) if colon and kind in COLUMN_KINDS else (word, "")


def _kind(pieces: Sequence[tuple[LoadedPiece, dict[str, pa.Array]]], name: str) -> str:
    """`number`, `category`, or what else the column is: as files with types say, else as its cells show."""
    if _holds_images(pieces, name):
        return "image"
    cells = numeric = 0
    for piece, columns in sorted(pieces, key=lambda each: each[0].raw.has_text_cells(name)):
        if name not in columns:
            continue
        column = columns[name]
        if is_number(column.type):
            return "number"
        if is_text(column.type) and not piece.raw.has_text_cells(name):
            return "category"
        if not (is_text(column.type) or pa.types.is_null(column.type)):
            return "moment" if MomentDescriptors.of_type(name, column.type) else f"of type {column.type}"
        values, bad, _ = parse_numbers(column, text=piece.raw.has_text_cells(name))
        numeric += int(np.isfinite(np.asarray(values)).sum())
        cells += int(np.isfinite(np.asarray(values)).sum()) + bad
    return "number" if not cells or numeric >= MOSTLY * cells else "category"


def _holds_images(pieces: Sequence[tuple[LoadedPiece, dict[str, pa.Array]]], name: str) -> bool:
    """Whether a column holds images as files; cells of text files are bytes, too, and hold none."""
    cells = [
        columns[name].drop_null() for piece, columns in pieces if name in columns and not piece.raw.has_text_cells(name)
    ]
    some = [column for column in cells if len(column)]
    return bool(some) and EncodedImageDescriptors.of_column(name, some[0][:TRIED]) is not None
