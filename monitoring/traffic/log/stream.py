"""The rows of a traffic log, each prediction once, some at a time: what a window takes does not grow with its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import INPUT, OUTPUT, prediction_ids
from monitoring.traffic.format.tensors import is_always_single
from monitoring.traffic.id_keys import IdSet, id_keys, is_member
from monitoring.traffic.log.assembly import CONFLICTS_KEY, IDENTITY, REPEATS_KEY, assemble, columns_of, distinct_schemas
from monitoring.traffic.log.conversion import POSITION
from monitoring.traffic.log.scans import Query, Scan, scan_batches


class LogStream:
    """The rows that a query without ids selects, as they were when this was made.

    Cost: the ids and times of all rows are read when this is made, and again with the other columns. Memory: eight
    bytes a row, `scans.BATCH_ROWS` rows, and the rows that share an id with another.

    Attributes:
        newest: The last event time, in microseconds; 0 without rows.
        repeats: Rows left out by the last pass whose id an earlier one has.
        conflicts: Those of them with other inputs.
        excluded: Rows of excluded callers, which are left out.
    """

    def __init__(self, root: Path, query: Query, columns: Sequence[str] | None) -> None:
        """Reads ids and times.

        Args:
            columns: Stored columns to read; None for all.
        """
        self._root, self._query = root, query
        self._columns = None if columns is None else tuple(dict.fromkeys((*IDENTITY, *columns)))
        self.newest = self.repeats = self.conflicts = self.excluded = 0
        keys, schemas = [np.zeros(0, np.int64)], list[pa.Schema]()
        self._last: dict[str, int] = {}
        for scan in scan_batches(root, query, IDENTITY):
            self.excluded += scan.excluded
            if scan.key is not None and scan.table.num_rows:
                keys.append(id_keys(prediction_ids(scan.table)))
                schemas = distinct_schemas([*schemas, scan.stored])
                self.newest = max(self.newest, as_microseconds(pc.max(scan.table["event_time"]).as_py()))
                self._last[scan.segment] = max(self._last.get(scan.segment, 0), pc.max(scan.table[POSITION]).as_py())
        self._keys = np.concatenate(keys)
        self._keys.sort()
        self._schemas = schemas

    @cached_property
    def fields(self) -> list[pa.Field]:
        """The stored columns that are read. Raises BadInput if a column's type differs between files."""
        names = self._query.stored(self._columns)
        schemas = [
            pa.schema([field for field in schema if names is None or field.name in {*names, POSITION}])
            for schema in self._schemas
        ]
        return columns_of(schemas)

    @property
    def is_uniform(self) -> bool:
        """Whether each tensor's inner shape says whether it is one number in a row, so that any of the rows tell it."""
        tensors = [field for field in self.fields if field.name.startswith((INPUT, OUTPUT))]
        return all(is_always_single(field) is not None for field in tensors)

    def tables(self, ids: IdSet | None = None) -> Iterator[pa.Table]:
        """The rows, as `TrafficLog.read` has them, but in order of their files: tables with at least one row.

        Args:
            ids: Of these predictions; None: of all.
        """
        self.repeats = self.conflicts = 0
        repeated = np.unique(self._keys[1:][self._keys[1:] == self._keys[:-1]])
        if ids is not None:
            repeated = repeated[is_member(repeated, ids.keys)]
            if not is_member(ids.keys, self._keys).any():
                return
        if repeated.size:
            again = replace(self._query, ids=IdSet.of_keys(repeated))
            scans = [self._as_it_was(scan) for scan in scan_batches(self._root, again, self._columns)]
            table = assemble(sorted(scans, key=lambda scan: scan.segment), self.fields)
            self.repeats += int(table.schema.metadata[REPEATS_KEY])
            self.conflicts += int(table.schema.metadata[CONFLICTS_KEY])
            if table.num_rows:
                yield table
        batches = scan_batches(self._root, replace(self._query, ids=ids), self._columns)
        for scan in map(self._as_it_was, batches):
            rows = scan.table
            if repeated.size and rows.num_rows:
                rows = rows.filter(pa.array(~is_member(id_keys(prediction_ids(rows)), repeated)))
            if rows.num_rows:
                yield assemble([replace(scan, table=rows)], self.fields)

    def _as_it_was(self, scan: Scan) -> Scan:
        """A scan without the rows that have come since."""
        if scan.key is None or not scan.table.num_rows:
            return scan
        last = self._last.get(scan.segment, -1)
        if pc.max(scan.table[POSITION]).as_py() <= last:
            return scan
        return replace(scan, table=scan.table.filter(pc.less_equal(scan.table[POSITION], last)))
