"""Small untidy tables drawn at random: whatever form their rows have, they come to the same sums, to the last bit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.config import load_config
from monitoring.deployment.deployment import deploy
from monitoring.engines.codec import decoded, encoded
from monitoring.engines.engine import Engine, Work, work_of
from monitoring.engines.partial import Partial
from monitoring.engines.recipe import Recipe, unpacked
from monitoring.engines.spark_tasks import gathered_of_frame
from monitoring.engines.sql import SqlEngine
from monitoring.engines.sql_relation import DuckDBRelation
from monitoring.engines.task import LocalEngine
from monitoring.errors import BadInput
from monitoring.notebook.frames import stored
from monitoring.onboarding.baseline_rows import read_reference
from monitoring.onboarding.init import init_monitor
from monitoring.onboarding.table_description import described
from monitoring.sources.read_scope import ReadScope
from monitoring.sources.relation_source import RemoteRows, open_relation
from monitoring.sources.traffic import columns_of
from monitoring.tasks.label_codes import class_codes
from monitoring.timestamps import as_microseconds
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.table import Table
from monitoring.traffic.windows import Window
from tests.forms.forms import cast
from tests.forms.streams import PLAIN, stream
from tests.forms.untidy import CELLS, DAYS, FIRST, Encode, forms_of, untidy_rows
from tests.forms.untidy_files import FILES, ROUNDING, pandas_frame
from tests.monitoring.engines.engine_rows import by_window
from tests.monitoring.engines.sql_edges import exact_bytes

#: What the owner of the rows says of them, the kind of each input included.
SAID = described(
    **{
        **stream("binary", harm=False).said,
        "inputs": ("amount:number", "count:number", "code:category", "channel:category", "flag:category"),
    }
)
#: Half as many examples as elsewhere: each reads two tables.
SOME = settings(max_examples=settings.get_profile(settings.get_current_profile_name()).max_examples // 2)
WINDOWS = [Window(start=FIRST + timedelta(days=day), end=FIRST + timedelta(days=day + 1)) for day in range(DAYS)]


@dataclass(frozen=True, kw_only=True)
class Sums:
    """What rows come to: a partial's bytes for each window, and what is said of their files."""

    windows: Mapping[int, bytes]
    said: tuple[Any, ...]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """The recipe of a reference in plain types, codes as integers."""
    folder = tmp_path_factory.mktemp("reference")
    rows = stream("binary", harm=False)
    place = PLAIN.write(cast("code", pa.int64())(rows.reference), folder)
    adopted = init_monitor(place, described(**rows.said), out=folder / "monitor", clock=lambda: FIRST)
    config = load_config(adopted.config)
    deployment = deploy(config)
    columns = columns_of(config, deployment.baseline)
    return Recipe.of(deployment.judge.aggregator(), deployment.baseline.spec, columns)


def sums(recipe: Recipe, place: Path) -> Sums:
    """What the rows of a table come to."""
    table = Table.of(pieces_of(place, recipe.columns.format), recipe.columns)
    said = [finding for window in WINDOWS for finding in table.time_findings(window)]
    partials = by_window(LocalEngine(), recipe, [*work_of(table, WINDOWS)])
    return Sums(windows=in_bytes(partials, recipe), said=(*table.times.findings, *said))


def in_bytes(partials: Mapping[int, Partial], recipe: Recipe) -> dict[int, bytes]:
    """Partials as bytes, of what is wrong with inputs that alone which counts."""
    read = {
        start: replace(one.read, problems=dict.fromkeys(one.read.input_problems(), 1))
        for start, one in partials.items()
    }
    return {start: exact_bytes(replace(one, read=read[start]), recipe) for start, one in partials.items()}


def in_parquet(rows: pa.Table, folder: Path) -> Path:
    """Rows in one file."""
    folder.mkdir()
    pq.write_table(rows, folder / "rows.parquet")
    return folder


def retyped(rows: pa.Table, data: st.DataObject, among: Mapping[str, Mapping[str, Encode]] = CELLS) -> pa.Table:
    """The same rows, the cells of each column in a type that holds them all."""
    for place, name in enumerate(rows.column_names):
        cells = rows[name].combine_chunks()
        form = data.draw(st.sampled_from(forms_of(cells, among[name])), label=name)
        rows = rows.set_column(place, name, CELLS[name][form](cells))
    return rows


def drawing(data: st.DataObject) -> Any:
    """Draws one of some values."""
    return lambda among, label: data.draw(st.sampled_from(among), label=label)


@SOME
@given(rows=untidy_rows(), data=st.data())
def test_cells_of_any_type(rows: pa.Table, data: st.DataObject, recipe: Recipe) -> None:
    with TemporaryDirectory() as folder:
        plain = sums(recipe, in_parquet(rows, Path(folder, "plain")))
        found = sums(recipe, in_parquet(retyped(rows, data), Path(folder, "form")))
    assert found == plain


@pytest.mark.parametrize("kind", [kind for kind in FILES if kind not in ROUNDING])
@SOME
@given(rows=untidy_rows(), data=st.data())
def test_files_of_any_kind(kind: str, rows: pa.Table, data: st.DataObject, recipe: Recipe) -> None:
    check_files(kind, rows, data, recipe)


@pytest.mark.parametrize("kind", ROUNDING)
@SOME
@given(rows=untidy_rows(rounded=True), data=st.data())
def test_files_that_round(kind: str, rows: pa.Table, data: st.DataObject, recipe: Recipe) -> None:
    check_files(kind, rows, data, recipe)


