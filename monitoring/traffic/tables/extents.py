"""When the rows of a table's pieces happened: from the files' statistics where these suffice, else from the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from monitoring.records import Finding
from monitoring.records.finding_parts import NoTimes
from monitoring.timestamps import as_microseconds
from monitoring.traffic.cells import is_number, is_text, value_type
from monitoring.traffic.format.rows import LAST_US
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.piece_reader import PieceReader
from monitoring.traffic.tables.pieces import TablePiece
from monitoring.traffic.tables.quotes import UnbalancedQuotes, quote_findings
from monitoring.traffic.tables.raw_rows import RawRows
from monitoring.traffic.tables.rows import event_times
from monitoring.traffic.tables.times import ParsedTimes
from monitoring.traffic.windows import Window

#: A row may be so far ahead of the clock: clocks differ, and days begin elsewhere. Rows further ahead wait.
AHEAD = timedelta(days=1)

#: Why an event time is invalid or uncertain, by its place in `InvalidEventTimes.reasons`.
NO_TIME, AHEAD_OF_CLOCK, AMBIGUOUS = range(3)

#: The kind of finding for each, and its message.
_REASONS = (
    ("no event time", "have no event time, and were left out."),
    ("event time ahead", "lie more than a day ahead of the clock, and wait for their time."),
    ("event time twice", "lie in the hour in which the clocks went back: taken as of its first passing."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTimeRange:
    """Event times that are of interest, in microseconds: from `first` (None: from the earliest) to `last`."""

    first: int | None = None
    last: int = LAST_US

    @classmethod
    def of(cls, *, since: datetime | None = None, now: datetime | None = None) -> EventTimeRange:
        """From a time on (None: from the earliest), to a day after the clock (None: to the latest)."""
        return cls(
            first=None if since is None else as_microseconds(since),
            last=LAST_US if now is None else as_microseconds(now + AHEAD),
        )

    def contains(self, times: ParsedTimes) -> NDArray[np.bool_]:
        """Which times are valid and in the range, bool [n]. Returns bool [n].

        >>> times = ParsedTimes(us=np.array([5, 0, 9]), valid=np.array([True, False, True]))
        >>> EventTimeRange(last=8).contains(times).tolist()
        [True, False, False]
        """
        inside: NDArray[np.bool_] = times.valid & (times.us <= self.last)
        if self.first is not None:
            inside &= times.us >= self.first
        return inside


#: All event times that can be.
ANY_TIME = EventTimeRange()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Extent:
    """A piece some of whose rows have a valid event time.

    Attributes:
        labels: whether it has a column of labels.
        label_times: whether it has one of their times.
    """

    number: int
    piece: TablePiece
    first: int
    last: int
    rows: int
    complete: bool
    labels: bool
    label_times: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InvalidEventTimes:
    """Rows of one piece whose event time is missing, ahead of the clock, or ambiguous.

    A row without a valid time is reported with the window of the row before it in its piece, or else of the first
    after it, whichever run judges that window.

    Attributes:
        reported_at: int64 [m], a time in the window that each row is reported with.
        reasons: int64 [m], `NO_TIME`, `AHEAD_OF_CLOCK` or `AMBIGUOUS`.
    """

    file: str
    reported_at: NDArray[np.int64]
    reasons: NDArray[np.int64]

    @classmethod
    def of(cls, file: str, times: ParsedTimes, usable: NDArray[np.bool_]) -> InvalidEventTimes:
        """Those of a piece of which some rows are `usable`, bool [n]."""
        ambiguous = np.flatnonzero(times.ambiguous & usable) if times.ambiguous.size else np.zeros(0, dtype=np.int64)
        bad = np.flatnonzero(~usable)
        before = np.maximum.accumulate(np.where(usable, np.arange(usable.size), -1))[bad]
        nearest = times.us[np.where(before >= 0, before, int(usable.argmax()))]
        reasons = np.where(times.valid[bad], AHEAD_OF_CLOCK, NO_TIME)
        return cls(
            file=file,
            reported_at=np.concatenate([nearest, times.us[ambiguous]]),
            reasons=np.concatenate([reasons, np.full(ambiguous.size, AMBIGUOUS, dtype=np.int64)]),
        )

    def findings(self, window: Window) -> tuple[Finding, ...]:
        """What is reported with a window, one finding for each reason."""
        here = (self.reported_at >= as_microseconds(window.start)) & (self.reported_at < as_microseconds(window.end))
        counts = np.bincount(self.reasons[here], minlength=3).tolist()
        return tuple(_invalid_times(reason, count, self.file) for reason, count in enumerate(counts) if count)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableExtents:
    """When the rows of a table's pieces happened.

    Attributes:
        no_valid_time: whether there are rows, and none of them has an event time.
    """

    extents: tuple[Extent, ...]
    invalid: tuple[InvalidEventTimes, ...]
    findings: tuple[Finding, ...]
    naive: bool
    has_ids: bool
    no_valid_time: bool
    remarks: tuple[str, ...] = ()

    @classmethod
    def known(cls, extents: Sequence[Extent], *, has_ids: bool) -> TableExtents:
        """Pieces that were found before, and of which nothing is to be said any more."""
        return cls(extents=tuple(extents), invalid=(), findings=(), naive=False, has_ids=has_ids, no_valid_time=False)


def find_extents(
    pieces: Sequence[TablePiece], columns: TableColumns, reader: PieceReader, *, inside: EventTimeRange
) -> TableExtents:
    """When the rows of each piece happened. Cost: a Parquet file's metadata where that says it, else all event times.

    Args:
        inside: pieces that end before it are left out; rows after it are ahead of the clock.
    """
    scan = _Scan(columns, reader, inside=inside)
    extents = [scan.extent(number, piece) for number, piece in enumerate(pieces)]
    return scan.table_extents(tuple(extent for extent in extents if extent is not None))


class _Scan:
    """Goes through the pieces, one after the other."""

    def __init__(self, columns: TableColumns, reader: PieceReader, *, inside: EventTimeRange) -> None:
        self._columns = columns
        self._reader = reader
        self._inside = inside
        self._invalid: list[InvalidEventTimes] = []
        self._column: Finding | None = None
        self._unplaced: list[Finding] = []
        self._remarks: dict[str, str] = {}
        self._unbalanced: list[tuple[str, int, UnbalancedQuotes]] = []
        self._naive = self._has_ids = self._some_valid = self._some_invalid = False

    def extent(self, number: int, piece: TablePiece) -> Extent | None:
        """When the rows of the next piece happened; None where that is of no interest, or not known of any."""
        header = self._reader.header(piece)
        for remark in header.remarks:
            self._remarks.setdefault(remark, piece.name)
        kinds = {name: value_type(column.type) for name, column in header.columns().items()}
        ids = kinds.get(self._columns.prediction_id)
        self._has_ids |= ids is not None and (is_text(ids) or is_number(ids))
        extent = self._from_statistics(piece) or self._from_rows(piece, header)
        if (
            extent.rows
            and extent.last is not None
            and (self._inside.first is None or extent.last >= self._inside.first)
        ):
            return Extent(
                number=number,
                piece=piece,
                first=extent.first,
                last=extent.last,
                rows=extent.rows,
                complete=extent.complete,
                labels=not kinds.keys().isdisjoint(self._columns.label_cells),
                label_times=self._columns.label_time in kinds,
            )
        return None

    def table_extents(self, extents: tuple[Extent, ...]) -> TableExtents:
        """What was found about all of them."""
        column = () if self._column is None else (self._column,)
        return TableExtents(
            extents=extents,
            invalid=tuple(self._invalid),
            findings=(*column, *self._unplaced, *quote_findings(self._unbalanced)),
            remarks=tuple(f"{file}: {remark}" for remark, file in self._remarks.items()),
            naive=self._naive,
            has_ids=self._has_ids,
            no_valid_time=self._some_invalid and not self._some_valid,
        )

    def _from_statistics(self, piece: TablePiece) -> _Ends | None:
        """What is known of all rows of a piece without reading them; None if it is not all."""
        if not self._reader.in_batches(piece):
            return None
        times = piece.times(self._columns.event_time)
        if times is None or (times.naive and self._columns.naive_timezone != "UTC"):
            return None
        if times.last is not None and times.last > self._inside.last:
            return None
        self._naive |= times.naive
        self._some_valid |= times.rows > 0
        return _Ends(first=times.first, last=times.last, rows=times.rows, complete=True)

    def _from_rows(self, piece: TablePiece, header: RawRows) -> _Ends:
        """The same from the event times of all rows, and what is wrong with them."""
        columns, name = self._columns, self._columns.event_time
        times = _concatenated([event_times(raw, columns) for _, raw in self._reader.batches(piece, (name,))])
        rows, usable = times.us.size, self._usable(times)
        self._naive |= times.naive
        self._some_valid |= bool(times.valid.any())
        self._some_invalid |= not times.valid.all()
        present = header.table.column_names
        if times.problem and (rows or name in present or columns.prediction_id in present):
            self._column = _no_times(name, times.problem, piece.name)
        last = int(times.us[usable].max()) if usable.any() else None
        if last is not None:
            self._invalid.append(InvalidEventTimes.of(piece.name, times, usable))
        else:
            counts = ((NO_TIME, int((~times.valid).sum())), (AHEAD_OF_CLOCK, int(times.valid.sum())))
            self._unplaced += [_invalid_times(reason, count, piece.name) for reason, count in counts if count]
        first = self._inside.first
        of_interest = not times.valid.any() if last is None else first is None or last >= first
        if header.unbalanced is not None and of_interest:
            self._unbalanced.append((piece.name, rows, header.unbalanced))
        earliest = int(times.us[usable].min()) if usable.any() else 0
        return _Ends(first=earliest, last=last, rows=rows, complete=bool(usable.all()))

    def _usable(self, times: ParsedTimes) -> NDArray[np.bool_]:
        usable: NDArray[np.bool_] = times.valid & (times.us <= self._inside.last)
        return usable


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ends:
    """First and last valid event time of a piece, `last` None where there is none; as in `Extent`."""

    first: int
    last: int | None
    rows: int
    complete: bool


def _concatenated(parts: Sequence[ParsedTimes]) -> ParsedTimes:
    """The times of a piece's batches one after the other."""
    if len(parts) == 1:
        return parts[0]
    ambiguous = [part.ambiguous if part.ambiguous.size else np.zeros(part.us.size, np.bool_) for part in parts]
    return ParsedTimes(
        us=np.concatenate([np.zeros(0, dtype=np.int64), *(part.us for part in parts)]),
        valid=np.concatenate([np.zeros(0, dtype=np.bool_), *(part.valid for part in parts)]),
        naive=any(part.naive for part in parts),
        ambiguous=np.concatenate([np.zeros(0, dtype=np.bool_), *ambiguous]),
    )


def _no_times(column: str, problem: str, file: str) -> Finding:
    if problem == "absent":
        return Finding(kind="column gone", feature=column, fact=True, parts=NoTimes(file=file))
    return Finding(kind="type changed", feature=column, fact=True, parts=NoTimes(file=file, problem=problem))


def _invalid_times(reason: int, count: int, file: str) -> Finding:
    kind, words = _REASONS[reason]
    return Finding(kind=kind, feature="", message=f"{count} rows of {file} {words}")
