"""An input's counts and moments, window by window, as plain SQL: GROUP BY window, bin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, pairwise

import numpy as np
import pyarrow as pa

from monitoring.baseline.moments import NO_MOMENTS, Moments
from monitoring.baseline.profile import Bins, FeatureCounts
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.engines.sql_relation import ROWS, SqlRelation, condition, event_microseconds, number_cell
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.raw_rows import RawRows
from monitoring.traffic.tables.rows import read_input

#: Values of a category that come at once; more take further statements.
MOST_VALUES = 200_000

#: A window in microseconds: its start, and its end.
Span = tuple[int, int]


def number_counts(
    relation: SqlRelation, bins: Bins, spans: Sequence[Span], without: Sequence[str]
) -> list[FeatureCounts]:
    """A number's counts and moments in some windows.

    A value on an edge belongs to the bin on its right; NaN and NULL are missing; an infinite value is in the first or
    the last bin. Counts are exact; mean and squares are added up by bins.

    Args:
        spans: The windows, in order, none of which overlaps another.
    """
    text = number_statement(relation, bins, spans, without)
    features = [(np.zeros(bins.places, dtype=np.int64), 0, NO_MOMENTS) for _ in spans]
    for row in relation.table(text).to_pylist():
        counts, missing, moments = features[row["w"]]
        if row["missing"]:
            missing += row["n"]
        else:
            counts[row["b"]] += row["n"]
            moments += Moments(
                finite=row["finite"],
                infinite=row["n"] - row["finite"],
                zeros=row["zeros"],
                mean=row["mean"] or 0.0,
                squares=(row["variance"] or 0.0) * row["finite"],
                minimum=row["low"],
                maximum=row["high"],
            )
        features[row["w"]] = (counts, missing, moments)
    return [FeatureCounts(tuple(counts.tolist()), missing, moments) for counts, missing, moments in features]


def number_statement(relation: SqlRelation, bins: Bins, spans: Sequence[Span], without: Sequence[str]) -> str:
    """The statement of `number_counts`, in the relation's dialect."""
    dialect, cell = relation.dialect, number_cell(relation, bins.feature)
    finite = dialect.is_finite.format("x")
    value = "x"
    if dialect.largest is not None:
        value = f"GREATEST(LEAST(x, {dialect.number(dialect.largest)}), {dialect.number(-dialect.largest)})"
    return f"""
        SELECT w, {_tree_of_bins("x", [dialect.number(edge) for edge in bins.edges or ()])} AS b,
            CASE WHEN x IS NULL THEN 1 ELSE 0 END AS missing, count(*) AS n,
            count(CASE WHEN {finite} THEN 1 END) AS finite, count(CASE WHEN x = 0 THEN 1 END) AS zeros,
            avg(CASE WHEN {finite} THEN {value} END) AS mean,
            var_pop(CASE WHEN {finite} THEN {value} END) AS variance, min(x) AS low, max(x) AS high
        FROM (
            SELECT {_window(relation, spans)} AS w,
                CASE WHEN {dialect.is_nan.format(cell)} THEN NULL ELSE {cell} END AS x
            FROM {ROWS} WHERE {condition(relation, (spans[0][0], spans[-1][1]), without=without)}
        ) AS cells WHERE w IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""


def word_counts(
    relation: SqlRelation,
    feature: str,
    spans: Sequence[Span],
    without: Sequence[str],
    *,
    columns: TableColumns,
    profiles: ProfileBuilder,
) -> list[FeatureCounts]:
    """A category's counts in some windows: its values are counted by their bytes, whatever the column's collation.

    Args:
        spans: The windows, in order, none of which overlaps another.
    """
    binary = pa.types.is_string(relation.schema.field(feature).type)
    kind = columns.reference_types.get(feature, "")
    nothing = profiles.counted_words(feature, pa.array([], pa.string()), np.empty(0, dtype=np.int64))
    result = [nothing for _ in spans]
    for table in _pages(relation, feature, spans, without):
        values = table["v"].cast(pa.string()) if binary else table["v"]
        raw = RawRows.of(pa.table({feature: values}))
        words, _, _ = read_input(raw, raw.cells(feature), number=False, reference_type=kind)
        windows, counts = np.asarray(table["w"]), np.asarray(table["n"], dtype=np.int64)
        for number in np.unique(windows).tolist():
            chosen = windows == number
            result[number] += profiles.counted_words(feature, words.filter(pa.array(chosen)), counts[chosen])
    return result


def _pages(relation: SqlRelation, feature: str, spans: Sequence[Span], without: Sequence[str]) -> Iterator[pa.Table]:
    """Values and their counts, so many at a time."""
    text = word_statement(relation, feature, spans, without)
    for page in count():
        table = relation.table(f"{text} OFFSET {page * MOST_VALUES}" if page else text)
        yield table
        if table.num_rows < MOST_VALUES:
            return


def word_statement(relation: SqlRelation, feature: str, spans: Sequence[Span], without: Sequence[str]) -> str:
    """The statement of `word_counts`, in the relation's dialect."""
    name = relation.dialect.quoted(feature)
    if pa.types.is_string(relation.schema.field(feature).type):
        name = relation.dialect.utf8.format(name)
    return f"""
        SELECT w, v, count(*) AS n FROM (
            SELECT {_window(relation, spans)} AS w, {name} AS v
            FROM {ROWS} WHERE {condition(relation, (spans[0][0], spans[-1][1]), without=without)}
        ) AS cells WHERE w IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2 LIMIT {MOST_VALUES}"""


def row_statement(relation: SqlRelation, spans: Sequence[Span], without: Sequence[str]) -> str:
    """The statement of `row_counts`, in the relation's dialect."""
    return f"""
        SELECT w, count(*) AS n FROM (
            SELECT {_window(relation, spans)} AS w
            FROM {ROWS} WHERE {condition(relation, (spans[0][0], spans[-1][1]), without=without)}
        ) AS cells WHERE w IS NOT NULL GROUP BY 1"""


def row_counts(relation: SqlRelation, spans: Sequence[Span], without: Sequence[str]) -> list[int]:
    """How many rows some windows have."""
    text = row_statement(relation, spans, without)
    rows_by_window = {row["w"]: int(row["n"]) for row in relation.table(text).to_pylist()}
    return [rows_by_window.get(number, 0) for number in range(len(spans))]


def _window(relation: SqlRelation, spans: Sequence[Span]) -> str:
    """The number of the window that a row's event time lies in; NULL between windows."""
    when = event_microseconds(relation)
    ends = sorted({end for span in spans for end in span})
    places = {span: number for number, span in enumerate(spans)}
    between = [places.get((low, high)) for low, high in pairwise(ends)]
    leaves = ["NULL", *("NULL" if place is None else str(place) for place in between), "NULL"]
    return _tree(when, [str(end) for end in ends], leaves)


def _tree_of_bins(value: str, edges: Sequence[str]) -> str:
    """The number of edges that are not above a value, by halving."""
    return _tree(value, edges, [str(place) for place in range(len(edges) + 1)])


def _tree(value: str, edges: Sequence[str], leaves: Sequence[str]) -> str:
    """The leaf that a value lies in: left of an edge, or on it and right of it."""
    if not edges:
        return leaves[0]
    half = len(edges) // 2
    low = _tree(value, edges[:half], leaves[: half + 1])
    high = _tree(value, edges[half + 1 :], leaves[half + 1 :])
    return low if low == high else f"CASE WHEN {value} < {edges[half]} THEN {low} ELSE {high} END"
