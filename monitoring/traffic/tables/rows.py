"""Event times, ids, labels and inputs of raw rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.records import Finding
from monitoring.tasks.task import CLASS_SEPARATOR
from monitoring.traffic.cells import (
    as_strings,
    as_written,
    class_names,
    coded_class_names,
    is_list,
    is_number,
    is_text,
    non_blank,
    parse_numbers,
)
from monitoring.traffic.format.rows import TIMESTAMP
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.pieces import RowPlaces
from monitoring.traffic.tables.raw_rows import RawRows
from monitoring.traffic.tables.times import ParsedTimes, parse_times

#: Arrow's names of the types of a category that is text.
TEXT_TYPES = ("string", "large_string", "string_view", "binary", "large_binary")


def event_times(raw: RawRows, columns: TableColumns) -> ParsedTimes:
    """When each row happened; no row has a time where there is no such column."""
    if columns.event_time not in raw.table.column_names:
        return ParsedTimes.none(raw.table.num_rows, "absent")
    return parse_times(raw.cells(columns.event_time), columns.naive_timezone, day_first=columns.format.day_first)


def _times(raw: RawRows, name: str, columns: TableColumns) -> ParsedTimes:
    return parse_times(raw.cells(name), columns.naive_timezone, day_first=columns.format.day_first)


def row_ids(piece: RowPlaces, raw: RawRows, columns: TableColumns, first: int = 0) -> pa.Array:
    """The id of each row: from the table, or where it has none the piece's name and the row's place in it."""
    ids = ids_in_table(raw, columns)
    if ids is not None and not ids.null_count:
        return ids
    generated = generated_ids(piece, first + np.arange(raw.table.num_rows))
    return generated if ids is None else pc.coalesce(ids, generated)


def ids_in_table(raw: RawRows, columns: TableColumns) -> pa.Array | None:
    """The ids that the table has, null where it has none; None without a column that can hold ids."""
    if columns.prediction_id not in raw.table.column_names:
        return None
    ids = raw.cells(columns.prediction_id)
    return as_strings(ids) if is_text(ids.type) or is_number(ids.type) else None


def generated_ids(piece: RowPlaces, places: NDArray[np.int64]) -> pa.Array:
    """Ids of a piece's rows by their places in it, where the table has none: no two rows share one."""
    return pc.binary_join_element_wise(piece.name, pa.array(piece.first_row + places).cast(pa.string()), ":")


def coded_labels(raw: RawRows, columns: TableColumns) -> pa.DictionaryArray:
    """The label of each row, as a dictionary of class names; null where it has none."""
    cells = _label_cells(raw, columns)
    return pa.nulls(raw.table.num_rows, pa.string()).dictionary_encode() if cells is None else coded_class_names(cells)


def labels_with_times(raw: RawRows, columns: TableColumns, times: ParsedTimes) -> pa.Table:
    """The label of each row, and when it became known: at its row's event time at the earliest.

    Returns:
        Columns label (string) and label_time, n rows; both null where there is no label, or no time at all.
    """
    cells = _label_cells(raw, columns)
    labels = pa.nulls(raw.table.num_rows, pa.string()) if cells is None else class_names(cells)
    label_times = given_label_times(raw, columns)
    when = np.where(
        label_times.valid, np.where(times.valid, np.maximum(label_times.us, times.us), label_times.us), times.us
    )
    missing = np.asarray(labels.is_null(), dtype=np.bool_) | ~(label_times.valid | times.valid)
    return pa.table(
        {
            "label": pc.if_else(pa.array(missing), pa.scalar(None, pa.string()), labels),
            "label_time": pa.array(when, mask=missing).cast(TIMESTAMP),
        }
    )


def _label_cells(raw: RawRows, columns: TableColumns) -> pa.Array | None:
    """What the columns of labels hold, [n]; of sets of classes text that their task reads; None without labels."""
    if not set(columns.label_cells) <= set(raw.table.column_names):
        return None
    cells = [raw.cells(name) for name in columns.label_cells]
    if columns.outputs:
        return objects_of(dict(zip(columns.outputs, map(_texts, cells), strict=True)))
    if columns.label_columns:
        texts = [class_names(each) for each in cells if is_text(each.type) or is_number(each.type)]
        return joined(texts) if len(texts) == len(cells) else None
    if is_list(cells[0].type) and columns.lists_labels:
        return listed(cells[0])
    return cells[0] if is_text(cells[0].type) or is_number(cells[0].type) else None


def objects_of(parts: Mapping[str, pa.Array]) -> pa.Array:
    """Labels of several outputs as the text of JSON objects, as `monitoring.tasks.label_objects` reads them.

    >>> objects_of({"kind": pa.array(["late", None, None]), "price": pa.array(["2", "3", None])}).to_pylist()
    ['{"kind":"late","price":"2"}', '{"price":"3"}', None]
    """
    texts = [
        pc.binary_join_element_wise(f"{json.dumps(name, ensure_ascii=False)}:", _quoted(part), "")
        for name, part in parts.items()
    ]
    # Arrow leaves out a row of which all texts are skipped, so each begins with one that is not.
    inside = pc.utf8_slice_codeunits(pc.binary_join_element_wise("", *texts, ",", null_handling="skip"), 1)
    return pc.if_else(pc.equal(inside, ""), None, pc.binary_join_element_wise("{", inside, "}", ""))


