"""Ids of a table's files, gone through by the executors of Spark where the table is large."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.engines.engine import TASK_ROWS
from monitoring.engines.spark_jobs import collected, probe
from monitoring.traffic.tables.extents import EventTimeRange, Extent
from monitoring.traffic.tables.repeats import IdentifiedRows, IdReader, IdsHere

#: From so many rows on, executors go through the ids; this process does in a smaller table.
SHUFFLED_ROWS = 10_000_000

#: So many keys are sent to every executor, 8 MB; where there are more, Spark joins them with the rows by a shuffle.
BROADCAST_KEYS = 1_000_000

_KEYS = "key long"
_ROWS = "key long, number long, place long, us long, id string"


class SparkIds(IdReader):
    """Has Spark go through the ids of files. An `IdReader`.

    Ids that several rows share are known by a shuffle of 8 bytes a row. Rows that have one of some keys come to this
    process at once.
    """

    def __init__(self, spark: Any, here: IdsHere, meanwhile: Callable[[], None]) -> None:
        """Starts nothing yet."""
        self._spark, self._here, self._meanwhile = spark, here, meanwhile
        self._probed = False

    @override
    def twice(self, extents: Sequence[Extent], inside: EventTimeRange) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        if not _are_many(extents):
            return self._here.twice(extents, inside)
        counted = self._rows(extents, inside, _KEYS).groupBy("key").count().where("count > 1")
        table = collected(self._spark, counted.toArrow, self._meanwhile).sort_by("key")
        return np.asarray(table["key"], dtype=np.int64), np.asarray(table["count"], dtype=np.int64)

    @override
    def having(
        self, extents: Sequence[Extent], inside: EventTimeRange, keys: NDArray[np.int64]
    ) -> Iterator[tuple[int, IdentifiedRows]]:
        if not _are_many(extents):
            yield from self._here.having(extents, inside, keys)
            return
        if not keys.size:
            return
        if keys.size <= BROADCAST_KEYS:
            rows = self._rows(extents, inside, _ROWS, keys)
        else:
            wanted = self._spark.createDataFrame(pa.table({"key": keys}))
            rows = self._rows(extents, inside, _ROWS).join(wanted, "key", "left_semi")
        table = collected(self._spark, rows.toArrow, self._meanwhile)
        table = table.sort_by([("number", "ascending"), ("place", "ascending")]).combine_chunks()
        numbers = np.asarray(table["number"], dtype=np.int64)
        for number in np.unique(numbers).tolist():
            first, last = np.searchsorted(numbers, [number, number + 1])
            some = table.slice(first, last - first)
            ids = some["id"].combine_chunks().cast(pa.large_string())
            places, us = (np.asarray(some[name], dtype=np.int64) for name in ("place", "us"))
            yield number, IdentifiedRows(places=places, ids=ids, us=us)

    def _rows(
        self, extents: Sequence[Extent], inside: EventTimeRange, schema: str, keys: NDArray[np.int64] | None = None
    ) -> Any:
        """A frame of the rows, those that have one of some keys, or all."""
        groups = tuple(map(pickle.dumps, _groups(extents)))
        if not self._probed:
            probe(self._spark, self._meanwhile)
            self._probed = True
        plan = pickle.dumps((self._here.columns, inside))

        def run(batches: Iterator[pa.RecordBatch]) -> Any:
            from monitoring.engines.spark_tasks import run_ids  # noqa: PLC0415 - on the executor

            return run_ids(batches, plan, groups, keys, keys_alone=schema == _KEYS)

        return self._spark.range(0, len(groups), 1, len(groups)).mapInArrow(run, schema)


def _are_many(extents: Sequence[Extent]) -> bool:
    return sum(extent.rows for extent in extents) >= SHUFFLED_ROWS


def _groups(extents: Sequence[Extent]) -> Iterator[tuple[Extent, ...]]:
    """Extents that one task goes through."""
    group, rows = list[Extent](), 0
    for extent in extents:
        group.append(extent)
        rows += extent.rows
        if rows >= 4 * TASK_ROWS:
            yield tuple(group)
            group, rows = [], 0
    if group:
        yield tuple(group)
