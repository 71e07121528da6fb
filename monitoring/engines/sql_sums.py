"""Counts and moments of many inputs, window by window, in one pass as plain SQL: GROUP BY window, input, bin."""

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

#: Inputs that one scan sums up: a statement of more is some 300 kB of text.
MOST_INPUTS = 100

#: A window in microseconds: its start, and its end.
Span = tuple[int, int]


def number_counts(
    relation: SqlRelation, bins: Sequence[Bins], spans: Sequence[Span], without: Sequence[str]
) -> dict[str, list[FeatureCounts]]:
    """The counts and moments of some numbers in some windows.

    A value on an edge belongs to the bin on its right; NaN and NULL are missing; an infinite value is in the first or
    the last bin. Counts are exact; mean and squares are added up by bins. Cost: one scan for each MOST_INPUTS inputs.

    Args:
        bins: The edges of each input.
        spans: The windows, in order, none of which overlaps another.

    Returns:
        For each input its counts, window by window.
    """
    found: dict[str, list[FeatureCounts]] = {}
    for first in range(0, len(bins), MOST_INPUTS):
        some = bins[first : first + MOST_INPUTS]
        features = [[(np.zeros(each.places, dtype=np.int64), 0, NO_MOMENTS) for _ in spans] for each in some]
        for row in relation.table(number_statement(relation, some, spans, without)).to_pylist():
            counts, missing, moments = features[row["i"]][row["w"]]
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
            features[row["i"]][row["w"]] = (counts, missing, moments)
        for each, windows in zip(some, features, strict=True):
            found[each.feature] = [
                FeatureCounts(tuple(counts.tolist()), missing, moments) for counts, missing, moments in windows
            ]
    return found


def number_statement(relation: SqlRelation, bins: Sequence[Bins], spans: Sequence[Span], without: Sequence[str]) -> str:
    """The statement of `number_counts`, in the relation's dialect."""
    dialect = relation.dialect
    cells = [number_cell(relation, each.feature) for each in bins]
    numbers = [f"CASE WHEN {dialect.is_nan.format(cell)} THEN NULL ELSE {cell} END" for cell in cells]
    places = [
        _tree(f"x{number}", [dialect.number(edge) for edge in each.edges or ()], _numbered(len(each.edges or ()) + 1))
        for number, each in enumerate(bins)
    ]
    finite = dialect.is_finite.format("x")
    value = "x"
    if dialect.largest is not None:
        value = f"GREATEST(LEAST(x, {dialect.number(dialect.largest)}), {dialect.number(-dialect.largest)})"
    return f"""
        SELECT w, i, b, CASE WHEN x IS NULL THEN 1 ELSE 0 END AS missing, count(*) AS n,
            count(CASE WHEN {finite} THEN 1 END) AS finite, count(CASE WHEN x = 0 THEN 1 END) AS zeros,
            avg(CASE WHEN {finite} THEN {value} END) AS mean,
            var_pop(CASE WHEN {finite} THEN {value} END) AS variance, min(x) AS low, max(x) AS high
        FROM ({_each_input(relation, spans, without, cells=numbers, also=f"{_by_input(places)} AS b, ")}) AS stacked
        GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 3, 4"""


def word_counts(
    relation: SqlRelation,
    features: Sequence[str],
    spans: Sequence[Span],
    without: Sequence[str],
    *,
    columns: TableColumns,
    profiles: ProfileBuilder,
) -> dict[str, list[FeatureCounts]]:
    """The counts of some categories in some windows: values are counted by their bytes, whatever a column's collation.

    Cost: one scan for all categories of text, of booleans, and of whole numbers of a width, MOST_INPUTS at a time; one
    for each category of another type.

    Args:
        spans: The windows, in order, none of which overlaps another.

    Returns:
        For each category its counts, window by window.
    """
    nothing = np.empty(0, dtype=np.int64)
    found = {
        feature: [profiles.counted_words(feature, pa.array([], pa.string()), nothing)] * len(spans)
        for feature in features
    }
    for some in _of_one_type(relation, features):
        is_text = pa.types.is_string(relation.schema.field(some[0]).type)
        for table in _pages(relation, some, spans, without):
            values = table["v"].cast(pa.string()) if is_text else table["v"]
            counts = np.asarray(table["n"], dtype=np.int64)
            inputs, windows = np.asarray(table["i"]), np.asarray(table["w"])
            for number in np.unique(inputs).tolist():
                feature, chosen = some[number], inputs == number
                words = _as_read(feature, values.filter(pa.array(chosen)), columns)
                for window in np.unique(windows[chosen]).tolist():
                    at = windows[chosen] == window
                    found[feature][window] += profiles.counted_words(
                        feature, words.filter(pa.array(at)), counts[chosen][at]
                    )
    return found


