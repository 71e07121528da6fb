"""The whole of a table: every row once, by event time, whatever file it came in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.records import Finding
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import TIMESTAMP
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.files import MemoryPiece, Piece
from monitoring.traffic.tables.quotes import Swallowed, about_quotes
from monitoring.traffic.tables.rows import (
    TableRows,
    about_label_times,
    event_times,
    given_ids,
    identities,
    own_ids,
    read_rows,
    truths,
)
from monitoring.traffic.tables.values import Moments
from monitoring.traffic.windows import Window

#: A row may be so far ahead of the clock: clocks differ, and days begin elsewhere. Rows further ahead wait.
AHEAD = timedelta(days=1)

#: Pieces are kept while windows are cut out of them, up to so many bytes of Arrow columns.
KEPT_BYTES = 1 << 29


#: Rows of one piece: their times, its number, their places in it, and their ids where they are given.
_Part: TypeAlias = tuple[NDArray[np.int64], int, NDArray[np.int64], pa.Array | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowOfTable:
    """The rows of one window, as `TableRows` describes them; `repeats` are the copies of a row that were left out."""

    table: pa.Table
    repeats: int
    problems: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Rows of pieces of which no row has a place in time, or lost in a line: nothing says to which window they belong.

    `untimed` says that there are such rows, and that no row of the table has an event time.
    """

    findings: tuple[Finding, ...] = ()
    untimed: bool = False


