"""Tables in which a number is predicted, and true: how they are told from those of classes, and what they must hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.tasks.task import TaskName
from monitoring.traffic.cells import is_number, is_text, parse_numbers
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.reference import LoadedPiece

#: Labels of numbers are predicted numbers where they have more different values than this, or are no whole numbers.
MOST_WHOLE_NUMBERS = 50

#: A label within this of one half may be one that a number in [0, 1] predicts; where fewer than this share of labels
#: are, the number is a probability.
FAR_LABEL = 1.5
NEAR_LABELS = 0.5


def inferred_task(pieces: Sequence[LoadedPiece], columns: TableColumns, classes: Sequence[str]) -> TaskName:
    """The task of a reference whose owner named none.

    Returns:
        "regression" where one column is the answer, and labels (answers, where there are no labels) are numbers with
        fractions or with many values, or predicted ones are with fractions; "classification" otherwise.
    """
    if classes or len(columns.answer) != 1:
        return "classification"
    labels, answers = _numbers(pieces, columns.label), _numbers(pieces, columns.answer[0])
    if labels is None or answers is None:
        return "classification"
    values = labels if labels.size else answers
    if not values.size:
        return "classification"
    if columns.predicted is None and ((answers >= 0) & (answers <= 1)).all():  # a probability of 0 or 1
        if np.unique(values).size <= 2:
            return "classification"
        if labels.size and np.mean(np.abs(labels - 0.5) <= FAR_LABEL) < NEAR_LABELS:
            _reject_probabilities(pieces, columns, answers, labels)
        return "regression"
    distinct = np.unique(values)
    shown = values if columns.predicted is None else np.concatenate([values, answers])
    fractions = bool((shown != np.rint(shown)).any())
    return "regression" if fractions or distinct.size > MOST_WHOLE_NUMBERS else "classification"


def _reject_probabilities(
    pieces: Sequence[LoadedPiece], columns: TableColumns, answers: NDArray[np.float64], labels: NDArray[np.float64]
) -> NoReturn:
    """Raises BadInput for probabilities beside labels that are numbers of another size."""
    two = [name for name in pieces[0].raw.table.column_names if _has_two_values(pieces, name)]
    other = f"Name the column of the classes, as {' or '.join(f'--label {name}' for name in two[:3])}. " if two else ""
    raise BadInput(
        "The scores look like probabilities, and the labels like other numbers.",
        got=f"{columns.answer[0]} from {answers.min():.3g} to {answers.max():.3g}, and {columns.label} from "
        f"{labels.min():.6g} to {labels.max():.6g} in {np.unique(labels).size:,} different values",
        expected="labels of two classes beside a probability, or a predicted number in the unit of the labels",
        fix=f"{other}If {columns.answer[0]} is a predicted number, name it by --predicted.",
    )


def _has_two_values(pieces: Sequence[LoadedPiece], name: str) -> bool:
    """Whether a column has two different values in the first piece, as labels of two classes have."""
    column = pieces[0].raw.table[name]
    if pa.types.is_nested(column.type):
        return False
    return len(pc.unique(column).drop_null()) == 2


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
    parts = [np.zeros(0)]
    for piece in pieces:
        if name not in piece.raw.table.column_names:
            continue
        column = piece.raw.cells(name)
        if pa.types.is_boolean(column.type) or not (
            is_number(column.type) or (is_text(column.type) and piece.raw.has_text_cells(name))
        ):
            if not pa.types.is_null(column.type) and column.null_count < len(column):
                return None
            continue
        values, bad, _ = parse_numbers(column, text=piece.raw.has_text_cells(name))
        if bad:
            return None
        numbers = np.asarray(pc.fill_null(values, float("nan")), dtype=np.float64)
        parts.append(numbers[np.isfinite(numbers)])
    return np.concatenate(parts)
