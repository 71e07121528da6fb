"""A table of predictions as one stream of rows by event time, each row once, whatever its files are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.records import Finding
from monitoring.timestamps import as_microseconds, duration_microseconds
from monitoring.traffic.id_keys import IdSet, id_keys, is_member
from monitoring.traffic.tables.batches import batch_findings
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.extents import ANY_TIME, EventTimeRange, Extent, TableExtents, find_extents
from monitoring.traffic.tables.piece_reader import PieceReader
from monitoring.traffic.tables.pieces import TablePiece
from monitoring.traffic.tables.read_sums import ReadSums
from monitoring.traffic.tables.repeats import IdReader, IdsHere, Repeats, find_repeats
from monitoring.traffic.tables.row_batches import PieceRows, RowBatch
from monitoring.traffic.tables.rows import event_times, row_ids
from monitoring.traffic.tables.times import ParsedTimes
from monitoring.traffic.windows import Window

#: A piece that is read in batches and spans more windows than this is kept for the next windows, where it fits.
WINDOWS = 2

#: Bytes of pieces that are kept; a row of a piece that is read in batches counts as `ROW_BYTES` at least.
KEPT_BYTES = 1 << 27
ROW_BYTES = 1 << 8

_NO_ROWS = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPart:
    """Some rows of a window, those that count."""

    number: int
    batch: RowBatch
    repeats: int = 0


class _KeptPiece:
    """The rows of one piece in memory, by event time."""

    def __init__(self, rows: PieceRows) -> None:
        self.rows = rows
        self._batches = list(rows.batches())
        self._orders = [np.argsort(batch.event_us, kind="stable") for batch in self._batches]
        self._times = [batch.event_us[order] for batch, order in zip(self._batches, self._orders, strict=True)]
        self.nbytes = sum(batch.nbytes + 2 * batch.event_us.nbytes for batch in self._batches)

    def __len__(self) -> int:
        return sum(map(len, self._batches))

    def batches(self, start: int, end: int) -> Iterator[RowBatch]:
        """The rows between two times (microseconds), in the piece's order. Yields batches with at least one row."""
        for batch, order, times in zip(self._batches, self._orders, self._times, strict=True):
            first, last = np.searchsorted(times, [start, end])
            if last > first:
                yield batch.take(np.sort(order[first:last]))


class _SplitPiece:
    """One row group that is too large to be kept in memory, as small ones of a file in the local cache."""

    nbytes = 0

    def __init__(self, rows: PieceRows) -> None:
        self.rows = rows
        self._parts = rows.piece.small_groups(rows.columns)
        rows.describe(rows.reader.header(rows.piece))

    def __len__(self) -> int:
        return 0

    def batches(self, start: int, end: int) -> Iterator[RowBatch]:
        """See `_KeptPiece.batches`."""
        for part in self._parts:
            if part.last < start or part.first >= end:
                continue
            rows = PieceRows(piece=part.piece, columns=self.rows.columns, reader=self.rows.reader)
            for batch in rows.batches():
                inside = (
                    batch
                    if start <= part.first and part.last < end
                    else batch.take(np.flatnonzero((batch.event_us >= start) & (batch.event_us < end)))
                )
                if len(inside):
                    yield replace(inside, piece=self.rows.piece, places=inside.places + part.offset)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableContents:
    """What is known of a table before its rows are read.

    Attributes:
        inside: the event times of interest.
        repeats: which rows share an id; None where nobody has looked yet.
        batches: where batches stand in place of event times, when each was first seen, in microseconds.
    """

    pieces: tuple[TablePiece, ...]
    columns: TableColumns
    inside: EventTimeRange
    times: TableExtents
    repeats: Repeats | None = None
    batches: Mapping[str, int] = field(default_factory=dict)


