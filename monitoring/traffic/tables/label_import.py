"""Labels of tables brought into a label log, each when it is first seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.records import Finding
from monitoring.timestamps import as_microseconds
from monitoring.traffic.id_keys import IdSet, id_keys, is_member
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.labels.spill import AT_ONCE, LabelsInOrder
from monitoring.traffic.tables.extents import EventTimeRange, Extent
from monitoring.traffic.tables.inline_labels import NOT_COUNTED, CountedLabels, InlineLabels, counted_with
from monitoring.traffic.tables.label_tables import LABEL_SCHEMA, LabelTables, dated_labels
from monitoring.traffic.tables.pieces import TablePiece
from monitoring.traffic.tables.row_batches import RowBatch
from monitoring.traffic.tables.rows import event_times, generated_ids, labels_with_times, row_ids
from monitoring.traffic.tables.table import Table
from monitoring.traffic.tables.times import ParsedTimes

_NO_IDS = pa.nulls(0, pa.string())


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelDestination:
    """Where labels are brought."""

    root: Path
    inline: InlineLabels
    digests: Callable[[pa.ChunkedArray], NDArray[np.int64]]
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedLabels:
    """What is known of the labels after an import."""

    matched: IdSet
    findings: tuple[Finding, ...] = ()
    unmatched: pa.Array = field(default_factory=lambda: _NO_IDS)


NO_IMPORTED_LABELS = ImportedLabels(matched=IdSet(_NO_IDS))


class LabelRouting:
    """Which labels of a table's rows go through the label log; all others are counted with their rows.

    Through the log go labels with a time of their own, later than their row's; labels of rows that share an id, as what
    they come to depends on the order in which they arrive; and, for the same reason, labels of rows that a label table
    has a label for.
    """

    def __init__(self, shared: Mapping[int, NDArray[np.int64]], labelled_apart: Callable[[], IdSet] | None) -> None:
        """Routes the labels of a table.

        Args:
            labelled_apart: gives the ids that label tables have a label for; None where there are no label tables.
        """
        self._shared = shared
        self.labelled_apart = labelled_apart

    @classmethod
    def of(cls, table: Table, label_tables: LabelTables | None) -> LabelRouting:
        """Of a table, and of its label tables, None where there are none."""
        return cls(table.repeats.shared, None if label_tables is None else lambda: label_tables.ids)

    @property
    def needs_ids(self) -> bool:
        """Whether `by_log` looks at ids."""
        return self.labelled_apart is not None

    def concerns(self, extent: Extent) -> bool:
        """Whether some label of a piece may go through the log."""
        return extent.label_times or extent.number in self._shared or self.needs_ids

    def by_log(self, number: int, places: NDArray[np.int64], ids: pa.Array | None) -> NDArray[np.bool_] | None:
        """Which rows' labels go through the log whatever their time. Returns bool [n]; None for none of them.

        Args:
            places: their places in it, int64 [n].
            ids: their ids [n]; may be None unless `needs_ids`.
        """
        shared = self._shared.get(number)
        in_log = None if shared is None else is_member(places, shared)
        if self.labelled_apart is None or ids is None:
            return in_log
        elsewhere = self.labelled_apart().contains(ids)
        return elsewhere if in_log is None else in_log | elsewhere

    def inline(self, number: int, batch: RowBatch) -> NDArray[np.bool_] | None:
        """Which rows' labels, where they have one, are counted with them.

        Returns:
            bool [n]; None for all of them.
        """
        if batch.labels.null_count == len(batch.labels):
            return None
        late = batch.late_labels()
        by_log = self.by_log(number, batch.places, batch.all_ids() if self.needs_ids else None)
        if late is not None:
            by_log = late if by_log is None else late | by_log
        return None if by_log is None else ~by_log


def import_labels(
    table: Table,
    label_tables: LabelTables | None,
    destination: LabelDestination,
    *,
    since: datetime | None,
    judged_until: datetime | None,
) -> ImportedLabels:
    """Append to the label log each label that it does not have yet, and that is not counted with its row.

    Those are labels that go through the log (see `LabelRouting`), and those of rows in judged windows that are new or
    have changed since. A prediction that is given another label later gets both, as the log's readers expect: the first
    consumed counts, the other is a conflict. A label in a label table without a time waits until its row is there. An
    import again adds nothing. Nothing is read of a file that can have no such label.

    Args:
        label_tables: tables of labels; None where there are none.
        since: labels of rows in judged windows are looked at from this event time on; None: from the first.
        judged_until: the end of the last window judged; None: none was.
    """
    counted = destination.inline.read() if judged_until is not None or label_tables is not None else {}
    judged = None if judged_until is None else _JudgedRows(since=since, until=judged_until, counted=counted)
    LabelWriter(destination.root, clock=destination.clock).close()  # there is a log from now on, if an empty one
    new = _NewLabels(destination, counted)
    matched = [np.zeros(0, np.int64)]
    for labels, timed in _labels_in_rows(table, LabelRouting.of(table, label_tables), judged, destination.digests):
        matched.append(id_keys(labels["prediction_id"].combine_chunks().filter(pa.array(timed))))
        new.add(dated_labels(labels))
    if label_tables is None:
        new.write()
        return ImportedLabels(matched=IdSet.of_keys(np.unique(np.concatenate(matched))))
    separate = label_tables.read(table, new.add)
    unmatched = _without_label(separate.unmatched, LabelLog(destination.root), counted)
    new.write()
    return ImportedLabels(
        matched=IdSet.of_keys(np.unique(np.concatenate([*matched, separate.matched.keys]))),
        findings=separate.findings,
        unmatched=unmatched,
    )


class _NewLabels:
    """Labels that are neither in a label log nor counted with their rows. Memory: some 30 bytes a label."""

    def __init__(self, destination: LabelDestination, counted: Mapping[str, CountedLabels]) -> None:
        self._destination = destination
        self._counted = counted
        self._logged = label_keys(LabelLog(destination.root).parts())
        self._new = LabelsInOrder(LABEL_SCHEMA)

    def add(self, labels: pa.Table) -> None:
        """Keep those that are new; all have a time."""
        fresh = ~is_member(_keys(labels), self._logged)
        if fresh.any() and self._counted:
            before = counted_with(labels["prediction_id"].combine_chunks(), self._counted, NOT_COUNTED)
            fresh &= before != self._destination.digests(labels["label"])
        if fresh.any():
            self._new.add(labels.filter(pa.array(fresh)))

    def write(self) -> None:
        """Append them to the log in order of their time, of equal ones the first.

        Killed meanwhile, the next import appends the rest.
        """
        writer = LabelWriter(self._destination.root, clock=self._destination.clock)
        try:
            for labels in once_each(self._new, self._logged):
                times = labels["label_time"].cast(pa.int64()).to_numpy()
                writer.append(labels["prediction_id"].combine_chunks(), labels["label"].combine_chunks(), times)
        finally:
            writer.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _JudgedRows:
    """Rows in judged windows whose labels may be new: from `since` on and before `until`; `counted` are known."""

    since: datetime | None
    until: datetime
    counted: Mapping[str, CountedLabels]

    def new_labels(
        self, times: ParsedTimes, labels: NDArray[np.int64], counted_as: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Which rows have another label (digest [n]) than they were counted with."""
        inside = EventTimeRange(
            first=None if self.since is None else as_microseconds(self.since), last=as_microseconds(self.until) - 1
        )
        new: NDArray[np.bool_] = inside.contains(times) & (counted_as != labels)
        return new

    def counted_as(self, piece: TablePiece, places: NDArray[np.int64], ids: pa.Array | None) -> NDArray[np.int64]:
        """The label that each row was counted with, [n]; by ids, or where there are none by places in the piece."""
        if ids is not None:
            return counted_with(ids, self.counted, NOT_COUNTED)
        if piece.name in self.counted:
            return self.counted[piece.name].of(piece.first_row + places, NOT_COUNTED)
        return np.full(places.size, NOT_COUNTED)


