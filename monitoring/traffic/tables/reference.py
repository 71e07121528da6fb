"""Inferred from a reference table: which columns are inputs, their kinds, and the classes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.tasks.label_codes import class_indices
from monitoring.traffic.cells import (
    as_strings,
    as_written,
    class_names,
    is_list,
    is_number,
    is_text,
    names_no_number,
    non_blank,
    value_type,
)
from monitoring.traffic.tables.answers import given_probabilities, read_answers
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.delimited import other_delimiter_fix
from monitoring.traffic.tables.pieces import TablePiece, WholePiece
from monitoring.traffic.tables.raw_rows import RawRows
from monitoring.traffic.tables.table_format import date_order
from monitoring.traffic.tables.times import parse_times

#: An order of the classes is better than another if it answers this share of the rows rightly that the other does not.
BETTER = 0.05


def matched_classes(scores: Sequence[str], labels: Collection[str]) -> tuple[str, ...]:
    """The classes that score columns are named after, by their whole names or with one prefix and suffix.

    >>> matched_classes(("y_pred_proba_prepaid", "y_pred_proba_upmarket"), {"upmarket", "prepaid"})
    ('prepaid', 'upmarket')
    >>> matched_classes(("p1", "p2"), {"cat", "dog"})
    ('cat', 'dog')

    Returns:
        A class for each column, in their order; in the order of the alphabet where no name fits.
    """
    if not labels or set(labels) & set(scores):
        return tuple(scores)
    around = {
        (name[:place], name[place + len(label) :])
        for name in scores
        for label in labels
        for place in range(len(name))
        if name.startswith(label, place)
    }
    fitting = [
        tuple(name[len(before) : len(name) - len(after)] for name in scores)
        for before, after in sorted(around)
        if all(name.startswith(before) and name.endswith(after) for name in scores)
    ]
    covering = [names for names in fitting if set(labels) <= set(names) and all(names)]
    return covering[0] if covering else tuple(sorted(labels))


def better_order(
    answers: NDArray[np.float64], labels: NDArray[np.int64], classes: Sequence[str]
) -> tuple[str, ...] | None:
    """The order of the classes in which the answers are right more often.

    Args:
        answers: Probabilities, [n, classes].
        labels: The true classes by their places in `classes`, [n].
        classes: The classes in the order that the answers were taken to have.

    Returns:
        Another order; None where none is better by `BETTER` of the rows.

    >>> better_order(np.eye(3)[[1, 2, 0]], np.array([0, 1, 2]), ("a", "b", "c"))
    ('c', 'a', 'b')
    """
    if not labels.size:
        return None
    counts = np.zeros((len(classes), len(classes)))
    np.add.at(counts, (answers.argmax(axis=1), labels), 1.0)
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - 25 MB, for a table that is named anew

    places, best = linear_sum_assignment(counts, maximize=True)
    if counts[places, best].sum() - np.trace(counts) <= BETTER * labels.size:
        return None
    return tuple(classes[place] for place in best)


#: Labels that a message proposes as classes, at most.
_NAMED = 5

#: A column of labels or answers with more distinct values than this does not hold classes.
MOST_CLASSES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedPiece(WholePiece):
    """A piece that has been read already. A `TablePiece`."""

    name: str
    first_row: int
    raw: RawRows

    def read(self, names: Collection[str] | None = None) -> RawRows:
        """See `TablePiece`; all columns, whatever names are asked for."""
        return self.raw


def read_all(pieces: Sequence[TablePiece]) -> tuple[LoadedPiece, ...]:
    """The pieces, read. Raises BadInput if they hold no rows."""
    loaded_pieces = tuple(LoadedPiece(name=each.name, first_row=each.first_row, raw=each.read()) for each in pieces)
    if not sum(piece.raw.table.num_rows for piece in loaded_pieces):
        raise BadInput(
            "The reference table is empty.",
            got="no rows",
            expected="one row per prediction, with its label, on rows the model was not fitted on",
            fix="Give held-out or out-of-fold predictions of some weeks.",
        )
    return loaded_pieces


def types_of(pieces: Sequence[LoadedPiece]) -> dict[str, str]:
    """Every column with its Arrow type, in order of appearance; cells of text files are strings.

    Where files differ, the first that has types and a cell says it.
    """
    types: dict[str, str] = {}
    typed: dict[str, str] = {}
    for piece in pieces:
        texts = piece.raw.text_cells()
        for field in piece.raw.table.schema:
            name, kind = field.name, str(value_type(field.type))
            if name not in texts and kind != "null":
                typed.setdefault(name, kind)
            if types.get(name, "null") == "null":
                types[name] = "string" if name in texts else kind
    return types | typed


#: A whole number that nothing but a number is written as: no zero in front, as codes have it.
_WHOLE = r"^(0|-?[1-9]\d*)(\.0+)?$"


def with_written_types(
    pieces: Sequence[LoadedPiece], types: Mapping[str, str], categories: Collection[str]
) -> tuple[tuple[LoadedPiece, ...], dict[str, str]]:
    """Categories of text files as cells of the type that files with types have beside them.

    Without such files, of whole numbers or booleans if all cells are: so that 1, 1.0 and True are what they are in a
    file with types: pandas writes codes with gaps as 1.0.

    Args:
        types: Every column with its type, as `types_of` gives it.

    Returns:
        The pieces, and every column with the type that its cells are written in.
    """
    written: dict[str, str] = {}
    for name in categories:
        there = [piece.raw for piece in pieces if name in piece.raw.table.column_names]
        texts = [raw.cells(name) for raw in there if raw.has_text_cells(name)]
        others = [raw.cells(name).type for raw in there if not raw.has_text_cells(name)]
        if not all(map(pa.types.is_null, others)):
            written[name] = types[name]
        elif texts:
            written[name] = _written_type(pc.unique(pa.chunked_array(map(as_strings, texts), pa.string())))
    found = {name: kind for name, kind in written.items() if kind != "string"}
    return tuple(_as_written(piece, found) for piece in pieces), {**types, **found}


def _written_type(texts: pa.Array) -> str:
    words = pc.utf8_lower(pc.utf8_trim_whitespace(texts.drop_null()))
    words = words.filter(pc.invert(names_no_number(words)))
    if not len(words):
        return "string"
    if pc.all(pc.is_in(words, pa.array(["true", "false"]))).as_py():
        return "bool"
    if not pc.all(pc.match_substring_regex(words, _WHOLE)).as_py():
        return "string"
    return "double" if pc.any(pc.match_substring(words, ".")).as_py() else "int64"


def _as_written(piece: LoadedPiece, kinds: Mapping[str, str]) -> LoadedPiece:
    table = piece.raw.table
    for name, kind in kinds.items():
        if name in table.column_names and piece.raw.has_text_cells(name):
            cells = as_written(as_strings(piece.raw.cells(name)), kind)
            table = table.set_column(table.column_names.index(name), name, cells)
    return replace(piece, raw=replace(piece.raw, table=table))


#: What to do where one score stands beside labels of more than two classes.
_ONE_SCORE = (
    "One score tells two classes apart. Name a score for each class, --score A,B,C, or the predicted class, "
    "--predicted COLUMN."
)


def classes_of(pieces: Sequence[LoadedPiece], columns: TableColumns, classes: Sequence[str]) -> tuple[str, ...]:
    """The classes in the order of the scores: those given, or inferred from scores, answers and labels.

    A single score is the probability of the second of two classes: 0 and 1, or false and true, where the labels are
    those; otherwise they must be given. Several scores are named after their columns.
    """
    labels = _values(pieces, columns.label)
    width = _width(pieces, columns)
    named = tuple(class_names(pa.array([text], pa.string()))[0].as_py() or "" for text in classes)
    if not named:
        named = _guessed(pieces, columns, labels, width)
    words = pa.array(sorted(labels), pa.string())
    unknown = words.filter(class_indices(words, named).is_null()).to_pylist()
    if len(set(named)) < max(2, len(named)) or (width and len(named) != width) or unknown:
        raise BadInput(
            "The classes do not fit the table.",
            got=f"classes {', '.join(named) or '(none)'}"
            + (f" for {width} scores" if width and len(named) != width else "")
            + (f"; labels {', '.join(unknown[:5])}" if unknown else ""),
            expected="one name per class, in the order of the scores (a single score's own last), as the labels are",
            fix=_ONE_SCORE
            if len(columns.scores) == 1 and len(labels) > 2
            else f"Name them: --classes {_example(labels)}.",
        )
    if len(columns.scores) > 1 and set(named) == set(columns.scores) and named != columns.scores:
        raise BadInput(
            "The classes are the scores' names in another order.",
            got=f"classes {', '.join(named)} for the scores {', '.join(columns.scores)}",
            expected="each class at the place of its score",
            fix=f"Leave --classes out, or give --classes {','.join(columns.scores)}.",
        )
    return named


def _example(labels: set[str]) -> str:
    """The labels as one would name them, where they are few; of two, which is the score's own is not known."""
    words = sorted(labels)
    if not 2 <= len(words) <= _NAMED or not all(words):
        return "on_time,late"
    return ",".join(words) + (f" or --classes {words[1]},{words[0]}" if len(words) == 2 else "")


