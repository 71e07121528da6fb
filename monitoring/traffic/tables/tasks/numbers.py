"""Tables in which a number is predicted, and true: how they are told from those of classes, and what they must hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.tasks.task import TaskName
from monitoring.traffic.cells import decoded, is_number, is_text, parse_numbers
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.reference import LoadedPiece

#: Labels of numbers are predicted numbers where they have more different values than this, or are no whole numbers.
MOST_WHOLE_NUMBERS = 50


def inferred_task(pieces: Sequence[LoadedPiece], columns: TableColumns, classes: Sequence[str]) -> TaskName:
    """The task of a reference whose owner named none.

    Args:
        pieces: the reference.
        columns: what the mapped columns mean.
        classes: the classes as the user named them.

    Returns:
        "regression" where one column is the answer, and labels (answers, where there are no labels) are numbers with
        fractions or with many values, or predicted ones are with fractions; "classification" otherwise.
    """
    if classes or len(columns.answer) != 1:
        return "classification"
    labels, answers = _numbers(pieces, columns.label), _numbers(pieces, columns.answer[0])
    if labels is None or answers is None:
        return "classification"
    known = labels if labels.size else answers
    if not known.size:
        return "classification"
    if columns.predicted is None and ((answers >= 0) & (answers <= 1)).all():  # a probability of 0 or 1
        return "classification" if np.unique(known).size <= 2 else "regression"
    distinct = np.unique(known)
    shown = known if columns.predicted is None else np.concatenate([known, answers])
    fractions = bool((shown != np.rint(shown)).any())
    return "regression" if fractions or distinct.size > MOST_WHOLE_NUMBERS else "classification"


def check_numbers(
    pieces: Sequence[LoadedPiece], columns: TableColumns, classes: Sequence[str], class_slices: Sequence[str]
) -> None:
    """Raises BadInput for a table that cannot be of a model that predicts a number."""
    if classes or class_slices:
        raise BadInput(
            "A model that predicts a number has no classes.",
            got=f"classes {', '.join(classes)}" if classes else f"class_slices {', '.join(class_slices)}",
            expected="neither --classes nor --class-slices",
            fix="Leave them out, or give --task classification.",
        )
    if len(columns.answer) != 1:
        raise BadInput(
            "One predicted number can be monitored.",
            got=f"{len(columns.answer)} columns: {', '.join(columns.answer)}",
            expected="one column",
            fix="Name one column with --predicted, and make a monitor for each of several.",
        )
    for name, option in ((columns.answer[0], "--predicted"), (columns.label, "--label")):
        there = any(name in piece.raw.table.column_names for piece in pieces)
        if there and _numbers(pieces, name) is None:
            raise BadInput(
                f"The column {name} does not hold numbers.",
                got=", ".join(sorted({str(p.raw.table.schema.field(name).type) for p in pieces})),
                expected="numbers",
                fix=f"Name the right column with {option}, or give --task classification.",
            )


def _numbers(pieces: Sequence[LoadedPiece], name: str) -> NDArray[np.float64] | None:
    """The finite numbers of a column; None where it holds something else."""
    found = [np.zeros(0)]
    for piece in pieces:
        if name not in piece.raw.table.column_names:
            continue
        column = decoded(piece.raw.table[name])
        if pa.types.is_boolean(column.type) or not (
            is_number(column.type) or (is_text(column.type) and piece.raw.text)
        ):
            if not pa.types.is_null(column.type) and column.null_count < len(column):
                return None
            continue
        values, bad, _ = parse_numbers(column, text=piece.raw.text)
        if bad:
            return None
        numbers = np.asarray(pc.fill_null(values, float("nan")), dtype=np.float64)
        found.append(numbers[np.isfinite(numbers)])
    return np.concatenate(found)
