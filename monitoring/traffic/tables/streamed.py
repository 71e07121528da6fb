"""A table that is read window by window in one pass, without an index of its rows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from monitoring.timestamps import as_microseconds, duration_microseconds
from monitoring.traffic.format.rows import FIRST_US, LAST_US
from monitoring.traffic.id_keys import member
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.files import ParquetPiece, Piece
from monitoring.traffic.tables.indexed import AHEAD
from monitoring.traffic.tables.piece_stream import Stream, StreamedRows, raw_batches, streamable
from monitoring.traffic.tables.repeats import Repeats
from monitoring.traffic.tables.rows import event_times
from monitoring.traffic.windows import Window

#: A piece that spans more windows than this is kept for the next ones, where it fits.
WINDOWS = 2

#: Rows of pieces that are kept.
KEPT_ROWS = 1 << 21


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """A piece whose rows all have a time, from `first` to `last` (microseconds), as its file's statistics say.

    `own_times` says that its labels may have times of their own.
    """

    piece: ParquetPiece
    first: int
    last: int
    rows: int
    own_times: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some rows of a window; `places` int64 are those of `rows` that lie in it and count, None for all.

    `repeats` lie in it and do not count, as their ids are there already.
    """

    piece: ParquetPiece
    rows: StreamedRows
    places: NDArray[np.int64] | None
    repeats: int = 0