class Table:
    """The rows of a table by event time, each once.

    A row is known by its id, or where the table has none by its file and place. Of rows with one id the earliest
    counts, and of those of one time the last; the others are repeats. Rows are read piece by piece as windows ask for
    them. Memory: a few batches; of text files, and of Parquet that cannot be read in batches or spans many windows, the
    rows of some pieces (see `KEPT_BYTES`); and what is known of repeats.
    """

    def __init__(self, contents: TableContents, reader: PieceReader, ids: IdReader | None = None) -> None:
        """Reads nothing.

        Args:
            ids: goes through the ids of the rows; None: that happens here.
        """
        self._contents = contents
        self.columns, self.inside = contents.columns, contents.inside
        self.times, self.extents = contents.times, contents.times.extents
        self.reader = reader
        self.ids: IdReader = IdsHere(columns=contents.columns, reader=reader) if ids is None else ids
        self._piece_cache: OrderedDict[int, _KeptPiece | _SplitPiece] = OrderedDict()

    @classmethod
    def of(
        cls,
        pieces: Sequence[TablePiece],
        columns: TableColumns,
        *,
        inside: EventTimeRange = ANY_TIME,
        batches: Mapping[str, int] | None = None,
        ids: Callable[[IdsHere], IdReader] | None = None,
    ) -> Table:
        """Finds out when the rows of each piece happened.

        Cost: the metadata of Parquet files with statistics, and event times of all others.

        Args:
            inside: rows after it are left out for now; rows before it are of no interest any more.
            batches: see `TableContents`.
            ids: makes what goes through the ids of all rows, of what does so here; None: that does.
        """
        reader = PieceReader(columns)
        contents = TableContents(
            pieces=tuple(pieces),
            columns=columns,
            inside=inside,
            times=find_extents(pieces, columns, reader, inside=inside),
            batches=batches or {},
        )
        return cls(contents, reader, None if ids is None else ids(IdsHere(columns=columns, reader=reader)))

    @classmethod
    def of_extents(
        cls,
        extents: Sequence[Extent],
        columns: TableColumns,
        *,
        inside: EventTimeRange,
        has_ids: bool,
        repeats: Repeats,
    ) -> Table:
        """A part of a table of which it is known what rows it has and which of them count; nothing is read."""
        contents = TableContents(
            pieces=tuple(extent.piece for extent in extents),
            columns=columns,
            inside=inside,
            times=TableExtents.known(extents, has_ids=has_ids),
            repeats=repeats,
        )
        return cls(contents, PieceReader(columns))

    def with_repeats(self, repeats: Repeats) -> Table:
        """The same table, of which it is known which rows share an id."""
        return Table(replace(self._contents, repeats=repeats), self.reader, self.ids)

    @property
    def pieces(self) -> Sequence[TablePiece]:
        """All of its pieces, those without a row of interest included."""
        return self._contents.pieces

    @property
    def batches(self) -> Mapping[str, int]:
        """See `TableContents`."""
        return self._contents.batches

    @cached_property
    def repeats(self) -> Repeats:
        """The rows that share an id. Cost: on the first call a pass over ids; see `find_repeats`."""
        if self._contents.repeats is not None:
            return self._contents.repeats
        if not self.times.has_ids:
            return Repeats()
        return find_repeats(self.extents, self.ids, EventTimeRange(first=self.inside.first))

    @property
    def has_ids(self) -> bool:
        """Whether some piece has ids; elsewhere rows go by their file and place."""
        return self.times.has_ids

    def event_times(self) -> NDArray[np.int64]:
        """Event times of the rows that count, sorted, int64 microseconds. Memory: eight bytes a row."""
        parts = [us[~repeated] for e in self.extents for us, repeated in self._times(e)]
        return np.sort(np.concatenate([_NO_ROWS, *parts]))

    def repeated_rows(self) -> int:
        """How many rows do not count, as another row has their id. Cost: event times of pieces that have some."""
        some = [extent for extent in self.extents if extent.number in self.repeats.dropped]
        return sum(int(repeated.sum()) for extent in some for _, repeated in self._times(extent))

    def ends(self, longest_gap: timedelta) -> NDArray[np.int64]:
        """Event times between which there is a gap longer than that exactly where there is one in the table, sorted.

        Cost: event times of pieces that are longer than that themselves.

        Returns:
            int64 microseconds.
        """
        longest = duration_microseconds(longest_gap)
        parts = [_NO_ROWS]
        for extent in self.extents:
            if extent.last - extent.first <= longest:
                parts.append(np.array([extent.first, extent.last], dtype=np.int64))
            else:
                parts += [us for us, _ in self._times(extent)]
        return np.sort(np.concatenate(parts))

    def counts(self, windows: Sequence[Window]) -> NDArray[np.int64]:
        """How many rows lie in each of some windows. Returns int64 [n, 2]: all rows, and those that count.

        Cost: event times of pieces that lie in several windows, or have repeats.
        """
        ends = [(as_microseconds(window.start), as_microseconds(window.end)) for window in windows]
        edges = np.array(ends, dtype=np.int64).reshape(-1, 2)
        counts = np.zeros_like(edges)
        for extent in self.extents:
            inside = (edges[:, 0] <= extent.first) & (extent.last < edges[:, 1])
            if inside.any() and extent.complete and extent.number not in self.repeats.dropped:
                counts[inside] += extent.rows
            elif ((edges[:, 0] <= extent.last) & (extent.first < edges[:, 1])).any():
                for us, repeated in self._times(extent):
                    for place, times in enumerate((us, us[~repeated])):
                        counts[:, place] += np.diff(np.searchsorted(np.sort(times), edges), axis=1)[:, 0]
        return counts

    def has_more(self, windows: Sequence[Window], rows: Sequence[int]) -> bool:
        """Whether more rows, those that do not count included, lie in one of some windows than so many.

        Cost: that of `counts`, without a pass over ids.
        """
        counts = self.with_repeats(Repeats()).counts(windows)
        return bool((counts[:, 0] > np.asarray(rows)).any())

    def cells(self, name: str, window: Window, ids: IdSet) -> dict[str, Any]:
        """The cells of a column in those rows of a window that have one of some ids.

        Returns:
            Them by id, as Python values; null cells, and rows without the column, are left out.
        """
        cells_by_id: dict[str, Any] = {}
        start, end = as_microseconds(window.start), as_microseconds(window.end)
        for extent in self.extents:
            if extent.last < start or extent.first >= end:
                continue
            for first, raw in self.reader.batches(extent.piece, (name, *self.columns.mapped)):
                words, us = row_ids(extent.piece, raw, self.columns, first), event_times(raw, self.columns)
                mask = ids.contains(words) & us.valid & (us.us >= start) & (us.us < end)
                mask &= ~is_member(first + np.arange(mask.size), self.repeats.dropped.get(extent.number, _NO_ROWS))
                if name in raw.table.column_names and mask.any():
                    cells = raw.table[name].filter(pa.array(mask)).to_pylist()
                    cells_by_id |= zip(words.filter(pa.array(mask)).to_pylist(), cells, strict=True)
        return {row_id: cell for row_id, cell in cells_by_id.items() if cell is not None}

    def window(self, window: Window, only: Collection[int] | None = None) -> WindowScan:
        """A pass over the rows of a window, in the pieces of some numbers only, None for all."""
        return WindowScan(self, window, only)

    def time_findings(self, window: Window) -> tuple[Finding, ...]:
        """What is wrong with the event times of rows that are reported with a window."""
        findings = (finding for each in self.times.invalid for finding in each.findings(window))
        return (*batch_findings(self.batches, window), *findings)

    def occurring(self, ids: IdSet) -> IdSet:
        """Those of some ids that a row has. Cost: a pass over all ids."""
        if not ids.keys.size:
            return ids
        keys = (id_keys(rows.ids) for _, rows in self.ids.having(self.extents, self.inside, ids.keys))
        return IdSet.of_keys(np.unique(np.concatenate([_NO_ROWS, *keys])))

    def occurring_before(self, ids: pa.Array) -> pa.Array:
        """Those of some ids that a row has which is older than any of interest. Cost: a pass over all ids."""
        first = self.inside.first
        if first is None or not len(ids):
            return ids.slice(0, 0)
        extents = find_extents(self.pieces, self.columns, self.reader, inside=EventTimeRange()).extents
        older, before = [extent for extent in extents if extent.first < first], EventTimeRange(last=first - 1)
        parts = [some.ids.cast(ids.type) for _, some in self.ids.having(older, before, np.unique(id_keys(ids)))]
        return pc.unique(pa.concat_arrays([ids.slice(0, 0), *parts]))

    def event_times_of(self, ids: pa.Array) -> ParsedTimes:
        """When predictions happened, by their ids; of rows with one id the earliest.

        Args:
            ids: text [n]; null for none.

        Returns:
            A time for each id, valid where a row has the id.
        """
        keys = id_keys(ids.fill_null(""))
        wanted, row_keys, times = np.unique(keys[np.asarray(ids.is_valid())]), [_NO_ROWS], [_NO_ROWS]
        for _, rows in self.ids.having(self.extents, self.inside, wanted):
            row_keys.append(id_keys(rows.ids))
            times.append(rows.us)
        us, known = np.concatenate(times), np.concatenate(row_keys)
        if not us.size:
            return ParsedTimes(us=np.zeros(len(ids), np.int64), valid=np.zeros(len(ids), dtype=np.bool_))
        order = np.lexsort((us, known))
        known, firsts = np.unique(known[order], return_index=True)
        is_known = is_member(keys, known) & np.asarray(ids.is_valid())
        places = np.minimum(np.searchsorted(known, keys), known.size - 1)
        event_us = np.where(is_known, us[order][firsts][places], 0)
        return ParsedTimes(us=event_us, valid=is_known)

    def parts(
        self, window: Window, only: Collection[int] | None = None
    ) -> Iterator[tuple[PieceRows, Iterator[WindowPart]]]:
        """The rows of a window: for each piece that may have some, the pass over it and what that brings."""
        start, end = as_microseconds(window.start), as_microseconds(window.end)
        for extent in self.extents:
            if extent.last >= start and extent.first < end and (only is None or extent.number in only):
                rows, batches = self._rows(extent, start, end)
                yield rows, (self._part(extent, batch, start, end) for batch in batches)

    def _part(self, extent: Extent, batch: RowBatch, start: int, end: int) -> WindowPart:
        """Those of the rows that lie between, and count."""
        at, repeats = None, 0
        if extent.first < start or extent.last >= end or not extent.complete:
            inside = batch.timed & (batch.event_us >= start) & (batch.event_us < end)
            inside &= batch.event_us <= self.inside.last
            at = None if inside.all() else np.flatnonzero(inside)
        dropped = self.repeats.dropped.get(extent.number)
        if dropped is not None:
            candidates = np.arange(len(batch)) if at is None else at
            at = candidates[~is_member(batch.places[candidates], dropped)]
            repeats = candidates.size - at.size
        return WindowPart(number=extent.number, batch=batch if at is None else batch.take(at), repeats=repeats)

    def _rows(self, extent: Extent, start: int, end: int) -> tuple[PieceRows, Iterator[RowBatch]]:
        """The rows of a piece; they are kept in memory if other windows will ask for them."""
        if extent.number not in self._piece_cache:
            rows = PieceRows(piece=extent.piece, columns=self.columns, reader=self.reader)
            in_batches = self.reader.in_batches(extent.piece)
            if (in_batches or extent.piece.is_part) and extent.last - extent.first <= WINDOWS * (end - start):
                return rows, rows.batches()
            is_large = in_batches and extent.rows * ROW_BYTES > KEPT_BYTES
            self._piece_cache[extent.number] = _SplitPiece(rows) if is_large else _KeptPiece(rows)
        self._piece_cache.move_to_end(extent.number)
        while len(self._piece_cache) > 1 and sum(map(self._bytes, self._piece_cache.values())) > KEPT_BYTES:
            self._piece_cache.popitem(last=False)
        piece_rows = self._piece_cache[extent.number]
        return piece_rows.rows, piece_rows.batches(start, end)

    def forget(self) -> None:
        """Keep no rows of the pieces read so far."""
        self._piece_cache.clear()
        self.reader.forget()

    def _bytes(self, piece_rows: _KeptPiece | _SplitPiece) -> int:
        in_batches = self.reader.in_batches(piece_rows.rows.piece)
        return max(piece_rows.nbytes, ROW_BYTES * len(piece_rows)) if in_batches else piece_rows.nbytes

    def _times(self, extent: Extent) -> Iterator[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
        """Event times of a piece's rows of interest, and which of them are repeats, batch by batch."""
        dropped = self.repeats.dropped.get(extent.number)
        for first, raw in self.reader.batches(extent.piece, (self.columns.event_time,)):
            times = event_times(raw, self.columns)
            places = np.flatnonzero(self.inside.contains(times))
            repeated = np.zeros(places.size, dtype=np.bool_)
            if dropped is not None:
                repeated = is_member(first + places, dropped)
            yield times.us[places], repeated


class WindowScan:
    """One pass over the rows of a window, and what it finds out.

    Attributes:
        sums: what was found so far; of files, once their rows are gone through.
    """

    def __init__(self, table: Table, window: Window, only: Collection[int] | None = None) -> None:
        """Prepares the pass."""
        self._table = table
        self._only = only
        self._window = window
        self.sums = ReadSums()

    def parts(self) -> Iterator[WindowPart]:
        """The rows that count, batch by batch. To be gone through once, to its end."""
        for rows, parts in self._table.parts(self._window, self._only):
            any_row = False
            for part in parts:
                self.sums += ReadSums.of(part.batch, part.repeats)
                if len(part.batch):
                    any_row = True
                    yield part
            if any_row:
                self.sums += ReadSums(columns={(finding.kind, finding.feature): finding for finding in rows.findings})

    def read(self) -> pa.Table:
        """All rows at once, as `RowBatch.table` has them, in order of event time; those of one time as they stand."""
        tables = [part.batch.table() for part in self.parts()]
        if not tables:
            return _no_rows(self._table.columns)
        whole = pa.concat_tables(tables).combine_chunks()
        times = whole["event_time"].cast(pa.int64()).to_numpy()
        return whole.take(pa.array(np.argsort(times, kind="stable")))

    def findings(self) -> tuple[Finding, ...]:
        """What was found about the window's files, times, answers and cells, once the pass is over."""
        return self.sums.findings(self._table.columns, self._table.time_findings(self._window))


def _no_rows(columns: TableColumns) -> pa.Table:
    """No row, with the columns that `RowBatch.table` has."""
    inputs = {n: pa.array([], pa.float64() if kind == "number" else pa.string()) for n, kind in columns.inputs.items()}
    moment = pa.timestamp("us", "UTC")
    return pa.table(
        {
            "prediction_id": pa.nulls(0, pa.string()),
            "event_time": pa.array([], moment),
            **inputs,
            "probabilities": pa.array([], pa.list_(pa.float64())),
            "label": pa.nulls(0, pa.string()),
            "label_time": pa.array([], moment),
        }
    )
