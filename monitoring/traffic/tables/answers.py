"""What the model answered in some raw rows, as probabilities of the classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.records import NO_ANSWERS, Finding
from monitoring.records.finding_parts import NoAnswers
from monitoring.tasks.label_codes import class_indices
from monitoring.tasks.number_codes import number_list_codes, number_lists
from monitoring.tasks.row_operations import are_probabilities
from monitoring.traffic.cells import as_strings, class_names, is_list, is_number, is_text, parse_numbers
from monitoring.traffic.ranked_ids import ranked_answers
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.raw_rows import RawRows


def read_answers(raw: RawRows, columns: TableColumns) -> tuple[NDArray[np.float64], int, tuple[str, ...]]:
    """The usable answers of n rows.

    Returns:
        Probabilities [n, classes], NaN in rows without a usable answer; how many rows have none; and the columns of the
        answer that are absent. Zeros for a table of inputs alone.
    """
    rows, width = raw.table.num_rows, columns.width
    if not columns.answer:
        return np.zeros((rows, width)), 0, ()
    absent = tuple(name for name in columns.answer if name not in raw.table.column_names)
    if absent:
        return np.full((rows, width), np.nan), rows, absent
    values = given_probabilities(raw, columns)
    usable = usable_answers(values, columns)
    unusable = int(rows - usable.sum())
    if unusable:
        values = np.where(usable[:, None], values, np.nan)
    return values, unusable, ()


def usable_answers(values: NDArray[np.float64], columns: TableColumns) -> NDArray[np.bool_]:
    """Which of n rows, [n, width], are answers: probabilities of one class, of any classes, or finite numbers.

    >>> each = TableColumns(scores=("a", "b"), classes=("a", "b"), exclusive=False)
    >>> usable_answers(np.array([[0.25, 1.0], [0.25, 1.5]]), each).tolist()
    [True, False]
    """
    if columns.outputs:
        usable = np.ones(len(values), dtype=np.bool_)
        for output, output_values in _parts(values, columns):
            usable &= usable_answers(output_values, output)
        return usable
    if columns.classes:
        return are_probabilities(values, exclusive=columns.exclusive)
    return np.asarray(np.isfinite(values).all(axis=1), dtype=np.bool_)


def no_answer_findings(columns: TableColumns, rows: int, unusable: int) -> tuple[Finding, ...]:
    """The fact that none of some rows has a usable answer, if that is so."""
    if not rows or unusable < rows:
        return ()
    parts = NoAnswers(
        columns=columns.answer,
        form=_form(columns),
        rows=rows,
        outputs=tuple(columns.outputs),
        width=columns.width if columns.numbers else 1,
    )
    return (Finding(kind=NO_ANSWERS, feature=columns.answer[0], fact=True, parts=parts),)


def _form(columns: TableColumns) -> Literal["outputs", "ids", "probability", "class", "number"]:
    if columns.outputs:
        return "outputs"
    if columns.ranking is not None:
        return "ids"
    if columns.classes:
        return "probability" if columns.predicted is None else "class"
    return "number"


def given_probabilities(raw: RawRows, columns: TableColumns) -> NDArray[np.float64]:
    """What the columns of the answer hold, shape [n, width], probabilities or not; NaN where they hold nothing."""
    rows, width = raw.table.num_rows, columns.width
    answer_columns = [raw.cells(name) for name in columns.answer]
    texts = [raw.has_text_cells(name) for name in columns.answer]
    if columns.outputs:
        return np.concatenate([given_probabilities(raw, output) for output in columns.outputs.values()], axis=1)
    if not columns.classes:
        return _given_numbers(answer_columns, columns, texts=texts)
    if columns.predicted is not None:
        return _given_classes(answer_columns[0], columns.classes)
    if len(answer_columns) == 1 and is_list(answer_columns[0].type):
        return _from_lists(answer_columns[0], width)
    probabilities = _as_numbers(answer_columns, texts)
    if len(answer_columns) > 1:
        return probabilities
    pair = np.empty((2, rows))
    np.subtract(1, probabilities[:, 0], out=pair[0])
    pair[1] = probabilities[:, 0]
    return pair.T


def _given_classes(answers: pa.Array, classes: tuple[str, ...]) -> NDArray[np.float64]:
    """Predicted classes as certain ones, [n, classes]; NaN in rows of no class."""
    if not (is_text(answers.type) or is_number(answers.type)):
        return np.full((len(answers), len(classes)), np.nan)
    place = class_indices(class_names(answers), classes)
    values = np.eye(len(classes))[np.asarray(pc.fill_null(place, 0), dtype=np.int64)]
    values[np.asarray(place.is_null(), dtype=np.bool_)] = np.nan
    return values


def _parts(values: NDArray[np.float64], columns: TableColumns) -> Iterator[tuple[TableColumns, NDArray[np.float64]]]:
    """The columns of each output with its own numbers of answers, [n, width]."""
    first = 0
    for output in columns.outputs.values():
        yield output, values[:, first : first + output.width]
        first += output.width


def _as_numbers(columns: Sequence[pa.Array], texts: Sequence[bool]) -> NDArray[np.float64]:
    parsed = (parse_numbers(column, text=text)[0] for column, text in zip(columns, texts, strict=True))
    return np.stack([np.asarray(numbers) for numbers in parsed], axis=1)


def _given_numbers(
    answer_columns: Sequence[pa.Array], columns: TableColumns, *, texts: Sequence[bool]
) -> NDArray[np.float64]:
    """Ids; or numbers, in a column each, or in one as lists or the text of lists; NaN in rows of another length."""
    width = columns.width
    if columns.ranking is not None:
        return ranked_answers(
            answer_columns[0], answer_columns[1] if len(answer_columns) > 1 else None, columns.ranking
        )
    if width == 1 or len(answer_columns) > 1:
        return _as_numbers(answer_columns, texts)
    column = answer_columns[0]
    if is_list(column.type):
        return _from_lists(column, width)
    if not is_text(column.type):
        return np.full((len(column), width), np.nan)
    return number_lists(number_list_codes(pa.chunked_array([as_strings(column)]), width))


def _from_lists(column: pa.Array, width: int) -> NDArray[np.float64]:
    lengths = np.asarray(pc.fill_null(pc.list_value_length(column), 0), dtype=np.int64)
    values = np.full((len(column), width), np.nan)
    whole = lengths == width
    flat = pc.list_flatten(column.filter(pa.array(whole)))
    if is_number(flat.type):
        values[whole] = np.asarray(parse_numbers(flat, text=False)[0]).reshape(-1, width)
    return values


def as_list_column(values: NDArray[np.float64]) -> pa.Array:
    """Shape [n, k] as a column of n lists."""
    rows, width = values.shape
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * width)
    return pa.ListArray.from_arrays(offsets, pa.array(np.ascontiguousarray(values).reshape(-1)))
