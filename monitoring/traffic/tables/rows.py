"""One piece of a table in the shape that the monitor reads, and what was wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.records import Finding
from monitoring.traffic.class_indices import class_indices
from monitoring.traffic.format.rows import TIMESTAMP
from monitoring.traffic.tables.columns import ROW_NAMES, TableColumns
from monitoring.traffic.tables.files import Piece, RawRows
from monitoring.traffic.tables.indexes import index_columns
from monitoring.traffic.tables.quotes import about_quotes
from monitoring.traffic.tables.values import (
    Moments,
    class_words,
    coded_words,
    filled,
    is_number,
    is_text,
    moments,
    numbers,
    plain,
    words,
)

#: Scores of a row may add up to something as far from 1 as this: rounding, in a file with two decimals.
ROUNDING = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRows:
    """The n rows of a piece.

    `table` has the columns prediction_id (string), event_time, every input (numbers as float64, NaN for missing;
    categories as strings), probabilities (lists of one per class, NaN where the answer cannot be used), label (string)
    and label_time. `timed` [n] says which have an event time. `problems` are inputs that are absent or of another type;
    `unread` counts cells by column that held something that is no number, `unanswered` the rows without a usable
    answer, and `undated` the labels that are said to have become known at what is no time. `findings` are about the
    columns.
    """

    table: pa.Table
    timed: NDArray[np.bool_]
    naive: bool
    problems: tuple[tuple[str, str], ...]
    unread: tuple[tuple[str, int], ...]
    unanswered: int
    undated: int
    findings: tuple[Finding, ...]


def read_rows(piece: Piece, columns: TableColumns) -> TableRows:
    """Read one piece. Nothing in it is fatal: what is absent or cannot be read is missing, and said."""
    raw = piece.read()
    there = raw.columns()
    inputs: dict[str, pa.Array] = {}
    problems: list[tuple[str, str]] = []
    unread: list[tuple[str, int]] = []
    for name, kind in columns.inputs.items():
        inputs[name], bad, problem = read_input(
            raw, there.get(name), number=kind == "number", known=columns.known.get(name, "")
        )
        problems += [(name, problem)] if problem else []
        unread += [(name, bad)] if bad else []
    times = event_times(raw, columns)
    values, unanswered, facts = answers(raw, columns)
    facts = facts or no_answers(columns, raw.table.num_rows, unanswered)
    truth = truths(raw, columns, times)
    lost = [] if raw.swallowed is None else [(piece.name, raw.table.num_rows, raw.swallowed)]
    table = pa.table(
        {
            "prediction_id": identities(piece, raw, columns),
            "event_time": pa.array(times.us).cast(TIMESTAMP),
            **inputs,
            "probabilities": lists(values),
            "label": truth["label"],
            "label_time": truth["label_time"],
        }
    )
    return TableRows(
        table=table,
        timed=times.valid,
        naive=times.naive,
        problems=tuple(problems),
        unread=tuple(unread),
        unanswered=unanswered,
        undated=int(undated(raw, columns, label_words(raw, columns), own_times(raw, columns)).sum()),
        findings=(*facts, *strangers(raw, columns), *about_quotes(lost)),
    )


def event_times(raw: RawRows, columns: TableColumns) -> Moments:
    """When each row happened; none has a time where there is no such column."""
    if columns.event_time not in raw.table.column_names:
        rows = raw.table.num_rows
        return Moments(us=np.zeros(rows, np.int64), valid=np.zeros(rows, np.bool_), problem="absent")
    return moments(plain(raw.table[columns.event_time]), columns.naive_timezone)


def identities(piece: Piece, raw: RawRows, columns: TableColumns, first: int = 0) -> pa.Array:
    """Each row's id: the column's, or where there is none the piece's name and the row's place in it.

    `first` is the place in the piece of the first of the rows.
    """
    given = given_ids(raw, columns)
    own = own_ids(piece, first + np.arange(raw.table.num_rows)) if given is None or given.null_count else given
    return own if given is None else pc.coalesce(given, own)


def given_ids(raw: RawRows, columns: TableColumns) -> pa.Array | None:
    """The ids that the table gives, null where it does not; None where it has no column of ids."""
    if columns.prediction_id not in raw.table.column_names:
        return None
    given = plain(raw.table[columns.prediction_id])
    return words(given) if is_text(given.type) or is_number(given.type) else None


def own_ids(piece: Piece, rows: NDArray[np.int64]) -> pa.Array:
    """The ids of a piece's rows, by their places in it, where the table gives none: no two rows share one."""
    return pc.binary_join_element_wise(piece.name, pa.array(piece.first_row + rows).cast(pa.string()), ":")


def label_words(raw: RawRows, columns: TableColumns) -> pa.DictionaryArray:
    """Each row's label, as a dictionary of words; null where it has none."""
    if columns.label in raw.table.column_names:
        column = plain(raw.table[columns.label])
        if is_text(column.type) or is_number(column.type):
            return coded_words(column)
    return pa.nulls(raw.table.num_rows, pa.string()).dictionary_encode()


