"""Tables in which several numbers are predicted: how they are told, and what their columns must hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.number_codes import list_items, list_lengths, number_list_codes
from monitoring.tasks.vector_regression import VectorRegression
from monitoring.traffic.cells import as_strings, is_list, is_number, is_text, parse_numbers
from monitoring.traffic.tables.answers import read_answers
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.reference import LoadedPiece
from monitoring.traffic.tables.rows import coded_labels

#: Labels that are quoted at most.
_QUOTED = 3


def are_vectors(pieces: Sequence[LoadedPiece], columns: TableColumns) -> bool:
    """Whether a model that predicts numbers predicts several: in several columns, in lists, or in the text of lists."""
    if len(columns.answer) > 1 or columns.label_columns:
        return True
    return any(is_list(cells.type) or _is_text_of_lists(cells) for cells in _cells(pieces, columns.answer[0]))


def hold_numbers(pieces: Sequence[LoadedPiece], label: str, label_columns: Sequence[str]) -> bool:
    """Whether labels in several columns, in lists or their text, are numbers other than 0 and 1, and no classes."""
    numbers = [_numbers(cells) for name in label_columns or (label,) for cells in _cells(pieces, name)]
    if not numbers or any(cell_numbers is None for cell_numbers in numbers):
        return False
    values = np.concatenate([cell_numbers for cell_numbers in numbers if cell_numbers is not None])
    return bool(np.isfinite(values).any() and not np.isin(values[np.isfinite(values)], (0.0, 1.0)).all())


def hold_texts_of_lists(pieces: Sequence[LoadedPiece], label: str) -> bool:
    """Whether labels are the text of lists, as a CSV file has lists."""
    return any(_is_text_of_lists(cells) for cells in _cells(pieces, label))


def with_vectors(
    pieces: Sequence[LoadedPiece], columns: TableColumns, classes: Sequence[str], class_slices: Sequence[str]
) -> TableColumns:
    """The columns with a name for each predicted number.

    Returns:
        The columns: answers in `scores`, `numbers` named after the columns of labels, or of answers, or by place.
    """
    if classes or class_slices:
        raise BadInput(
            "A model that predicts numbers has no classes.",
            got=f"classes {', '.join(classes)}" if classes else f"class_slices {', '.join(class_slices)}",
            expected="neither --classes nor --class-slices",
            fix="Leave them out, or give --task multilabel.",
        )
    width = _width(pieces, columns.answer)
    names = columns.label_columns or (columns.answer if len(columns.answer) > 1 else ())
    names = names or tuple(f"[{place}]" for place in range(width))
    if len(names) != width:
        raise BadInput(
            "Answers and labels do not have the same number of numbers.",
            got=f"{width} in {', '.join(columns.answer)}; {len(names)} in {', '.join(columns.label_columns)}",
            expected="a label for each predicted number, in the same order",
            fix="Name the columns of both in one order: --predicted p_1,p_2 --label y_1,y_2.",
        )
    task = VectorRegression.named(names)
    vector_columns = columns.replaced(scores=columns.answer, predicted=None, numbers=task.names)
    _check(pieces, vector_columns)
    return vector_columns


def _check(pieces: Sequence[LoadedPiece], columns: TableColumns) -> None:
    """Raises BadInput for labels that are not so many numbers, and for answers none of which are."""
    width = columns.width
    wrong: set[str] = set()
    answered = rows = 0
    for piece in pieces:
        texts = coded_labels(piece.raw, columns).dictionary.drop_null()
        codes = number_list_codes(pa.chunked_array([texts], pa.string()), width)
        wrong |= set(texts.filter(pa.array(~has_label(codes))).to_pylist())
        rows += piece.raw.table.num_rows
        answered += piece.raw.table.num_rows - read_answers(piece.raw, columns)[1]
    if wrong or (rows and not answered):
        named = ", ".join(columns.label_cells if wrong else columns.answer)
        raise BadInput(
            f"The {'labels' if wrong else 'answers'} are not {width} numbers.",
            got=f"{named}: {', '.join(repr(text[:60]) for text in sorted(wrong)[:_QUOTED])}" if wrong else named,
            expected=f"{width} numbers in each row: a column for each, or lists",
            fix="Name the right columns with --predicted and --label, in the same order.",
        )


def _width(pieces: Sequence[LoadedPiece], answer: Sequence[str]) -> int:
    """How many numbers an answer has."""
    if len(answer) > 1:
        return len(answer)
    for cells in _cells(pieces, answer[0]):
        non_null = cells.drop_null()
        if is_list(cells.type) and len(non_null):
            return int(pc.max(pc.list_value_length(non_null)).as_py())
        if is_text(cells.type) and len(non_null):
            return int(list_lengths(pa.chunked_array([as_strings(non_null)[:1]]))[0])
    return 1


def _cells(pieces: Sequence[LoadedPiece], name: str) -> list[pa.Array]:
    return [piece.raw.cells(name) for piece in pieces if name in piece.raw.table.column_names]


def _is_text_of_lists(cells: pa.Array) -> bool:
    return bool(is_text(cells.type) and pc.any(pc.starts_with(as_strings(cells), "[")).as_py())


def _numbers(cells: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    """All numbers of a column, of lists or plain; None where it holds something else."""
    flat = pc.list_flatten(cells) if is_list(cells.type) else cells
    if _is_text_of_lists(cells):
        flat = list_items(pa.chunked_array([as_strings(cells)]))
    if pa.types.is_boolean(flat.type) or not (is_number(flat.type) or is_text(flat.type)):
        return None
    values, bad, _ = parse_numbers(flat, text=is_text(flat.type))
    return None if bad else np.asarray(pc.fill_null(values, float("nan")), dtype=np.float64)
