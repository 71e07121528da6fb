"""Cells at the edges of what SQL and Arrow take alike, and what this package's own stream makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from monitoring.baseline.profile import Bins
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.engines.codec import encoded
from monitoring.engines.partial import Partial
from monitoring.engines.recipe import Recipe
from monitoring.engines.sql_relation import ROWS, SqlRelation
from monitoring.engines.sql_sums import number_counts, word_counts
from monitoring.traffic.cells import as_strings
from monitoring.traffic.tables.columns import TableColumns

EDGES = (-1.0, 0.0, 0.1, 0.30000000000000004, 2.5, 1e300)
SPANS = [(0, 1000), (1000, 2000)]


def hostile_numbers() -> list[float | None]:
    """Values on edges and beside them, and what is no number."""
    exact = [value for edge in EDGES for value in (edge, np.nextafter(edge, -np.inf), np.nextafter(edge, np.inf))]
    return [None, float("nan"), -0.0, 0.0, float("inf"), -float("inf"), 5e-324, *map(float, exact), 0.1 + 0.2, 3.0]


NUMBERS = {
    "doubles": pa.array(hostile_numbers(), pa.float64()),
    "floats": pa.array(hostile_numbers(), pa.float64()).cast(pa.float32()),
    "integers": pa.array([-1, 0, None, 2, 3, 2**53 + 1, -(2**63), 2**63 - 1], pa.int64()),
    "booleans": pa.array([True, False, None, True], pa.bool_()),
    "decimals": pa.array(["0.10", "-1.00", "2.50", "0.30", None, "0.29"]).cast(pa.decimal128(12, 2)),
    "long decimals": pa.array(["0.1000000000000000000001", "0.0999999999999999999999"]).cast(pa.decimal128(38, 22)),
}
WORDS = {
    "text": pa.array(["a", "A", "ä", "a ", "", None, "it's", '"', "a", "日本"]),
    "integers": pa.array([1, 2, None, 1], pa.int32()),
    "booleans": pa.array([True, None, False, True]),
}


def rows_with(cells: pa.Array) -> pa.Table:
    """Cells, the second half of which lies in the second window."""
    count = len(cells)
    times = pa.array([0 if place < count // 2 else 1999 for place in range(count)]).cast(pa.timestamp("us", "UTC"))
    return pa.table({"id": pa.array([str(place) for place in range(count)]), "ts": times, "x": cells})


def check_numbers(relation: SqlRelation, cells: pa.Array) -> None:
    """The counts of `rows_with` are those of the own stream, and so are its moments but for rounding."""
    bins = Bins(feature="x", edges=EDGES)
    found = number_counts(relation, [bins], SPANS, ())["x"]
    half = len(cells) // 2
    for counts, part in zip(found, (cells[:half], cells[half:]), strict=True):
        values = part.cast(pa.int8()) if pa.types.is_boolean(part.type) else part
        own = ProfileBuilder((bins,)).count(pa.table({"x": values.cast(pa.float64(), safe=False)})).features[0]
        assert counts == own
        for name in ("finite", "infinite", "zeros", "minimum", "maximum"):
            assert getattr(counts.moments, name) == getattr(own.moments, name), name
        if abs(own.moments.mean) < 1e140:  # beyond it PostgreSQL does not add up
            np.testing.assert_allclose(counts.moments.mean, own.moments.mean, rtol=1e-12)


def check_words(relation: SqlRelation, cells: pa.Array) -> None:
    """The counts of `rows_with` are those of the own stream, and so are its rarer values."""
    bins = Bins(feature="x", categories=("a", "1", "true"))
    columns = TableColumns(inputs={"x": "category"})
    profiles = ProfileBuilder((bins,))
    found = word_counts(relation, ["x"], SPANS, (), columns=columns, profiles=profiles)["x"]
    half = len(cells) // 2
    for counts, part in zip(found, (cells[:half], cells[half:]), strict=True):
        own = profiles.count(pa.table({"x": part.cast(pa.string())})).features[0]
        assert counts == own
        assert (counts.characters, counts.others.word_counts) == (own.characters, own.others.word_counts)


def mixed_rows() -> pa.Table:
    """Numbers and categories of several types beside each other, in two windows and outside them."""
    count, columns = 40, {}
    for name, cells in (*NUMBERS.items(), *WORDS.items(), ("floats of codes", pa.array([1.0, None, 1.5, 0.35]))):
        kind = "number" if cells is NUMBERS.get(name) else "category"
        columns[f"{kind}_{name}".replace(" ", "_")] = pa.concat_arrays([cells] * (count // len(cells) + 1))[:count]
    columns["category_more_text"] = columns["category_text"].slice(3).cast(pa.string())
    columns["category_more_text"] = pa.concat_arrays([columns["category_more_text"], pa.array(["a", None, "z"])])
    times = pa.array([(place * 67) % 2400 - 200 for place in range(count)]).cast(pa.timestamp("us", "UTC"))
    return pa.table({"id": pa.array([str(place) for place in range(count)]), "ts": times, **columns})


def check_inputs(relation: SqlRelation) -> None:
    """The counts of all inputs of `mixed_rows` at once are those of each of them alone by the own stream."""
    rows = mixed_rows()
    names = [name for name in rows.column_names if name.startswith(("number", "category"))]
    numbers = [Bins(feature=name, edges=EDGES) for name in names if name.startswith("number")]
    words = [Bins(feature=name, categories=("a", "1", "true")) for name in names if name.startswith("category")]
    columns = TableColumns(inputs={name: "number" if name.startswith("number") else "category" for name in names})
    builder = ProfileBuilder((*numbers, *words))
    found = number_counts(relation, numbers, SPANS, ("3",))
    found |= word_counts(relation, [bins.feature for bins in words], SPANS, ("3",), columns=columns, profiles=builder)
    assert found.keys() == set(names)
    for place, (start, end) in enumerate(SPANS):
        at = [start <= us < end and row != 3 for row, us in enumerate(rows["ts"].cast(pa.int64()).to_pylist())]
        cells = {name: _as_own(rows[name].combine_chunks().filter(pa.array(at)), name) for name in names}
        for own, name in zip(builder.count(pa.table(cells)).features, names, strict=True):
            counts = found[name][place]
            assert counts == own, name
            assert (counts.characters, counts.others.word_counts) == (own.characters, own.others.word_counts), name
            for moment in ("finite", "infinite", "zeros", "minimum", "maximum"):
                assert getattr(counts.moments, moment) == getattr(own.moments, moment), (name, moment)


def _as_own(cells: pa.Array, name: str) -> pa.Array:
    if name.startswith("number"):
        return (cells.cast(pa.int8()) if pa.types.is_boolean(cells.type) else cells).cast(pa.float64(), safe=False)
    return as_strings(cells)


def check_scans(relation: SqlRelation) -> None:
    """Inputs of `mixed_rows` are counted right, in statements that read the rows once for each type of cells."""
    texts, table = [], relation.table

    def noted(text: str) -> pa.Table:
        texts.append(text)
        return table(text)

    relation.table = noted  # type: ignore[method-assign]
    check_inputs(relation)
    read = [text.count(ROWS) for text in texts if "CROSS JOIN" in text]
    assert read == [1] * 5  # numbers; text, whole numbers, booleans, floats as categories


def exact_bytes(partial: Partial, recipe: Recipe) -> bytes:
    """A partial's bytes, without what depends on the order of rows: mean, squares, and the order of counted rows."""
    answered = partial.sums.answered
    features = tuple(
        replace(each, moments=replace(each.moments, mean=0.0, squares=0.0)) for each in answered.counts.features
    )
    counts = replace(answered.counts, features=features)
    sums = replace(partial.sums, answered=replace(answered, counts=counts))
    return encoded(replace(partial, sums=sums, counted=()), recipe)