#: Why a row has no window, by its place in `_Astray.why`.
UNTIMED, AHEAD_OF_CLOCK, TWICE = range(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Astray:
    """Rows with something wrong about their time, each told with the window of a moment, int64 [m]."""

    moments: NDArray[np.int64]
    why: NDArray[np.int64]
    piece: int


class TableTraffic:
    """A table's rows by event time, each once, and its labels.

    A row is known by its prediction id, or else by its file and place. Of rows with one id the earliest counts, and of
    those of one time the last; the others are counted as repeats. `since` says that rows before are of no interest any
    more, and `overdue` the same of labels of rows before. A row without a usable time is told with the window of the
    row before it in its piece (or else of the first after it), whichever run judges that. Cost: event times of every
    row since then, and ids where the table has any, are read at once and kept, about 30 bytes a row; the rest is read
    piece by piece (Parquet by row group), as windows ask for it.
    """

    def __init__(
        self,
        pieces: Sequence[Piece],
        columns: TableColumns,
        *,
        now: datetime,
        since: datetime | None = None,
        overdue: datetime | None = None,
    ) -> None:
        self._pieces = pieces
        self._columns = columns
        self._kept: OrderedDict[int, TableRows] = OrderedDict()
        self._ids: pa.Array | None = None
        self.naive = False
        self._since = since
        self._overdue = since if overdue is None else overdue
        self._index(now, since)

    def times(self) -> NDArray[np.int64]:
        """Event times of the rows that count, sorted, in microseconds since 1970, UTC."""
        return self._times[self._counts]

    def all_times(self) -> NDArray[np.int64]:
        """The same, with the rows that do not count."""
        return self._times

    def counts(self, windows: Sequence[Window]) -> NDArray[np.int64]:
        """How many rows lie in each of some windows, int64 [n, 2]: all of them, and those that count."""
        ends = [(as_microseconds(window.start), as_microseconds(window.end)) for window in windows]
        edges = np.array(ends, dtype=np.int64).reshape(-1, 2)
        found = [np.diff(np.searchsorted(times, edges), axis=1)[:, 0] for times in (self._times, self.times())]
        return np.stack(found, axis=1)

    @property
    def repeats(self) -> int:
        """How many rows do not count, as another of their id does."""
        return int(self._counts.size - self._counts.sum())

    def read(self, window: Window) -> WindowOfTable:
        """The rows of a window, in order of event time. What is wrong in any piece of them is said of the window."""
        first, last = np.searchsorted(self._times, [as_microseconds(window.start), as_microseconds(window.end)])
        wanted = np.arange(first, last)[self._counts[first:last]]
        tables: list[pa.Table] = []
        problems: dict[str, str] = {}
        findings: dict[tuple[str, str], Finding] = {}
        sizes: list[NDArray[np.int64]] = []
        unread: dict[str, int] = {}
        undated = 0
        for piece in np.flatnonzero(np.bincount(self._piece[wanted])):
            mine = wanted[self._piece[wanted] == piece]
            rows = self._rows(int(piece))
            tables.append(_taken(rows.table, self._row[mine]))
            sizes.append(mine)
            problems |= dict(rows.problems)
            findings |= {(f.kind, f.feature): f for f in rows.findings}
            undated += rows.undated
            for name, bad in rows.unread:
                unread[name] = unread.get(name, 0) + bad
        table = pa.concat_tables(tables) if tables else self._nothing()
        if tables:
            table = _taken(table, np.argsort(np.concatenate(sizes), kind="stable")).combine_chunks()
        return WindowOfTable(
            table=table,
            repeats=int(last - first - wanted.size),
            problems=tuple(problems.items()),
            findings=(
                *findings.values(),
                *self._about_times(window),
                *_about_cells(table, unread),
                *about_label_times(self._columns.label_time, undated),
            ),
        )

    def labels(self) -> pa.Table:
        """Every label that a row has, repeats included: prediction_id, label, label_time, in order of label_time."""
        columns = self._columns
        found = []
        for number in sorted(self._reach):
            piece = self._pieces[number]
            raw = piece.read([columns.event_time, columns.prediction_id, columns.label, columns.label_time])
            truth = truths(raw, columns, event_times(raw, columns))
            found.append(truth.add_column(0, "prediction_id", identities(piece, raw, columns)))
        return by_arrival(found)

    def happened(self, ids: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Event times of predictions by their ids (microseconds), and which of them are here."""
        if self._ids is None:
            self._ids = self._all_ids()
        found = pc.index_in(ids.cast(pa.large_string()), self._ids)
        known = np.asarray(found.is_valid(), dtype=np.bool_)
        places = np.asarray(pc.fill_null(found, 0), dtype=np.int64)
        us = self._times[places] if len(self._times) else np.zeros(len(ids), np.int64)
        if not known.all() and len(self._earlier[0]):
            found = pc.index_in(ids.cast(pa.large_string()), self._earlier[0])
            more = np.asarray(found.is_valid(), dtype=np.bool_) & ~known
            us = np.where(more, self._earlier[1][np.asarray(pc.fill_null(found, 0), dtype=np.int64)], us)
            known |= more
        return us, known

    @cached_property
    def _earlier(self) -> tuple[pa.Array, NDArray[np.int64]]:
        """Ids and event times of the rows of which labels alone are of interest."""
        ids, times = [pa.array([], pa.large_string())], [np.zeros(0, np.int64)]
        if self._since is not None and self._overdue is not None:
            first, end = as_microseconds(self._overdue), as_microseconds(self._since)
            for number in sorted(self._reach):
                raw = self._pieces[number].read([self._columns.event_time, self._columns.prediction_id])
                when = event_times(raw, self._columns)
                mine = np.flatnonzero(when.valid & (when.us >= first) & (when.us < end))
                named = identities(self._pieces[number], raw, self._columns).take(pa.array(mine))
                ids.append(named.cast(pa.large_string()))
                times.append(when.us[mine])
        return pa.concat_arrays(ids), np.concatenate(times)

    def _index(self, now: datetime, since: datetime | None) -> None:
        limit = as_microseconds(now + AHEAD)
        start = None if since is None else as_microseconds(since)
        parts: list[_Part] = []
        astray: list[_Astray] = []
        findings: dict[str, Finding] = {}
        lost: list[Finding] = []
        swallowed: list[tuple[str, int, Swallowed]] = []
        timed = untimed = False
        self._reach: set[int] = set()
        for number, piece in enumerate(self._pieces):
            raw = piece.read([self._columns.event_time, self._columns.prediction_id])
            when = event_times(raw, self._columns)
            self.naive |= when.naive
            if when.problem and raw.table.num_columns + raw.table.num_rows:
                findings[self._columns.event_time] = _no_times(self._columns.event_time, when.problem, piece.name)
            timed |= bool(when.valid.any())
            untimed |= not when.valid.all()
            good = when.valid & (when.us <= limit)
            if good.any():
                astray.append(_astray(when, good, number))
            elif good.size:
                for reason, count in ((UNTIMED, int((~when.valid).sum())), (AHEAD_OF_CLOCK, int(when.valid.sum()))):
                    lost += [_about(reason, count, piece.name)] if count else []
            if start is not None and self._overdue is not None:
                if (good & (when.us >= as_microseconds(self._overdue))).any():
                    self._reach.add(number)
                good &= when.us >= start
            if raw.swallowed is not None and (good.any() or not when.valid.any()):
                swallowed.append((piece.name, raw.table.num_rows, raw.swallowed))
            if good.any():
                self._reach.add(number)
                rows = np.flatnonzero(good)
                given = given_ids(raw, self._columns)
                parts.append((when.us[rows], number, rows, None if given is None else given.take(pa.array(rows))))
        self.left_out = LeftOut(
            findings=(*findings.values(), *lost, *about_quotes(swallowed)), untimed=untimed and not timed
        )
        self._astray = astray
        self._ordered(parts)

    def _ordered(self, parts: Sequence[_Part]) -> None:
        """The rows of all pieces in order of time, and the first of each id."""
        times = np.concatenate([part[0] for part in parts] or [np.zeros(0, np.int64)])
        order = np.argsort(times, kind="stable")
        self._times = times[order]
        self._piece = np.concatenate(
            [np.full(len(p[0]), p[1], dtype=np.int64) for p in parts] or [np.zeros(0, np.int64)]
        )[order]
        self._row = np.concatenate([part[2] for part in parts] or [np.zeros(0, np.int64)])[order]
        self.named = any(part[3] is not None for part in parts)
        self._counts = np.ones(self._times.size, dtype=np.bool_)
        if self.named:  # ids that the monitor gives are all different
            given = [part[3] if part[3] is not None else pa.nulls(len(part[0]), pa.string()) for part in parts]
            self._ids = self._all_ids(pa.concat_arrays(given).take(pa.array(order)))
            self._counts = first_of_each(self._ids, self._times)

    def _all_ids(self, given: pa.Array | None = None) -> pa.Array:
        """The id of every row, in order of time: as given, and elsewhere the monitor's own."""
        if given is not None and not given.null_count:
            return given.cast(pa.large_string())
        own = np.full(self._times.size, None, dtype=object)
        for piece in sorted(self._reach):
            mine = np.flatnonzero(self._piece == piece)
            own[mine] = own_ids(self._pieces[int(piece)], self._row[mine]).to_pylist()
        found = pa.array(own, pa.large_string())
        return found if given is None else pc.coalesce(given.cast(pa.large_string()), found)

    def _about_times(self, window: Window) -> list[Finding]:
        """What is said with a window of rows whose time is not known, or not for certain."""
        start, end = as_microseconds(window.start), as_microseconds(window.end)
        found = []
        for each in self._astray:
            here = (each.moments >= start) & (each.moments < end)
            for reason, count in enumerate(np.bincount(each.why[here], minlength=3).tolist()):
                found += [_about(reason, count, self._pieces[each.piece].name)] if count else []
        return found

    def _rows(self, piece: int) -> TableRows:
        """A piece in its final shape, from memory if it was read lately."""
        if piece in self._kept:
            self._kept.move_to_end(piece)
            return self._kept[piece]
        rows = read_rows(self._pieces[piece], self._columns)
        self._kept[piece] = rows
        while len(self._kept) > 1 and sum(each.table.nbytes for each in self._kept.values()) > KEPT_BYTES:
            self._kept.popitem(last=False)
        return rows

    def _nothing(self) -> pa.Table:
        return read_rows(MemoryPiece(name="", table=pa.table({})), replace(self._columns, known={})).table


def _taken(table: pa.Table, rows: NDArray[np.int64]) -> pa.Table:
    """Those rows; where they follow each other, without a copy."""
    if rows.size and rows[-1] - rows[0] == rows.size - 1 and (np.diff(rows) == 1).all():
        return table.slice(int(rows[0]), rows.size)
    return table.take(pa.array(rows))


def by_arrival(tables: Sequence[pa.Table]) -> pa.Table:
    """The rows that have a label, in order of label_time; those of one time as they stand."""
    schema = pa.schema([("prediction_id", pa.string()), ("label", pa.string()), ("label_time", TIMESTAMP)])
    whole = pa.concat_tables([schema.empty_table(), *(table.cast(schema) for table in tables)]).combine_chunks()
    there = whole.filter(pc.and_(whole["label"].is_valid(), whole["label_time"].is_valid()))
    times = there["label_time"].cast(pa.int64()).to_numpy()
    return _taken(there, np.argsort(times, kind="stable"))


def first_of_each(ids: pa.Array, times: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows (sorted by time) count: of those with one id the earliest, and of those of one time the last."""
    codes = ids.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    counts = np.ones(len(codes), dtype=np.bool_)
    if len(codes) == 0 or int(codes.max()) + 1 == len(codes):
        return counts
    order = np.lexsort((-np.arange(len(codes)), times, codes))
    firsts = order[np.concatenate([[True], np.diff(codes[order]) > 0])]
    counts[:] = False
    counts[firsts] = True
    return counts


def _about_cells(table: pa.Table, unread: dict[str, int]) -> list[Finding]:
    """Answers that cannot be used, and cells of number inputs that are none."""
    found = []
    flat = np.asarray(table["probabilities"].combine_chunks().flatten(), dtype=np.float64)
    rows = table.num_rows
    lost = int(np.isnan(flat.reshape(rows, -1)).any(axis=1).sum()) if rows and flat.size else 0
    if lost:
        message = f"{lost} of {rows} rows have no answer that is a probability or a known class."
        found.append(Finding(kind="unusable answers", feature="", message=message))
    for name, bad in unread.items():
        message = f"{bad} cells of {name} in the window's files hold something that is no number: missing."
        found.append(Finding(kind="not a number", feature=name, message=message))
    return found


def _no_times(column: str, problem: str, file: str) -> Finding:
    if problem == "absent":
        message = f"The column {column} is absent in {file}: its rows belong to no window."
        return Finding(kind="column gone", feature=column, message=message, fact=True)
    message = f"The column {column} of {file} holds no times ({problem}): its rows belong to no window."
    return Finding(kind="type changed", feature=column, message=message, fact=True)


def _astray(when: Moments, good: NDArray[np.bool_], number: int) -> _Astray:
    """The rows of a piece with something wrong about their time; some of its rows are `good`."""
    twice = np.flatnonzero(when.twice & good) if when.twice.size else np.zeros(0, dtype=np.int64)
    bad = np.flatnonzero(~good)
    before = np.maximum.accumulate(np.where(good, np.arange(good.size), -1))[bad]
    moments = when.us[np.where(before >= 0, before, int(good.argmax()))]
    return _Astray(
        moments=np.concatenate([moments, when.us[twice]]),
        why=np.concatenate(
            [np.where(when.valid[bad], AHEAD_OF_CLOCK, UNTIMED), np.full(twice.size, TWICE, dtype=np.int64)]
        ),
        piece=number,
    )


def _about(reason: int, count: int, file: str) -> Finding:
    kind, words = {
        UNTIMED: ("no event time", "have no event time, and were left out."),
        AHEAD_OF_CLOCK: ("event time ahead", "lie more than a day ahead of the clock, and wait for their time."),
        TWICE: ("event time twice", "lie in the hour in which the clocks went back: taken as of its first passing."),
    }[reason]
    return Finding(kind=kind, feature="", message=f"{count} rows of {file} {words}")
