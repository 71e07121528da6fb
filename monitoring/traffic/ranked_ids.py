"""Lists of answered ids, and of their scores, as the answers of a ranking, and the labels that fit them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.tasks.id_codes import FILLERS, id_codes, split_ids
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.number_codes import list_items, list_lengths
from monitoring.tasks.ranking import MAX_RELEVANT, Ranking
from monitoring.traffic.cells import as_strings, class_names, decoded, is_list, is_number, is_text, parse_numbers

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

#: Ids that stand first in this share of the rows, or more, are watched by name: so many at most.
OFTEN_FIRST = 0.05
MAX_FIRST = 8

#: Labels that an error quotes, at most.
_QUOTED = 3


def listed_ids(cells: pa.Array) -> tuple[pa.Array, Whole]:
    """The ids of some cells: lists, the text of lists, or one id each.

    >>> ids, lengths = listed_ids(pa.array(["a|b", None, "c"]))
    >>> ids.to_pylist(), lengths.tolist()
    (['a', 'b', None, 'c'], [2, 1, 1])

    Returns:
        The ids as text, one after the other, null for a place without one; and how many each cell has, int64 [n].
    """
    if is_list(cells.type):
        lengths = np.asarray(pc.fill_null(pc.list_value_length(cells), 0), dtype=np.int64)
        words = decoded(pc.list_flatten(cells))
        is_readable = is_text(words.type) or is_number(words.type)
        return (class_names(words) if is_readable else pa.nulls(len(words), pa.string())), lengths
    if is_number(cells.type):
        return class_names(cells), np.ones(len(cells), dtype=np.int64)
    if is_text(cells.type):
        parts = split_ids(as_strings(cells))
        return pc.list_flatten(parts), np.asarray(pc.list_value_length(parts), dtype=np.int64)
    return pa.nulls(0, pa.string()), np.zeros(len(cells), dtype=np.int64)


def ids_by_code(cells: pa.Array) -> dict[int, str]:
    """The ids of some cells by their codes.

    >>> list(ids_by_code(pa.array(["a|b", None, "b"])).values())
    ['a', 'b']
    """
    words = listed_ids(cells)[0].drop_null().unique()
    return dict(zip(id_codes(words).tolist(), words.to_pylist(), strict=True))


def ranked_answers(ids: pa.Array, scores: pa.Array | None, task: Ranking) -> Floats:
    """The answers of a ranking.

    >>> answers = ranked_answers(pa.array([["a", "b", "c"], ["a"], []]), None, Ranking(places=2))
    >>> bool(answers[0, 0] == answers[1, 0] > 0), answers[1, 1], bool(np.isnan(answers[2]).all())
    (True, np.float64(0.0), True)

    Args:
        ids: What the column of ids holds, [n]; best first.
        scores: What that of their scores holds, [n]; None where there are none.
        task: How many places there are; ids after them do not count.

    Returns:
        Codes, then scores, float64 [n, task.width]; NaN in a row without an id, or without a number for each of them.
    """
    words, lengths = listed_ids(ids)
    answers = np.zeros((len(ids), task.width))
    rows, places = _at(lengths)
    inside = places < task.places
    answers[rows[inside], places[inside]] = id_codes(words)[inside]
    usable = (answers[:, : task.places] > 0).any(axis=1)
    if task.scored:
        values, counts = _numbers(scores, len(ids))
        usable &= counts == lengths
        score_rows, score_places = _at(counts)
        fits = usable[score_rows] & (score_places < task.places)
        answers[score_rows[fits], task.places + score_places[fits]] = values[fits]
        usable &= np.isfinite(answers).all(axis=1)
    answers[~usable] = np.nan
    return answers


def often_first(lists: Iterable[tuple[pa.Array, Whole]]) -> tuple[tuple[int, str], ...]:
    """The ids that often stand first, commonest first.

    >>> [name for _, name in often_first([listed_ids(pa.array(["a|b", "a", "b|a", None]))])]
    ['a', 'b']
    """
    first = [words.take(pa.array((np.cumsum(lengths) - lengths)[lengths > 0])) for words, lengths in lists]
    names = pa.concat_arrays([pa.nulls(0, pa.string()), *first]).drop_null()
    counts = sorted(
        ((int(entry["counts"]), str(entry["values"])) for entry in pc.value_counts(names).to_pylist()),
        key=lambda pair: (-pair[0], pair[1]),
    )
    often = [name for count, name in counts if count >= OFTEN_FIRST * len(names) and name not in FILLERS][:MAX_FIRST]
    return tuple((int(code), name) for code, name in zip(id_codes(pa.array(often, pa.string())), often, strict=True))


def check_relevant(labels: Collection[str], answered: Whole, task: Ranking, *, fix: str) -> None:
    """Check that labels are ids, and that some of them are answered."""
    texts = sorted(labels)
    codes = task.label_codes(pa.chunked_array([texts], pa.string()))
    too_many = [text for text, is_known in zip(texts, has_label(codes), strict=True) if not is_known]
    too_many = [text for text in too_many if text.strip(" []()") not in {"", *FILLERS}]
    relevant = np.unique(codes[codes > 0])
    if too_many or (relevant.size and not np.isin(relevant, answered).any()):
        raise BadInput(
            "Labels have too many ids." if too_many else "No label is ever among the answered ids.",
            got=", ".join(repr(text[:60]) for text in (too_many or texts)[:_QUOTED]),
            expected=f"one relevant id, or up to {MAX_RELEVANT}: a list, a|b, or [1, 2]; as the answers have them",
            fix=fix,
        )


def _at(lengths: Whole) -> tuple[Whole, Whole]:
    """The row and the place in it of each item of lists of these lengths."""
    rows = np.repeat(np.arange(len(lengths)), lengths)
    return rows, np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def _numbers(cells: pa.Array | None, rows: int) -> tuple[Floats, Whole]:
    """The scores of some cells, one after the other, and how many each cell has; none where they are no numbers."""
    none = np.zeros(0), np.zeros(rows, dtype=np.int64)
    if cells is None:
        return none
    if is_list(cells.type):
        values = decoded(pc.list_flatten(cells))
        lengths = np.asarray(pc.fill_null(pc.list_value_length(cells), 0), dtype=np.int64)
    elif is_text(cells.type):
        texts = pa.chunked_array([as_strings(cells)])
        values, lengths = list_items(texts), list_lengths(texts)
    else:
        values, lengths = cells, np.ones(rows, dtype=np.int64)
    numbers, _, _ = parse_numbers(values, text=is_text(values.type))
    return np.asarray(numbers, dtype=np.float64), lengths