def check_files(kind: str, rows: pa.Table, data: st.DataObject, recipe: Recipe) -> None:
    """The same sums and the same reference as of plain rows."""
    with TemporaryDirectory() as folder:
        plain, form = in_parquet(rows, Path(folder, "plain")), FILES[kind](rows, Path(folder, "form"), drawing(data))
        assert sums(recipe, form) == sums(recipe, plain)
        assert reference(form) == reference(plain)


@SOME
@given(rows=untidy_rows(), data=st.data())
def test_frames_in_memory(rows: pa.Table, data: st.DataObject, recipe: Recipe) -> None:
    frame = data.draw(st.sampled_from(["arrow", "pandas"]))
    source = retyped(rows, data) if frame == "arrow" else pandas_frame(rows, drawing(data))
    with TemporaryDirectory() as folder:
        plain = sums(recipe, in_parquet(rows, Path(folder, "plain")))
        found = sums(recipe, stored(source, Path(folder, "frame.parquet"), event_time="ts", ids="id"))
    assert found == plain


@SOME
@given(rows=untidy_rows(), data=st.data())
def test_references_of_files_with_other_types(rows: pa.Table, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, rows.num_rows))
    with TemporaryDirectory() as folder:
        plain = reference(in_parquet(rows, Path(folder, "plain")))
        in_parquet(retyped(rows.slice(0, cut), data), Path(folder, "form"))
        pq.write_table(retyped(rows.slice(cut), data), Path(folder, "form", "more.parquet"))
        found = reference(Path(folder, "form"))
    assert found == plain


def reference(place: Path) -> str:
    """What a baseline is made of, or why none is."""
    try:
        rows = read_reference(place, SAID, clock=lambda: WINDOWS[-1].end)
    except BadInput as error:
        return error.what
    codes = class_codes(rows.table["label"], rows.columns.classes)
    table = rows.table.set_column(rows.table.column_names.index("label"), "label", pa.array(codes))
    table = table.sort_by([("event_time", "ascending"), ("prediction_id", "ascending")])
    return repr((table.to_pydict(), dict(rows.columns.inputs), rows.lost))


def by_tasks(recipe: Recipe, rows: pa.Table, folder: Path) -> dict[int, Partial]:
    """Each row group is a task of its own, that is sent as bytes and so comes back."""

    class Sent(LocalEngine):
        def gather(self, recipe: Recipe, work: Iterable[Work]) -> Iterator[Partial]:
            there = unpacked(recipe.packed)
            return (decoded(encoded(partial, there), recipe) for partial in super().gather(there, work))

    pq.write_table(rows, folder / "rows.parquet", row_group_size=2)
    table = Table.of(pieces_of(folder / "rows.parquet"), recipe.columns)
    return by_window(Sent(), recipe, [*work_of(table, WINDOWS, rows=1)])


def by_executors(recipe: Recipe, rows: pa.Table, folder: Path) -> dict[int, Partial]:
    """What executors of Spark run on the rows of a frame, in two partitions."""
    spans = [(as_microseconds(window.start), as_microseconds(window.end)) for window in WINDOWS]
    found: dict[int, Partial] = {}
    for part in (rows.slice(0, rows.num_rows // 2), rows.slice(rows.num_rows // 2)):
        for one in gathered_of_frame(recipe, spans, part.to_batches(max_chunksize=3), np.zeros(0, dtype=np.int64)):
            found[one.start] = found[one.start] + one if one.start in found else one
    return found


def by_duckdb(recipe: Recipe, rows: pa.Table, folder: Path) -> dict[int, Partial]:
    """Inputs are summed up in SQL."""
    connection = duckdb.connect()
    connection.register("given", rows)
    connection.execute("CREATE TABLE live AS SELECT * FROM given")
    relation = DuckDBRelation.of(connection.table("live"), "ts", "id")
    narrow = frozenset(("id", "ts", "y", "p"))

    def engine(narrow: frozenset[str], shared: Sequence[str]) -> Engine:
        return SqlEngine(relation, narrow, shared)

    source = open_relation(
        RemoteRows(relation=relation, narrow=("p",), engine=engine),
        recipe.columns,
        recipe.spec,
        labels=(folder / "labels", None),
        clock=lambda: WINDOWS[-1].end,
        scope=ReadScope(job=True),
    )
    return by_window(SqlEngine(relation, narrow, ()), recipe, [*work_of(source.table, WINDOWS)])


ENGINES = {"processes": by_tasks, "executors": by_executors, "DuckDB": by_duckdb}

#: Types that DuckDB does not take from Arrow, and times that are none in a database.
NOT_IN_DATABASES = ("halffloat", "decimal32", "decimal64", "decimal256", "text", "date", "binary", "large_binary")


@pytest.mark.parametrize("engine", ENGINES)
@SOME
@given(rows=untidy_rows(), data=st.data())
def test_engines(engine: str, rows: pa.Table, data: st.DataObject, recipe: Recipe) -> None:
    cells = CELLS
    if engine == "DuckDB":
        cells = {
            column: {name: form for name, form in forms.items() if not name.startswith(NOT_IN_DATABASES)}
            for column, forms in CELLS.items()
        }
    with TemporaryDirectory() as folder:
        plain = sums(recipe, in_parquet(rows, Path(folder, "plain")))
        found = ENGINES[engine](recipe, retyped(rows, data, cells), Path(folder))
    assert in_bytes(found, recipe) == plain.windows