def _labels_in_rows(
    table: Table,
    routing: LabelRouting,
    judged: _JudgedRows | None,
    digests: Callable[[pa.ChunkedArray], NDArray[np.int64]],
) -> Iterator[tuple[pa.Table, NDArray[np.bool_]]]:
    """The labels of a table's rows that belong into the log, and which of the rows have a valid event time."""
    for extent in table.extents:
        if not extent.labels:
            continue
        until = None if judged is None or extent.first >= as_microseconds(judged.until) else judged
        if until is not None or routing.concerns(extent):
            yield from _labels_in_piece(table, extent, routing, until, digests)


def _labels_in_piece(
    table: Table,
    extent: Extent,
    routing: LabelRouting,
    judged: _JudgedRows | None,
    digests: Callable[[pa.ChunkedArray], NDArray[np.int64]],
) -> Iterator[tuple[pa.Table, NDArray[np.bool_]]]:
    """The same of one piece, batch by batch, and which of the rows have a valid event time."""
    piece, columns = extent.piece, table.columns
    names = (columns.event_time, columns.prediction_id, *columns.label_cells, columns.label_time)
    for first, raw in table.reader.batches(piece, names):
        times = event_times(raw, columns)
        labels = labels_with_times(raw, columns, times)
        places = first + np.arange(times.us.size)
        ids = row_ids(piece, raw, columns, first) if table.has_ids else None
        generated = ids if ids is not None else generated_ids(piece, places) if routing.needs_ids else None
        wanted = np.asarray(pc.fill_null(labels["label_time"].cast(pa.int64()), 0), dtype=np.int64) != times.us
        by_log = routing.by_log(extent.number, places, generated)
        if by_log is not None:
            wanted |= by_log
        if judged is not None:
            wanted |= judged.new_labels(times, digests(labels["label"]), judged.counted_as(piece, places, ids))
        if table.inside.first is not None:  # whether older rows are in a piece that is read depends on the files alone
            wanted &= ~times.valid | (times.us >= table.inside.first)
        labelled_rows = np.flatnonzero(wanted & np.asarray(labels["label"].is_valid(), dtype=np.bool_))
        names_of = generated_ids(piece, places[labelled_rows]) if ids is None else ids.take(pa.array(labelled_rows))
        yield labels.take(pa.array(labelled_rows)).add_column(0, "prediction_id", names_of), times.valid[labelled_rows]


