"""Tables in which a row may have several classes: how they are told, and what their columns must hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput
from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.task import NO_LABEL
from monitoring.traffic.cells import is_list, value_type
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.reference import LoadedPiece, check_scores
from monitoring.traffic.tables.rows import coded_labels

#: Labels that are quoted at most.
_QUOTED = 5


def holds_sets(pieces: Sequence[LoadedPiece], label: str, label_columns: Sequence[str]) -> bool:
    """Whether a table's own labels say that a row may have several classes: several columns of them, or lists."""
    tables = [piece.raw.table for piece in pieces if label in piece.raw.table.column_names]
    return bool(label_columns) or any(is_list(value_type(table.schema.field(label).type)) for table in tables)


def with_sets(
    pieces: Sequence[LoadedPiece], columns: TableColumns, classes: Sequence[str], class_slices: Sequence[str]
) -> TableColumns:
    """The columns with the classes, in the order of the scores.

    Args:
        classes: the classes as the user named them; empty: the names of the columns of labels, or of scores.
    """
    if columns.predicted is not None or class_slices:
        raise BadInput(
            "Where a row may have several classes, each has a probability and losses of its own.",
            got=f"class_slices {', '.join(class_slices)}" if class_slices else f"the answers {columns.predicted}",
            expected="--score with a column for each class, or a column of lists; and no --class-slices",
            fix="Name the columns of probabilities with --score, or give --task classification.",
        )
    names = tuple(classes) or columns.label_columns or (columns.scores if len(columns.scores) > 1 else ())
    width = _width(pieces, columns)
    if len(names) != width or (columns.label_columns and len(columns.label_columns) != width):
        raise BadInput(
            "The classes do not fit the scores." if names else "The classes have to be named.",
            got=f"{width} scores, {len(names)} classes"
            + (
                f", {len(of)} columns of labels"
                if (of := columns.label_columns)
                else f", sets in the column {columns.label}"
            ),
            expected="one class for each score, in the same order",
            fix="Name them in the order of the scores: --classes sports,politics,science.",
        )
    task = Multilabel(classes=names).check()
    set_columns = columns.replaced(classes=names, exclusive=False)
    _check_labels(pieces, set_columns, task)
    check_scores(pieces, set_columns)
    return set_columns


def _width(pieces: Sequence[LoadedPiece], columns: TableColumns) -> int:
    """How many scores a row has."""
    if len(columns.scores) > 1:
        return len(columns.scores)
    name = columns.scores[0]
    cells = [piece.raw.cells(name) for piece in pieces if name in piece.raw.table.column_names]
    lengths = [pc.max(pc.list_value_length(each)).as_py() or 0 for each in cells if is_list(each.type)]
    return max(lengths, default=1)


def _check_labels(pieces: Sequence[LoadedPiece], columns: TableColumns, task: Multilabel) -> None:
    """Raises BadInput for labels with a name that is no class."""
    wrong: set[str] = set()
    for piece in pieces:
        texts = coded_labels(piece.raw, columns).dictionary.drop_null()
        codes = task.label_codes(pa.chunked_array([texts]))
        odd = task.unknown(codes) | (codes == NO_LABEL)
        wrong |= set(texts.filter(pa.array(np.asarray(odd, dtype=np.bool_))).to_pylist())
    if wrong:
        raise BadInput(
            "Labels of the table name none of the classes.",
            got=", ".join(repr(text)[:60] for text in sorted(wrong)[:_QUOTED]),
            expected=f"some of {', '.join(task.classes)[:300]}: a|b, a list, or a 0 or 1 for each class",
            fix="Name the classes in the order of the scores, as the labels are: --classes sports,politics,science.",
        )