def _texts(cells: pa.Array) -> pa.Array:
    """Class names or numbers as text; null where the column's type holds neither."""
    is_readable = is_text(cells.type) or is_number(cells.type)
    return class_names(cells) if is_readable else pa.nulls(len(cells), pa.string())


def _quoted(words: pa.Array) -> pa.Array:
    """Text as JSON has it."""
    coded = words.dictionary_encode()
    quoted = [None if word is None else json.dumps(word, ensure_ascii=False) for word in coded.dictionary.to_pylist()]
    return pa.array(quoted, pa.string()).take(coded.indices)


def joined(columns: Sequence[pa.Array]) -> pa.Array:
    """Columns of text as one text a row, in brackets; null where one is null.

    >>> joined([pa.array(["1", "0"]), pa.array(["true", None])]).to_pylist()
    ['[1,true]', None]
    """
    return pc.binary_join_element_wise("[", pc.binary_join_element_wise(*columns, ","), "]", "")


def listed(column: pa.Array) -> pa.Array:
    """Lists as text: names between `CLASS_SEPARATOR`, numbers and booleans in brackets.

    >>> listed(pa.array([["a", "b"], [], None])).to_pylist(), listed(pa.array([[1.0, 0.0]])).to_pylist()
    (['a|b', '[]', None], ['[1,0]'])

    Args:
        column: Lists [n].

    Returns:
        Strings [n], null where a list, or some of it, is null.
    """
    lengths = np.asarray(pc.fill_null(pc.list_value_length(column), 0), dtype=np.int64)
    cells = pc.list_flatten(column)
    numbers = is_number(cells.type)
    words = pa.ListArray.from_arrays(
        pa.array(np.append(0, np.cumsum(lengths)), pa.int32()),
        class_names(cells) if numbers or is_text(cells.type) else cells.cast(pa.string()),
    )
    texts = pc.binary_join(words, "," if numbers else CLASS_SEPARATOR)
    texts = pc.binary_join_element_wise("[", texts, "]", "") if numbers else texts
    texts = pc.if_else(pa.array(lengths == 0), pa.scalar("[]"), texts)
    return pc.if_else(column.is_valid(), texts, pa.scalar(None, pa.string()))


def given_label_times(raw: RawRows, columns: TableColumns) -> ParsedTimes:
    """When each row's label became known, as the table says: that may be before the row happened."""
    if columns.label_time not in raw.table.column_names:
        return ParsedTimes.none(raw.table.num_rows)
    return parse_times(raw.cells(columns.label_time), columns.naive_timezone, day_first=columns.format.day_first)


def invalid_label_times(
    raw: RawRows, columns: TableColumns, labels: pa.Array, label_times: ParsedTimes
) -> NDArray[np.bool_]:
    """Which labels have a cell in the column of label times that is no time, bool [n].

    A column whose type holds no times is one finding of its own (see `column_findings`), and is not counted here.
    """
    none = np.zeros(len(labels), dtype=np.bool_)
    if columns.label_time not in raw.table.column_names or label_times.valid.all():
        return none
    column = raw.cells(columns.label_time)
    if not can_hold_times(column.type):
        return none
    return np.asarray(pc.and_(non_blank(column), labels.is_valid()), dtype=np.bool_) & ~label_times.valid


def label_time_findings(column: str, count: int) -> tuple[Finding, ...]:
    """The finding that so many labels have an invalid time."""
    if not count:
        return ()
    message = f"{count} labels in the files have a {column} that is no time: they count as of their row's."
    return (Finding(kind="no label time", feature=column, message=message),)


def read_input(
    raw: RawRows, column: pa.Array | None, *, number: bool, reference_type: str, text: bool = False
) -> tuple[pa.Array, int, str]:
    """One input in its final type.

    Args:
        reference_type: the Arrow type that the reference had; empty while the reference itself is read.
        text: Whether the column's cells are text whatever they hold (`RawRows.text_cells`).

    Returns:
        The column, float64 with NaN for missing or string with null; how many of its cells held something that is no
        number; and what is wrong with all of it, empty if nothing.
    """
    rows = raw.table.num_rows
    if column is None:
        return (pa.array(np.full(rows, np.nan)) if number else pa.nulls(rows, pa.string())), 0, "absent"
    if number:
        return parse_numbers(column, text=text)
    if pa.types.is_null(column.type):
        return pa.nulls(rows, pa.string()), 0, ""
    if text:
        return as_written(as_strings(column), reference_type), 0, ""
    if is_text(column.type) or (is_number(column.type) and reference_type not in TEXT_TYPES):
        return as_strings(column), 0, ""
    return pa.nulls(rows, pa.string()), 0, f"type changed to {column.type}"


def can_hold_names(kind: pa.DataType) -> bool:
    """Whether cells of a type can be names: text, numbers, or nothing at all."""
    return is_text(kind) or is_number(kind) or bool(pa.types.is_null(kind))


def can_hold_times(kind: pa.DataType) -> bool:
    """Whether cells of a type can be times: timestamps, dates, text, or nothing at all."""
    return is_text(kind) or any(check(kind) for check in (pa.types.is_timestamp, pa.types.is_date, pa.types.is_null))
