"""Tables of rankings: which ids are answered, and what their columns must hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput
from monitoring.tasks.id_codes import id_codes
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.ranking import MAX_RELEVANT, Ranking
from monitoring.traffic.cells import decoded
from monitoring.traffic.ranked_ids import listed_ids, ranked_answers
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.reference import LoadedPiece
from monitoring.traffic.tables.rows import coded_labels

#: Ids that stand first in this share of the rows, or more, are watched by name: so many at most.
OFTEN_FIRST = 0.05
MAX_FIRST = 8

#: Labels that are quoted at most.
_QUOTED = 3


def with_ranking(
    pieces: Sequence[LoadedPiece], columns: TableColumns, classes: Sequence[str], class_slices: Sequence[str]
) -> TableColumns:
    """The columns with what is answered.

    Args:
        pieces: the reference.
        columns: what the mapped columns mean: ids in `predicted`, their scores in `id_scores`.
        classes: the classes as the user named them.
        class_slices: classes that the user wants losses by.

    Returns:
        The columns, with the task.

    Raises:
        BadInput: the columns are not those of a ranking, or answers and labels have no id in common.
    """
    if classes or class_slices or columns.predicted is None or columns.label_columns:
        raise BadInput(
            "A ranking has a column of lists of ids, one of labels, and no classes.",
            got=f"--classes {', '.join(classes)}"
            if classes
            else f"--class-slices {', '.join(class_slices)}"
            if class_slices
            else f"labels in {', '.join(columns.label_columns)}"
            if columns.label_columns
            else "no --predicted",
            expected="--predicted with the column of ids, best first, --score with that of their scores if there are "
            "some, and --label with the relevant id, or with lists of them",
            fix="For example: --task ranking --predicted shown --score scores --label clicked.",
        )
    cells = _cells(pieces, columns.predicted)
    places = max((int(lengths.max(initial=0)) for _, lengths in map(listed_ids, cells)), default=0)
    task = Ranking(places=places, scored=columns.id_scores is not None).check()
    task = replace(task, first=_often_first(cells))
    found = replace(columns, ranking=task)
    _check(pieces, found, task)
    return found


def _often_first(cells: Sequence[pa.Array]) -> tuple[tuple[int, str], ...]:
    """The ids that often stand first, commonest first: code and name."""
    first = []
    for column in cells:
        words, lengths = listed_ids(column)
        starts = (np.cumsum(lengths) - lengths)[lengths > 0]
        first.append(words.take(pa.array(starts)))
    names = pa.concat_arrays([pa.array([], pa.string()), *first]).drop_null()
    counts = sorted(
        ((int(one["counts"]), str(one["values"])) for one in pc.value_counts(names).to_pylist()),
        key=lambda one: (-one[0], one[1]),
    )
    often = [name for count, name in counts if count >= OFTEN_FIRST * len(names)][:MAX_FIRST]
    return tuple((int(code), name) for code, name in zip(id_codes(pa.array(often, pa.string())), often, strict=True))


def _check(pieces: Sequence[LoadedPiece], columns: TableColumns, task: Ranking) -> None:
    """Raises BadInput for scores that do not fit the ids, and for labels that are no ids of the answers."""
    answered: list[np.ndarray[tuple[int, ...], np.dtype[np.int64]]] = []
    labels: set[str] = set()
    rows = usable = 0
    for piece in pieces:
        ids, scores = (_cells([piece], name) for name in (columns.predicted, columns.id_scores))
        texts = coded_labels(piece.raw, columns).dictionary.drop_null()
        labels |= set(texts.to_pylist())
        if ids:
            values = ranked_answers(ids[0], scores[0] if scores else None, task)
            rows += len(values)
            usable += int(np.isfinite(values).all(axis=1).sum())
            answered.append(np.unique(id_codes(listed_ids(ids[0])[0])))
    if 2 * usable <= rows:
        raise BadInput(
            "Most rows of the reference have no usable ranking.",
            got=f"{rows - usable:,} of {rows:,} rows of {', '.join(columns.answer)}",
            expected="lists of ids, best first" + (", and a number for each of them" if task.scored else ""),
            fix="Name the column of ids with --predicted, and that of their scores with --score, or leave --score out.",
        )
    codes = task.label_codes(pa.chunked_array([sorted(labels)], pa.string()))
    too_many = [text for text, known in zip(sorted(labels), has_label(codes), strict=True) if not known]
    too_many = [text for text in too_many if text.strip(" []()")]
    relevant = np.unique(codes[codes > 0])
    if too_many or (relevant.size and not np.isin(relevant, np.concatenate([*answered, [0]])).any()):
        shown = too_many or sorted(labels)
        raise BadInput(
            "Labels have too many ids." if too_many else "No label is ever among the answered ids.",
            got=", ".join(repr(text[:60]) for text in shown[:_QUOTED]),
            expected=f"one relevant id, or up to {MAX_RELEVANT}: a list, a|b, or [1, 2]; as the answers have them",
            fix="Name the right columns with --predicted and --label, with ids of one kind in both.",
        )


def _cells(pieces: Sequence[LoadedPiece], name: str | None) -> list[pa.Array]:
    return [decoded(piece.raw.table[name]) for piece in pieces if name in piece.raw.table.column_names]