def _as_read(feature: str, values: pa.ChunkedArray, columns: TableColumns) -> pa.Array:
    raw = RawRows.of(pa.table({feature: values}))
    kind = columns.reference_types.get(feature, "")
    return read_input(raw, raw.cells(feature), number=False, reference_type=kind)[0]


def _of_one_type(relation: SqlRelation, features: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Categories whose values may stand in one column: others are other values beside each other, such as floats."""
    groups: dict[object, list[str]] = {}
    for feature in features:
        kind = relation.schema.field(feature).type
        together = pa.types.is_string(kind) or pa.types.is_boolean(kind) or pa.types.is_integer(kind)
        groups.setdefault(kind if together else feature, []).append(feature)
    for group in groups.values():
        yield from (tuple(group[first : first + MOST_INPUTS]) for first in range(0, len(group), MOST_INPUTS))


def _pages(
    relation: SqlRelation, features: Sequence[str], spans: Sequence[Span], without: Sequence[str]
) -> Iterator[pa.Table]:
    """Values and their counts, so many at a time."""
    text = word_statement(relation, features, spans, without)
    for page in count():
        table = relation.table(f"{text} OFFSET {page * MOST_VALUES}" if page else text)
        yield table
        if table.num_rows < MOST_VALUES:
            return


def word_statement(
    relation: SqlRelation, features: Sequence[str], spans: Sequence[Span], without: Sequence[str]
) -> str:
    """The statement of `word_counts` for categories of one type, in the relation's dialect."""
    names = [relation.dialect.quoted(feature) for feature in features]
    if pa.types.is_string(relation.schema.field(features[0]).type):
        names = [relation.dialect.utf8.format(name) for name in names]
    return f"""
        SELECT w, i, x AS v, count(*) AS n FROM ({_each_input(relation, spans, without, cells=names)}) AS stacked
        GROUP BY 1, 2, 3 ORDER BY 2, 1, 3 LIMIT {MOST_VALUES}"""


def _each_input(
    relation: SqlRelation, spans: Sequence[Span], without: Sequence[str], *, cells: Sequence[str], also: str = ""
) -> str:
    """A row for each row of the windows and each of some inputs, whose cell is x; the relation is read once.

    Args:
        cells: What each input's cell is; they are called x0, x1 and so on where `also` is read.
        also: Further columns of each row and input, each with a comma after it.
    """
    fence = relation.dialect.fence
    named = ", ".join(f"{cell} AS x{number}" for number, cell in enumerate(cells))
    numbers = " UNION ALL ".join(f"SELECT {number} AS i" for number in range(len(cells)))
    return f"""
        SELECT w, i, {also}{_by_input([f"x{number}" for number in range(len(cells))])} AS x FROM (
            SELECT {_window(relation, spans)} AS w, {named}
            FROM {ROWS} WHERE {condition(relation, (spans[0][0], spans[-1][1]), without=without)} {fence}
        ) AS cells CROSS JOIN ({numbers}) AS inputs WHERE w IS NOT NULL {fence}"""


def _by_input(leaves: Sequence[str]) -> str:
    """What is said of the input whose number is i."""
    return _tree("i", _numbered(len(leaves))[1:], leaves)


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


def _numbered(size: int) -> list[str]:
    return [str(number) for number in range(size)]


def _tree(value: str, edges: Sequence[str], leaves: Sequence[str]) -> str:
    """The leaf that a value lies in: left of an edge, or on it and right of it."""
    if not edges:
        return leaves[0]
    half = len(edges) // 2
    low = _tree(value, edges[:half], leaves[: half + 1])
    high = _tree(value, edges[half + 1 :], leaves[half + 1 :])
    return low if low == high else f"CASE WHEN {value} < {edges[half]} THEN {low} ELSE {high} END"
