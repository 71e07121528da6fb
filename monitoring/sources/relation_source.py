"""A relation as runs read it: ids, times and labels are copied, and other columns stay where they are."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.atomic import scratch_folder
from monitoring.baseline.spec import BaselineSpec
from monitoring.engines.engine import Engine
from monitoring.engines.relation import Relation, check_relation, shared_ids, write_rows
from monitoring.sources.read_scope import Reading, ReadScope
from monitoring.sources.table_source import TableSource
from monitoring.timestamps import as_microseconds
from monitoring.traffic.cells import as_strings
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.extents import AHEAD
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.raw_rows import RawRows
from monitoring.traffic.tables.repeats import Repeats
from monitoring.traffic.tables.rows import event_times
from monitoring.traffic.tables.table import Table
from monitoring.traffic.windows import Window

#: Before this time no row is asked for.
_FIRST_US = -2_208_988_800_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RemoteRows:
    """Rows that stay where they are, and who sums them up.

    Attributes:
        narrow: The columns that are copied, besides ids, times and labels.
        engine: Makes the engine: given all columns that are copied, and the ids that several rows share.
    """

    relation: Relation
    narrow: Sequence[str]
    engine: Callable[[frozenset[str], Sequence[str]], Engine]


def open_relation(
    remote: RemoteRows,
    columns: TableColumns,
    spec: BaselineSpec,
    *,
    labels: tuple[Path, Path | str | None],
    clock: Callable[[], datetime],
    scope: ReadScope,
) -> TableSource:
    """Open a relation: a copy of some of its columns says which rows there are, and an engine reads the others.

    Rows of a window come here whole where somebody looks at them: those of an incident, and those that labels of the
    label log are for.

    Args:
        labels: The folder of the label log, and the tables of labels, None where there are none.

    Returns:
        The source, whose files are deleted when nobody needs it any longer.
    """
    relation = remote.relation
    check_relation(relation.schema, columns)
    held = ExitStack()
    folder = Path(held.enter_context(scratch_folder()))
    try:
        wanted = {columns.event_time, columns.prediction_id, columns.label_time, *columns.label_cells}
        wanted |= {*remote.narrow}
        names = [name for name in relation.schema.names if name in wanted]
        first = _FIRST_US if scope.since is None else as_microseconds(scope.since)
        between = (first, as_microseconds(clock() + AHEAD + timedelta(days=1)))
        path = write_rows(relation, folder / "rows.parquet", names, between=between)
        shared = shared_ids(path, columns)
        whole = WholeWindows(relation, columns, folder, shared=shared)
        engine = remote.engine(frozenset(names), shared) if scope.job else None
        source = TableSource(path, columns, spec, labels=labels, clock=clock, scope=scope)
        source.read_by(Reading(engine=engine, whole=whole, meanwhile=scope.reading.meanwhile))
        whole.of = source.table
    except BaseException:
        held.close()
        raise
    weakref.finalize(source, held.close)
    return source


class WholeWindows:
    """The rows of a window with all of their columns; those of the window asked for last are kept."""

    def __init__(self, relation: Relation, columns: TableColumns, folder: Path, *, shared: Sequence[str]) -> None:
        """Reads nothing yet."""
        self._relation, self._columns, self._folder = relation, columns, folder
        self._shared = pa.array(list(shared), pa.string())
        self._last: tuple[Window, Table] | None = None
        self.of: Table | None = None

    def __call__(self, window: Window) -> Table:
        """The rows of a window as a table, without those that do not count."""
        if self._last is None or self._last[0] != window:
            schema = self._relation.schema
            names = [name for name in schema.names if name in self._columns.read]
            between = (as_microseconds(window.start), as_microseconds(window.end))
            with tempfile.TemporaryDirectory(dir=self._folder) as scratch:
                path = write_rows(self._relation, Path(scratch, "window.parquet"), names, between=between)
                path = path.replace(self._folder / "window.parquet")
            self._last = (window, self._with_others(Table.of(pieces_of(path), self._columns)))
        return self._last[1]

    def _with_others(self, table: Table) -> Table:
        """Without the rows that do not count because of one in another window, and knowing which share its id."""
        if not len(self._shared):
            return table
        dropped, before = self._dropped, table.repeats
        more: dict[int, list[NDArray[np.int64]]] = {}
        shared: dict[int, list[NDArray[np.int64]]] = {}
        for extent in table.extents:
            names = (self._columns.event_time, self._columns.prediction_id)
            for first, raw in table.reader.batches(extent.piece, names):
                at, keys = self._sharing(raw)
                shared.setdefault(extent.number, []).append(first + at)
                is_dropped = np.array([key in dropped for key in keys], dtype=np.bool_)
                more.setdefault(extent.number, []).append(first + at[is_dropped])
        return table.with_repeats(Repeats(shared=_with(before.shared, shared), dropped=_with(before.dropped, more)))

    def _sharing(self, raw: RawRows) -> tuple[NDArray[np.int64], list[tuple[str, int]]]:
        """The rows whose id another row has, by their places, and their keys."""
        ids = as_strings(raw.cells(self._columns.prediction_id))
        at = np.flatnonzero(np.asarray(pc.is_in(ids, self._shared)))
        return at, _keys(RawRows.of(raw.table.take(pa.array(at))), self._columns)

    @property
    def _dropped(self) -> set[tuple[str, int]]:
        """Ids and times of rows that do not count, and of which no row of the same id and time does."""
        dropped: set[tuple[str, int]] = set()
        counted: set[tuple[str, int]] = set()
        table = self.of
        if table is None or not len(self._shared):
            return dropped
        for extent in table.extents:
            places = set(table.repeats.dropped.get(extent.number, np.zeros(0, np.int64)).tolist())
            for first, raw in table.reader.batches(
                extent.piece, (self._columns.event_time, self._columns.prediction_id)
            ):
                selection, keys = self._sharing(raw)
                for at, key in zip(selection.tolist(), keys, strict=True):
                    (dropped if first + at in places else counted).add(key)
        return dropped - counted


def _keys(raw: RawRows, columns: TableColumns) -> list[tuple[str, int]]:
    ids = as_strings(raw.cells(columns.prediction_id)).to_pylist()
    return list(zip(ids, event_times(raw, columns).us.tolist(), strict=True))


def _with(
    places: Mapping[int, NDArray[np.int64]], more: Mapping[int, list[NDArray[np.int64]]]
) -> dict[int, NDArray[np.int64]]:
    """Places of rows by the numbers of their pieces, sorted, with further ones."""
    none = np.zeros(0, dtype=np.int64)
    joined = {number: np.concatenate([places.get(number, none), *parts]) for number, parts in more.items()}
    return {number: np.unique(rows) for number, rows in {**places, **joined}.items() if rows.size}