def _guessed(pieces: Sequence[LoadedPiece], columns: TableColumns, labels: set[str], width: int) -> tuple[str, ...]:
    if columns.predicted is not None:
        return _answered_or_true(labels, _values(pieces, columns.predicted))
    if len(columns.scores) > 1:
        return matched_classes(columns.scores, labels)
    pairs = (("0", "1"), ("false", "true"))
    fitting = [pair for pair in pairs if labels <= set(pair)]
    if width != 2 or not fitting:
        raise BadInput(
            "The classes have to be named.",
            got=f"labels {', '.join(sorted(labels)[:5]) or '(none)'}",
            expected="0 and 1, or false and true" if width == 2 else f"{width} names",
            fix=_ONE_SCORE
            if len(columns.scores) == 1 and len(labels) > 2
            else f"Name the classes in the order of the scores, the score's own last: --classes {_example(labels)}.",
        )
    return fitting[0]


def _answered_or_true(labels: set[str], answers: set[str]) -> tuple[str, ...]:
    """The classes that are answered or true. Raises BadInput where no answer is ever a label."""
    both = labels | answers
    if not labels or labels & answers or both <= {"0", "1"}:
        return tuple(sorted(both))
    if both <= {"0", "1", "false", "true"}:  # booleans on one side
        return ("0", "1")
    raise BadInput(
        "No answer is ever the name of a label.",
        got=f"answers {', '.join(sorted(answers)[:5])}; labels {', '.join(sorted(labels)[:5])}",
        expected="classes by the same names in both columns, or by their numbers in one of them",
        fix="Name the right columns with --predicted and --label, or the classes in order: --classes on_time,late.",
    )