def truths(raw: RawRows, columns: TableColumns, times: Moments) -> pa.Table:
    """Columns label and label_time; none was known before its row happened, and one that says not when, just then."""
    rows = raw.table.num_rows
    labels = pa.nulls(rows, pa.string())
    if columns.label in raw.table.column_names:
        column = plain(raw.table[columns.label])
        if is_text(column.type) or is_number(column.type):
            labels = class_words(column)
    known = own_times(raw, columns)
    when = np.where(known.valid, np.where(times.valid, np.maximum(known.us, times.us), known.us), times.us)
    missing = np.asarray(labels.is_null(), dtype=np.bool_) | ~(known.valid | times.valid)
    return pa.table(
        {
            "label": pc.if_else(pa.array(missing), pa.scalar(None, pa.string()), labels),
            "label_time": pa.array(when, mask=missing).cast(TIMESTAMP),
        }
    )


def own_times(raw: RawRows, columns: TableColumns) -> Moments:
    """When each row's label became known, where the table says so: as it says, which may be before its row happened."""
    if columns.label_time not in raw.table.column_names:
        rows = raw.table.num_rows
        return Moments(us=np.zeros(rows, np.int64), valid=np.zeros(rows, np.bool_))
    return moments(plain(raw.table[columns.label_time]), columns.naive_timezone)


def undated(raw: RawRows, columns: TableColumns, labels: pa.Array, known: Moments) -> NDArray[np.bool_]:
    """Which labels have beside them, instead of the time at which they became `known`, something that is no time.

    Of a column whose type holds no times that is said at once (see `strangers`), and not here.
    """
    none = np.zeros(len(labels), dtype=np.bool_)
    if columns.label_time not in raw.table.column_names or known.valid.all():
        return none
    column = plain(raw.table[columns.label_time])
    if not tells_time(column.type):
        return none
    return np.asarray(pc.and_(filled(column), labels.is_valid()), dtype=np.bool_) & ~known.valid


def about_label_times(column: str, count: int) -> tuple[Finding, ...]:
    """What is said of labels whose time is none."""
    if not count:
        return ()
    message = f"{count} labels in the files have a {column} that is no time: they count as of their row's."
    return (Finding(kind="no label time", feature=column, message=message),)


def read_input(raw: RawRows, given: pa.ChunkedArray | None, *, number: bool, known: str) -> tuple[pa.Array, int, str]:
    """One input in its final type, how many of its cells held something that is no number, and what is wrong with it.

    `known` is the Arrow type that the reference had.
    """
    rows = raw.table.num_rows
    if given is None:
        return (pa.array(np.full(rows, np.nan)) if number else pa.nulls(rows, pa.string())), 0, "absent"
    column = plain(given)
    if number:
        return numbers(column, text=raw.text)
    if pa.types.is_null(column.type):
        return pa.nulls(rows, pa.string()), 0, ""
    whole = pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)
    declared = whole or pa.types.is_floating(column.type)
    if is_text(column.type) or (declared and known not in TEXT_TYPES):
        return words(column), 0, ""
    return pa.nulls(rows, pa.string()), 0, f"type changed to {column.type}"


#: Arrow's names of the types in which a reference's category is text to begin with.
TEXT_TYPES = ("string", "large_string", "string_view", "binary", "large_binary")


def answers(raw: RawRows, columns: TableColumns) -> tuple[NDArray[np.float64], int, tuple[Finding, ...]]:
    """Probabilities [n, classes], how many rows have none that can be used, and what is gone."""
    rows, width = raw.table.num_rows, len(columns.classes)
    absent = [name for name in columns.answer if name not in raw.table.column_names]
    if absent:
        values = np.full((rows, width), np.nan)
        facts = tuple(
            Finding(kind="column gone", feature=name, message=f"The column {name} is absent.", fact=True)
            for name in absent
        )
        return values, rows, facts
    values = probabilities(raw, columns)
    usable = are_probabilities(values)
    unanswered = int(rows - usable.sum())
    if unanswered:
        values = np.where(usable[:, None], values, np.nan)
    return values, unanswered, ()