class StreamedTable:
    """Parquet files whose rows all have a time, with a zone or of UTC.

    Then each belongs to one window, and row groups' statistics say which of them to read. Where rows have ids
    (`named`), those with one id are found beforehand, and one of them counts (see `Repeats`). Memory: a few batches,
    and for a row group that spans many windows its rows.
    """

    def __init__(
        self, extents: tuple[Extent, ...], columns: TableColumns, *, naive: bool, named: bool, since: int | None
    ) -> None:
        self.older = tuple(e for e in extents if since is not None and e.last < since)
        self.extents = extents = tuple(e for e in extents if since is None or e.last >= since)
        self.naive = naive
        self.named = named
        rows = sum(extent.rows for extent in extents)
        self.repeats = Repeats.of([e.piece for e in extents], rows, columns, since) if named else Repeats()
        self._columns = columns
        self._kept: OrderedDict[Extent, tuple[Stream, list[StreamedRows]]] = OrderedDict()

    @classmethod
    def of(
        cls,
        pieces: Sequence[Piece],
        columns: TableColumns,
        *,
        now: datetime | None,
        since: datetime | None,
        overdue: datetime | None = None,
    ) -> StreamedTable | None:
        """The table, or None if it has to be indexed row by row, as where rows are ahead of the clock at `now`.

        Pieces that end before `since` are `older`, and those that end before `overdue` of no interest at all.
        Cost: the files' metadata, and what ids cost.
        """
        start = None if since is None else as_microseconds(since)
        oldest = start if overdue is None else as_microseconds(overdue)
        limit = LAST_US if now is None else as_microseconds(now + AHEAD)
        found: list[Extent] = []
        naive = named = False
        known: dict[object, tuple[pq.FileMetaData, bool]] = {}
        for piece in pieces:
            if not isinstance(piece, ParquetPiece):
                return None
            if piece.path not in known:
                known[piece.path] = (pq.read_metadata(piece.path), streamable(piece, columns))
            metadata, fits = known[piece.path]
            if not fits:
                return None
            extent = _extent(piece, metadata, columns)
            if extent is None or extent.last > limit:
                return None
            schema = metadata.schema.to_arrow_schema()
            naive |= schema.field(columns.event_time).type.tz is None
            named |= columns.prediction_id in schema.names
            if metadata.row_group(piece.group).num_rows and (oldest is None or extent.last >= oldest):
                found.append(extent)
        if naive and columns.naive_timezone != "UTC":
            return None
        return cls(tuple(found), columns, naive=naive, named=named, since=start)

    def ends(self, longest_gap: timedelta) -> NDArray[np.int64] | None:
        """First and last times of the row groups, sorted; None where one may hold a longer gap within."""
        longest = duration_microseconds(longest_gap)
        if any(extent.last - extent.first > longest for extent in self.extents):
            return None
        return np.sort(np.array([end for e in self.extents for end in (e.first, e.last)], dtype=np.int64))

    def counts(self, windows: Sequence[Window]) -> NDArray[np.int64]:
        """See `TableTraffic.counts`. Cost: event times of row groups that lie in several windows, or have repeats."""
        ends = [(as_microseconds(window.start), as_microseconds(window.end)) for window in windows]
        edges = np.array(ends, dtype=np.int64).reshape(-1, 2)
        found = np.zeros_like(edges)
        for extent in self.extents:
            dropped = self.repeats.dropped.get(extent.piece)
            whole = (edges[:, 0] <= extent.first) & (extent.last < edges[:, 1])
            if whole.any() and dropped is None:
                found[whole] += extent.rows
            elif ((edges[:, 0] <= extent.last) & (extent.first < edges[:, 1])).any():
                for first, raw in raw_batches(extent.piece, (self._columns.event_time,)):
                    us = event_times(raw, self._columns).us
                    repeated = np.zeros(us.size, dtype=np.bool_)
                    if dropped is not None:
                        repeated = member(first + np.arange(us.size), dropped)
                    for place, times in enumerate((us, us[~repeated])):
                        found[:, place] += np.diff(np.searchsorted(np.sort(times), edges), axis=1)[:, 0]
        return found

    def parts(self, window: Window, streams: list[Stream]) -> Iterator[Part]:
        """The rows of a window; `streams` comes to have the pieces that they are of, gone through."""
        start, end = as_microseconds(window.start), as_microseconds(window.end)
        for extent in self.extents:
            if extent.last < start or extent.first >= end:
                continue
            stream, batches = self._stream(extent, end - start)
            any_row = False
            for rows in batches:
                part = self._part(extent, rows, start, end)
                if part.places is None or part.places.size:
                    any_row = True
                if part.places is None or part.places.size or part.repeats:
                    yield part
            if any_row:
                streams.append(stream)

    def _part(self, extent: Extent, rows: StreamedRows, start: int, end: int) -> Part:
        """Those of the rows that lie between, and count."""
        places, repeats = None, 0
        if extent.first < start or extent.last >= end:
            places = np.flatnonzero((rows.times.us >= start) & (rows.times.us < end))
        dropped = self.repeats.dropped.get(extent.piece)
        if dropped is not None:
            inside = np.arange(len(rows)) if places is None else places
            places = inside[~member(rows.first + inside, dropped)]
            repeats = inside.size - places.size
        return Part(piece=extent.piece, rows=rows, places=places, repeats=repeats)

    def _stream(self, extent: Extent, length: int) -> tuple[Stream, Iterator[StreamedRows]]:
        if extent in self._kept:
            self._kept.move_to_end(extent)
            stream, held = self._kept[extent]
            return stream, iter(held)
        stream = Stream(piece=extent.piece, columns=self._columns)
        if extent.last - extent.first <= WINDOWS * length:
            return stream, stream.rows()
        held = list(stream.rows())
        self._kept[extent] = (stream, held)
        while len(self._kept) > 1 and sum(len(b) for _, bs in self._kept.values() for b in bs) > KEPT_ROWS:
            self._kept.popitem(last=False)
        return stream, iter(held)


def _extent(piece: ParquetPiece, metadata: pq.FileMetaData, columns: TableColumns) -> Extent | None:
    """When a row group's rows happened, if its statistics say so of all of them."""
    schema = metadata.schema.to_arrow_schema()
    if schema.names.count(columns.prediction_id) > 1 or schema.names.count(columns.event_time) != 1:
        return None
    group = metadata.row_group(piece.group)
    if not group.num_rows:
        return Extent(piece=piece, first=0, last=0, rows=0, own_times=False)
    paths = {group.column(place).path_in_schema: place for place in range(group.num_columns)}
    told = group.column(paths[columns.event_time]).statistics
    if told is None or not told.has_min_max or not told.has_null_count or told.null_count:
        return None
    kind = schema.field(columns.event_time).type
    ends = pa.array([told.min, told.max]).cast(pa.timestamp(kind.unit, kind.tz)).cast(pa.int64()).to_pylist()
    factor = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 1}[kind.unit]
    first, last = (end // 1_000 if kind.unit == "ns" else end * factor for end in ends)
    if first < FIRST_US or last > LAST_US:
        return None
    own_times = columns.label_time in schema.names
    return Extent(piece=piece, first=first, last=last, rows=group.num_rows, own_times=own_times)