def _width(pieces: Sequence[LoadedPiece], columns: TableColumns) -> int:
    """How many scores a row has; 0 where it has an answer only."""
    if columns.predicted is not None:
        return 0
    if len(columns.scores) > 1:
        return len(columns.scores)
    for piece in pieces:
        if _listed(piece.raw, columns):
            lengths = pc.list_value_length(piece.raw.cells(columns.scores[0]).drop_null())
            return int(pc.max(lengths).as_py() or 0) or 2
    return 2


def _values(pieces: Sequence[LoadedPiece], name: str) -> set[str]:
    values: set[str] = set()
    for piece in pieces:
        if name not in piece.raw.table.column_names:
            continue
        column = piece.raw.cells(name)
        if is_text(column.type) or is_number(column.type):
            values |= set(pc.unique(class_names(column).drop_null()).to_pylist())
        if len(values) > MOST_CLASSES:
            raise BadInput(
                f"The column {name} does not hold classes.",
                got=f"more than {MOST_CLASSES:,} different values",
                expected="the name or number of a class",
                fix="Name the right column: --label, --predicted.",
            )
    return values


def time_columns(pieces: Sequence[LoadedPiece], columns: TableColumns, but: Collection[str]) -> dict[str, str]:
    """The columns that hold times and have no role, with their types: one may be that of event times.

    Returns:
        Types by name; text is of times if all its cells are.
    """
    kinds = {}
    for name, kind in types_of(pieces).items():
        if name in columns.mapped or name in but:
            continue
        cells = [piece.raw.cells(name) for piece in pieces if name in piece.raw.table.column_names]
        cells = [column.filter(non_blank(column)) for column in cells]
        if any(map(len, cells)) and all(parse_times(column).valid.all() for column in cells):
            kinds[name] = kind
    return kinds