def are_probabilities(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of n rows, [n, classes], are from 0 to 1, and 1 in sum but for rounding.

    >>> are_probabilities(np.array([[0.25, 0.75], [0.5, 0.7], [np.nan, 0.5]])).tolist()
    [True, False, False]
    """
    width = values.shape[1]
    with np.errstate(invalid="ignore"):
        total = values[:, 0] + values[:, 1] if width == 2 else values.sum(axis=1)
        usable: NDArray[np.bool_] = np.abs(total - 1) <= ROUNDING
        for place in range(width):
            usable &= (values[:, place] >= 0) & (values[:, place] <= 1)
    return usable


def no_answers(columns: TableColumns, rows: int, unanswered: int) -> tuple[Finding, ...]:
    """The fact that no row of a piece has an answer that can be used, if that is so."""
    if not rows or unanswered < rows:
        return ()
    named = ", ".join(columns.answer)
    what = "a class" if columns.predicted is not None else "a probability"
    message = f"The column {named} holds {what} in none of {rows} rows."
    return (Finding(kind="no answers", feature=columns.answer[0], message=message, fact=True),)


def probabilities(raw: RawRows, columns: TableColumns) -> NDArray[np.float64]:
    """What stands in the columns of the answer, shape [n, classes], probabilities or not; NaN where nothing does."""
    rows, width = raw.table.num_rows, len(columns.classes)
    found = [plain(raw.table[name]) for name in columns.answer]
    if columns.predicted is not None:
        if not (is_text(found[0].type) or is_number(found[0].type)):
            return np.full((rows, width), np.nan)
        place = class_indices(class_words(found[0]), columns.classes)
        values = np.eye(width)[np.asarray(pc.fill_null(place, 0), dtype=np.int64)]
        values[np.asarray(place.is_null(), dtype=np.bool_)] = np.nan
        return values
    if len(found) == 1 and is_list(found[0].type):
        return _from_lists(found[0], width)
    given = np.stack([np.asarray(numbers(column, text=raw.text)[0]) for column in found], axis=1)
    if len(found) > 1:
        return given
    pair = np.empty((2, rows))
    np.subtract(1, given[:, 0], out=pair[0])
    pair[1] = given[:, 0]
    return pair.T


def _from_lists(column: pa.Array, width: int) -> NDArray[np.float64]:
    lengths = np.asarray(pc.fill_null(pc.list_value_length(column), 0), dtype=np.int64)
    values = np.full((len(column), width), np.nan)
    whole = lengths == width
    flat = pc.list_flatten(column.filter(pa.array(whole)))
    if is_number(flat.type):
        values[whole] = np.asarray(numbers(flat, text=False)[0]).reshape(-1, width)
    return values


def is_list(kind: pa.DataType) -> bool:
    """Whether a type holds lists."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def lists(values: NDArray[np.float64]) -> pa.Array:
    """Shape [n, k] as a column of n lists."""
    rows, width = values.shape
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * width)
    return pa.ListArray.from_arrays(offsets, pa.array(np.ascontiguousarray(values).reshape(-1)))


def strangers(raw: RawRows, columns: TableColumns) -> tuple[Finding, ...]:
    """Columns that the reference did not have, but for a frame's index, and names that are there twice."""
    there = raw.columns()
    found: list[Finding] = []
    if columns.known:
        found += _about_roles(there, columns)
        gone = [name for name in columns.known if name not in there and name in columns.inputs]
        passed = {*columns.known, *columns.mapped, *index_columns(raw.table.schema)}
        for name in there:
            if name in passed:
                continue
            kind = str(there[name].type)
            like = [other for other in gone if raw.text or columns.known[other] == kind]
            hint = f" It may be {like[0]} under another name." if len(gone) == 1 and like else ""
            message = f"The column {name or '(without a name)'} is not in the reference.{hint}"
            found.append(Finding(kind="new column", feature=name, message=message))
    found += [
        Finding(kind="duplicate column", feature=name, message=f"The column {name} is there twice; the first counts.")
        for name in raw.doubled
    ]
    if raw.broken:
        message = f"{raw.broken} lines have more or fewer fields than the header, and were left out."
        found.append(Finding(kind="broken lines", feature="", message=message))
    return tuple(found)


def _about_roles(there: Mapping[str, pa.ChunkedArray], columns: TableColumns) -> list[Finding]:
    """What is said of a column of ids, labels or their times that is gone, or whose type holds none."""
    name, label, when = columns.prediction_id, columns.label, columns.label_time
    kinds = {one: there[one].type if one in there else pa.null() for one in (name, label, when)}
    kinds = {one: kind.value_type if pa.types.is_dictionary(kind) else kind for one, kind in kinds.items()}
    unnamed = "rows go by their files and places, and none is told as a repeat."
    untimed = "labels count as of their row's."
    found = []
    if (name in columns.known or name not in ROW_NAMES) and name not in there:
        found.append(Finding(kind="column gone", feature=name, message=f"The column {name} is absent: {unnamed}"))
    if (when in columns.known or when not in ROW_NAMES) and when not in there and label in there:
        found.append(Finding(kind="column gone", feature=when, message=f"The column {when} is absent: {untimed}"))
    for one, holds, ends in (
        (name, names_something, f"names no row: {unnamed}"),
        (label, names_something, "names no class: no label of it counts."),
        (when, tells_time, f"holds no times: {untimed}"),
    ):
        if not holds(kinds[one]):
            message = f"The column {one} is of type {kinds[one]}, which {ends}"
            found.append(Finding(kind="type changed", feature=one, message=message))
    return found


def names_something(kind: pa.DataType) -> bool:
    """Whether cells of a type can be names: text, numbers, or nothing at all."""
    return is_text(kind) or is_number(kind) or bool(pa.types.is_null(kind))


def tells_time(kind: pa.DataType) -> bool:
    """Whether cells of a type can be moments: timestamps, dates, text that says one, or nothing at all."""
    return is_text(kind) or any(check(kind) for check in (pa.types.is_timestamp, pa.types.is_date, pa.types.is_null))
