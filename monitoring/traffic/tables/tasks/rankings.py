"""Tables of rankings: which ids are answered, and what their columns must hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from monitoring.errors import BadInput
from monitoring.tasks.id_codes import id_codes
from monitoring.tasks.ranking import Ranking
from monitoring.traffic.ranked_ids import check_relevant, listed_ids, often_first, ranked_answers
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.reference import LoadedPiece
from monitoring.traffic.tables.rows import coded_labels


def check_ranking_columns(scores: Sequence[str], predicted: str | None) -> None:
    """Raises BadInput for a ranking whose scores are in several columns, or whose ids are in none or in several."""
    if len(scores) > 1 or predicted is None:
        raise BadInput(
            "A ranking is one column of lists of ids.",
            got=f"--score {','.join(scores)}" if scores else "no --predicted",
            expected="--predicted with the column of ids, best first; and --score with one column of lists of their "
            "scores, if there are some",
            fix="Put the ids of a row into one list, or into text: a|b|c.",
        )


def with_ranking(
    pieces: Sequence[LoadedPiece], columns: TableColumns, classes: Sequence[str], class_slices: Sequence[str]
) -> TableColumns:
    """The columns with what is answered."""
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
    task = replace(task, first=often_first(map(listed_ids, cells)))
    ranking_columns = columns.replaced(ranking=task)
    _check(pieces, ranking_columns, task)
    return ranking_columns


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
    check_relevant(
        labels,
        np.concatenate([np.zeros(0, dtype=np.int64), *answered]),
        task,
        fix="Name the right columns with --predicted and --label, with ids of one kind in both.",
    )


def _cells(pieces: Sequence[LoadedPiece], name: str | None) -> list[pa.Array]:
    return [piece.raw.cells(name) for piece in pieces if name is not None and name in piece.raw]