def dates_of(pieces: Sequence[LoadedPiece], names: Sequence[str]) -> bool | None:
    """Whether dates of some columns have the day first; None where there are none, or they do not show it."""
    cells = [piece.raw.cells(name) for piece in pieces for name in names if name in piece.raw.table.column_names]
    texts = [pc.unique(as_strings(column)).drop_null() for column in cells if is_text(column.type)]
    return date_order(pc.unique(pa.chunked_array(texts, pa.string()))) if texts else None


def spelling(there: Mapping[str, str]) -> str:
    """What to do about a column that is not there, where `there` are those that are."""
    return other_delimiter_fix(list(there)) or "Check the spelling."


def check_labels(pieces: Sequence[LoadedPiece], label: str) -> None:
    """Raises BadInput for a column of labels of a type that names no classes."""
    for piece in pieces:
        schema = piece.raw.table.schema
        if label not in schema.names:
            continue
        kind = schema.field(label).type
        kind = value_type(kind)
        if not (is_text(kind) or is_number(kind) or pa.types.is_null(kind)):
            raise BadInput(
                f"The column {label} does not hold labels.",
                got=f"type {kind}",
                expected="the name or number of a class",
                fix="Name the right column with --label, or leave it out.",
            )


def check_scores(pieces: Sequence[LoadedPiece], columns: TableColumns) -> None:
    """Raises BadInput where most rows that have scores have some that are no probabilities."""
    if columns.predicted is not None:
        return
    there = wrong = 0
    ends: list[float] = []
    for raw in (piece.raw for piece in pieces if set(columns.scores) <= set(piece.raw.table.column_names)):
        probabilities = given_probabilities(raw, columns)
        usable = np.isfinite(read_answers(raw, columns)[0]).all(axis=1)
        scored = ~np.isnan(probabilities).all(axis=1)
        there += int(scored.sum())
        wrong += int((scored & ~usable).sum())
        shown_scores = (
            probabilities[scored, 1:]
            if len(columns.scores) == 1 and not _listed(raw, columns)
            else probabilities[scored]
        )
        ends += [float(np.nanmin(shown_scores)), float(np.nanmax(shown_scores))] if shown_scores.size else []
    if 2 * wrong <= there:
        return
    several = len(columns.scores) > 1 or any(_listed(piece.raw, columns) for piece in pieces)
    several &= columns.exclusive
    raise BadInput(
        "Most scores of the reference are no probabilities.",
        got=f"{', '.join(columns.scores)} from {min(ends):.4g} to {max(ends):.4g}; "
        f"{wrong:,} of {there:,} rows do not fit",
        expected="probabilities in 0..1" + (", 1 in sum over the classes" if several else ""),
        fix=f"Divide per cent by 100, apply the {'softmax' if several else 'sigmoid'} to logits.",
    )


def _listed(raw: RawRows, columns: TableColumns) -> bool:
    name = columns.scores[0]
    return name in raw.table.column_names and is_list(raw.table.schema.field(name).type)


def check_label_times(pieces: Sequence[LoadedPiece], columns: TableColumns) -> None:
    """Raises BadInput for a column of label times that has cells and no valid time."""
    name, examples = columns.label_time, []
    for column in (p.raw.cells(name) for p in pieces if name in p.raw.table.column_names):
        if parse_times(column, columns.naive_timezone, day_first=columns.format.day_first).valid.any():
            return
        cells = column.filter(non_blank(column))
        examples += [f"{_shown(cells):.40}, of type {column.type}"] if len(cells) else []
    if examples:
        raise BadInput(
            f"The column {name} does not hold times.",
            got=f"{examples[0]}, and so on",
            expected="when each label became known: timestamps, dates, or text in ISO 8601",
            fix="Name the right column with --label-time, convert it, or drop it: labels then count as of their row.",
        )


def _shown(cells: pa.Array) -> str:
    """The first cell; a time in nanoseconds as Python has it would take pandas."""
    kind = cells.type
    return str(cells[:1].cast(pa.string())[0]) if pa.types.is_timestamp(kind) else repr(cells[0].as_py())


def absent_columns(there: Mapping[str, str], named: Mapping[str, str | None]) -> dict[str, str]:
    """The columns that were named by an option, and are not there."""
    return {option: name for option, name in named.items() if name is not None and name not in there}