def row_labels(table: Table) -> pa.Table:
    """All inline labels of a table, repeats included, in order of label_time."""
    columns, labels_in_order = table.columns, LabelsInOrder(LABEL_SCHEMA)
    names = (columns.event_time, columns.prediction_id, *columns.label_cells, columns.label_time)
    for extent in table.extents:
        for first, raw in table.reader.batches(extent.piece, names):
            labels = labels_with_times(raw, columns, event_times(raw, columns))
            ids = row_ids(extent.piece, raw, columns, first)
            labels_in_order.add(dated_labels(labels.add_column(0, "prediction_id", ids)))
    return pa.concat_tables(labels_in_order)


def _without_label(ids: pa.Array, log: LabelLog, counted: Mapping[str, CountedLabels]) -> pa.Array:
    """Those of the ids for which no label is in the log or was counted with its row."""
    fresh = ids.filter(pa.array(counted_with(ids, counted, NOT_COUNTED) == NOT_COUNTED))
    if len(fresh):
        for labels in log.parts():
            fresh = fresh.filter(pc.invert(pc.is_in(fresh, labels["prediction_id"].combine_chunks())))
    return fresh


def once_each(parts: Iterable[pa.Table], others: NDArray[np.int64]) -> Iterator[pa.Table]:
    """The labels that are not among others, each once.

    Args:
        parts: labels, with the columns prediction_id and label at least.
    """
    known = others
    for labels in parts:
        keys = _keys(labels)
        _, firsts = np.unique(keys, return_index=True)
        is_new = np.zeros(keys.size, dtype=np.bool_)
        is_new[firsts] = True
        is_new &= ~is_member(keys, known)
        if is_new.any():
            yield labels.filter(pa.array(is_new))
            known = np.sort(np.concatenate([known, keys[is_new]]))


def label_keys(parts: Iterable[pa.Table]) -> NDArray[np.int64]:
    """A key for each label with the prediction that it is about, sorted, int64."""
    return np.sort(np.concatenate([np.zeros(0, np.int64), *map(_keys, parts)]))


def _keys(labels: pa.Table) -> NDArray[np.int64]:
    parts = [np.zeros(0, np.int64)]
    for first in range(0, labels.num_rows, AT_ONCE):
        some = labels.slice(first, AT_ONCE)
        pairs = pc.binary_join_element_wise(some["label"], some["prediction_id"], "\0")
        parts.append(id_keys(pairs.combine_chunks()))
    return np.concatenate(parts)
