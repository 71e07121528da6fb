"""Which rows of a table have an id that another row has too, found without holding rows or ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.traffic.id_keys import id_keys, is_member
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.extents import EventTimeRange, Extent
from monitoring.traffic.tables.piece_reader import PieceReader
from monitoring.traffic.tables.rows import event_times, row_ids

#: About how many rows' ids are compared as text at once.
AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifiedRows:
    """Some rows of a piece: their places in it int64 [n], their ids [n], and their event times int64 [n]."""

    places: NDArray[np.int64]
    ids: pa.Array
    us: NDArray[np.int64]


def identified_rows(
    extent: Extent, columns: TableColumns, reader: PieceReader, inside: EventTimeRange
) -> Iterator[IdentifiedRows]:
    """The rows of a piece with a valid event time in a range. Yields batches of rows, in the piece's order."""
    for first, raw in reader.batches(extent.piece, (columns.prediction_id, columns.event_time)):
        ids, times = row_ids(extent.piece, raw, columns, first), event_times(raw, columns)
        places, us = first + np.arange(len(ids)), times.us
        is_inside = inside.contains(times)
        if not is_inside.all():
            some = np.flatnonzero(is_inside)
            places, us, ids = places[some], us[some], ids.take(pa.array(some))
        yield IdentifiedRows(places=places, ids=ids, us=us)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """Rows that share an id, by the numbers of their pieces, each as sorted places int64 in the piece.

    Attributes:
        dropped: those of them that do not count: of rows with one id the earliest counts, of those of one time the
            last.
    """

    shared: Mapping[int, NDArray[np.int64]] = field(default_factory=dict)
    dropped: Mapping[int, NDArray[np.int64]] = field(default_factory=dict)


class IdReader(Protocol):
    """Goes through the ids of a table's rows, which are known by their 64-bit keys."""

    def twice(self, extents: Sequence[Extent], inside: EventTimeRange) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The keys that several rows have, sorted, and how many rows, int64 [n] each."""

    def having(
        self, extents: Sequence[Extent], inside: EventTimeRange, keys: NDArray[np.int64]
    ) -> Iterator[tuple[int, IdentifiedRows]]:
        """The rows that have one of some keys, which are sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdsHere(IdReader):
    """Reads ids in this process, in a pass over ids and times. An `IdReader`. Memory: eight bytes a row for `twice`."""

    columns: TableColumns
    reader: PieceReader

    @override
    def twice(self, extents: Sequence[Extent], inside: EventTimeRange) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        row_keys = np.empty(sum(extent.rows for extent in extents), dtype=np.int64)
        filled = 0
        for extent in extents:
            for rows in identified_rows(extent, self.columns, self.reader, inside):
                row_keys[filled : filled + len(rows.ids)] = id_keys(rows.ids)
                filled += len(rows.ids)
        return _occurring_twice(row_keys[:filled])

    @override
    def having(
        self, extents: Sequence[Extent], inside: EventTimeRange, keys: NDArray[np.int64]
    ) -> Iterator[tuple[int, IdentifiedRows]]:
        for extent in extents if keys.size else ():
            for rows in identified_rows(extent, self.columns, self.reader, inside):
                yield extent.number, with_keys(rows, keys)


def find_repeats(extents: Sequence[Extent], ids: IdReader, inside: EventTimeRange) -> Repeats:
    """The rows that share an id, among those with an event time in a range.

    Memory: that of the reader, sixteen bytes a row found, and the ids of a million rows. Cost: one pass over ids and
    times, and a second pass where some ids are equal.

    Returns:
        The rows, exactly: ids whose 64-bit keys are equal are compared as text.
    """
    equal, counts = ids.twice(extents, inside)
    shared: dict[int, list[NDArray[np.int64]]] = {}
    dropped: dict[int, list[NDArray[np.int64]]] = {}
    for keys in np.split(equal, np.flatnonzero(np.diff(np.cumsum(counts) // AT_ONCE)) + 1) if equal.size else ():
        _compare([*ids.having(extents, inside, keys)], shared=shared, dropped=dropped)
    return Repeats(shared=_sorted(shared), dropped=_sorted(dropped))


def first_of_each(ids: pa.Array, us: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows count: of those with one id the earliest, and of those of one time the last.

    >>> first_of_each(pa.array(["a", "b", "a", "a"]), np.array([1, 1, 1, 2])).tolist()
    [False, True, True, False]

    Args:
        ids: the rows' ids, [n].
        us: their event times, sorted, int64 [n].

    Returns:
        Whether each row counts, bool [n].
    """
    codes = ids.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    counts = np.ones(len(codes), dtype=np.bool_)
    if len(codes) == 0 or int(codes.max()) + 1 == len(codes):
        return counts
    order = np.lexsort((-np.arange(len(codes)), us, codes))
    firsts = order[np.concatenate([[True], np.diff(codes[order]) > 0])]
    counts[:] = False
    counts[firsts] = True
    return counts


def _occurring_twice(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The keys that occur more than once, sorted, and how often; sorts them in their place."""
    keys.sort()
    twice, more = np.unique(keys[1:][keys[1:] == keys[:-1]], return_counts=True)
    return twice, more + 1


def with_keys(rows: IdentifiedRows, keys: NDArray[np.int64]) -> IdentifiedRows:
    """Those of some rows whose ids have one of some keys, which are sorted."""
    matches = np.flatnonzero(is_member(id_keys(rows.ids), keys))
    return IdentifiedRows(
        places=rows.places[matches], ids=rows.ids.take(pa.array(matches)).cast(pa.large_string()), us=rows.us[matches]
    )


def _compare(
    candidates: Sequence[tuple[int, IdentifiedRows]],
    *,
    shared: dict[int, list[NDArray[np.int64]]],
    dropped: dict[int, list[NDArray[np.int64]]],
) -> None:
    """Compare as text the ids of rows whose keys are equal, each with the number of its piece."""
    times = np.concatenate([rows.us for _, rows in candidates])
    order = np.argsort(times, kind="stable")
    ids = pa.concat_arrays([rows.ids for _, rows in candidates]).take(pa.array(order))
    numbers = np.concatenate([np.full(len(rows.ids), number) for number, rows in candidates])[order]
    places = np.concatenate([rows.places for _, rows in candidates])[order]
    codes = ids.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    twice = np.bincount(codes)[codes] > 1
    counts = first_of_each(ids, times[order])
    for number in np.unique(numbers[twice]).tolist():
        in_piece = twice & (numbers == number)
        shared.setdefault(number, []).append(places[in_piece])
        dropped.setdefault(number, []).append(places[in_piece & ~counts])


def _sorted(places_by_piece: dict[int, list[NDArray[np.int64]]]) -> dict[int, NDArray[np.int64]]:
    whole = {number: np.sort(np.concatenate(places)) for number, places in places_by_piece.items()}
    return {number: places for number, places in whole.items() if places.size}
