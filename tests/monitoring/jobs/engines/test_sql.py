"""Inputs summed up in SQL come to what this package's own stream comes to, whatever the cells are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.profile import Bins
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.errors import BadInput
from monitoring.jobs.engines.duckdb_relation import DuckDBRelation
from monitoring.jobs.engines.engine import work_of
from monitoring.jobs.engines.local import LocalEngine
from monitoring.jobs.engines.sql import SqlEngine
from monitoring.jobs.engines.sql_sums import number_counts, word_counts
from monitoring.jobs.sources.read_scope import ReadScope
from monitoring.jobs.sources.relation_source import RemoteRows, open_relation
from monitoring.timestamps import as_microseconds
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.windows import Window
from tests.monitoring.jobs.engines.engine_rows import Ready, by_window, ready
from tests.monitoring.jobs.engines.engine_runs import hostile_rows
from tests.own_table import NOW, watch
from tests.small_deployment import LIVE

EDGES = (-1.0, 0.0, 0.1, 0.30000000000000004, 2.5, 1e300)
SPANS = [(0, 1000), (1000, 2000)]


def relation_of(table: pa.Table) -> DuckDBRelation:
    connection = duckdb.connect()
    connection.register("given", table)
    connection.execute("CREATE TABLE live AS SELECT * FROM given")
    return DuckDBRelation.of(connection.table("live"), "ts", "id")


def rows_with(cells: pa.Array) -> pa.Table:
    """Cells, the second half of which lies in the second window."""
    count = len(cells)
    times = pa.array([0 if place < count // 2 else 1999 for place in range(count)]).cast(pa.timestamp("us", "UTC"))
    return pa.table({"id": pa.array([str(place) for place in range(count)]), "ts": times, "x": cells})


def hostile_numbers() -> list[float | None]:
    exact = [value for edge in EDGES for value in (edge, np.nextafter(edge, -np.inf), np.nextafter(edge, np.inf))]
    return [None, float("nan"), -0.0, 0.0, float("inf"), -float("inf"), 5e-324, *map(float, exact), 0.1 + 0.2, 3.0]


@pytest.mark.parametrize(
    "cells",
    [
        pa.array(hostile_numbers(), pa.float64()),
        pa.array(hostile_numbers(), pa.float64()).cast(pa.float32()),
        pa.array([-1, 0, None, 2, 3, 2**53 + 1, -(2**63), 2**63 - 1], pa.int64()),
        pa.array([True, False, None, True], pa.bool_()),
        pa.array(["0.10", "-1.00", "2.50", "0.30", None, "0.29"]).cast(pa.decimal128(12, 2)),
        pa.array(["0.1000000000000000000001", "0.0999999999999999999999"]).cast(pa.decimal128(38, 22)),
    ],
    ids=["doubles", "floats", "integers", "booleans", "decimals", "long decimals"],
)
def test_numbers_fall_into_the_same_bins(cells: pa.Array) -> None:
    bins = Bins(feature="x", edges=EDGES)
    found = number_counts(relation_of(rows_with(cells)), bins, SPANS, ())
    half = len(cells) // 2
    for counts, part in zip(found, (cells[:half], cells[half:]), strict=True):
        values = part.cast(pa.int8()) if pa.types.is_boolean(part.type) else part
        own = ProfileBuilder((bins,)).count(pa.table({"x": values.cast(pa.float64(), safe=False)})).features[0]
        assert counts == own
        for name in ("finite", "infinite", "zeros", "minimum", "maximum"):
            assert getattr(counts.moments, name) == getattr(own.moments, name), name
        np.testing.assert_allclose(counts.moments.mean, own.moments.mean, rtol=1e-12)


@pytest.mark.parametrize(
    "cells",
    [
        pa.array(["a", "A", "ä", "a ", "", None, "it's", '"', "a", "日本"]),
        pa.array([1, 2, None, 1], pa.int32()),
        pa.array([True, None, False, True]),
    ],
    ids=["text", "integers", "booleans"],
)
def test_words_are_counted_by_their_bytes(cells: pa.Array) -> None:
    bins = Bins(feature="x", categories=("a", "1", "true"))
    columns = TableColumns(inputs={"x": "category"})
    profiles = ProfileBuilder((bins,))
    found = word_counts(relation_of(rows_with(cells)), "x", SPANS, (), columns=columns, profiles=profiles)
    half = len(cells) // 2
    for counts, part in zip(found, (cells[:half], cells[half:]), strict=True):
        own = profiles.count(pa.table({"x": part.cast(pa.string())})).features[0]
        assert counts == own
        assert (counts.characters, counts.others.word_counts) == (own.characters, own.others.word_counts)


def test_a_collation_that_folds_case_folds_nothing_here() -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE live (id VARCHAR, ts TIMESTAMP, x VARCHAR COLLATE NOCASE)")
    connection.execute("INSERT INTO live VALUES ('1', TIMESTAMP '1970-01-01', 'a'), ('2', TIMESTAMP '1970-01-01', 'A')")
    relation = DuckDBRelation.of(connection.table("live"), "ts", "id")
    profiles = ProfileBuilder((Bins(feature="x", categories=("a", "A")),))
    (counts,) = word_counts(
        relation, "x", SPANS[:1], (), columns=TableColumns(inputs={"x": "category"}), profiles=profiles
    )
    assert counts.counts == (1, 1, 0)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    return ready(watch(tmp_path_factory.mktemp("watched")), tmp_path_factory.mktemp("live"), hostile_rows())


def source_of(deployed: Ready, relation: DuckDBRelation, folder: Path) -> Any:
    def engine(narrow: frozenset[str], shared: Sequence[str]) -> SqlEngine:
        return SqlEngine(relation, narrow, shared)

    rows = RemoteRows(relation=relation, narrow=(*deployed.recipe.columns.answer, "origin"), engine=engine)
    spec = deployed.deployment.baseline.spec
    columns, scope = deployed.recipe.columns, ReadScope(job=True)
    return open_relation(rows, columns, spec, labels=(folder / "labels", None), clock=lambda: NOW, scope=scope)


def test_windows_are_those_of_the_own_stream(deployed: Ready, tmp_path: Path) -> None:
    days = tuple(Window(start=LIVE + timedelta(days=day), end=LIVE + timedelta(days=day + 1)) for day in range(41))
    relation = relation_of(hostile_rows())
    source = source_of(deployed, relation, tmp_path)
    engine = SqlEngine(relation, frozenset(("id", "ts", "y", "known_at", "on_time", "late", "origin")), _shared())
    found = by_window(engine, deployed.recipe, list(work_of(source.table, days, rows=500)))
    own = by_window(LocalEngine(), deployed.recipe, deployed.work(10**9, days))
    assert found.keys() == own.keys()
    for start, partial in own.items():
        other = found[start]
        assert partial.sums.answered.counts == other.sums.answered.counts
        assert partial.read == other.read
        for name, counts in partial.sums.labelled.whole.counts.items():
            assert (counts == other.sums.labelled.whole.counts[name]).all(), name
        sample, same = partial.sums.answered.sample, other.sums.answered.sample
        assert sample.ids.equals(same.ids)
        assert repr(sample.features.to_pydict()) == repr(same.features.to_pydict())


def _shared() -> list[str]:
    ids = hostile_rows()["id"].to_pylist()
    return sorted({word for word in ids if ids.count(word) > 1})


def test_the_rows_of_a_window_come_whole_where_they_are_looked_at(deployed: Ready, tmp_path: Path) -> None:
    day = Window(start=LIVE, end=LIVE + timedelta(days=1))
    source = source_of(deployed, relation_of(hostile_rows()), tmp_path)
    (batch,) = source.rows(day).batches()
    inside = [row for row in hostile_rows().to_pylist() if as_microseconds(row["ts"]) < as_microseconds(day.end)]
    assert len(batch) == len(inside)
    assert repr(batch.features["temp"].to_pylist()) == repr([row["temp"] for row in inside])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows.drop_columns(["id"]), "no ids"),
        (lambda rows: rows.set_column(1, "ts", rows["ts"].cast(pa.string())), "no times"),
        (lambda rows: rows.set_column(0, "id", pa.nulls(rows.num_rows, pa.string())), "no id"),
    ],
    ids=["no ids", "times as text", "null ids"],
)
def test_rows_that_cannot_be_known_again_are_refused(change: Any, words: str, deployed: Ready, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=words):
        source_of(deployed, relation_of(change(hostile_rows())), tmp_path)
